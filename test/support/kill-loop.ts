/** Clients that change everything at once until the daemon is gone, and what they remember of its answers. Used by tests and by bench/hostile. */
import type { Client } from '../../src/ipc/client.ts'
import { deviceKey, type Person } from './person.ts'

/** The changes that the daemon acknowledged, as clients remember them. */
export interface Acknowledged {
  /** Number and nickname in the own table. */
  ownSeq: number
  ownName: string
  bobSeq: number
  friends: number
  /** All answers. */
  answers: number
}

export function nothingYet(): Acknowledged {
  return { ownSeq: 1, ownName: 'laptop', bobSeq: 0, friends: 0, answers: 0 }
}

/**
 * Sends calls of all kinds at once until the daemon is gone.
 * @param laptop key of the own device
 * @param onAnswer called after each answer; it kills the daemon at some moment
 */
export async function workUntilGone(
  clients: readonly [Client, Client, Client],
  { laptop, bob }: { readonly laptop: string; readonly bob: Person },
  known: Acknowledged,
  onAnswer: () => void,
): Promise<void> {
  const answered = (): void => {
    known.answers++
    onAnswer()
  }
  await Promise.allSettled([
    editForEver(clients[0], laptop, known, answered),
    observeForEver(clients[1], bob, known, answered),
    befriendForEver(clients[2], known, answered),
  ])
}

async function editForEver(client: Client, laptop: string, known: Acknowledged, onAnswer: () => void): Promise<void> {
  for (;;) {
    const name = `laptop ${known.ownSeq + 1}`
    const { table } = await client.call('device.rename', { device: laptop, name })
    known.ownSeq = table.seq
    known.ownName = table.devices[0]!.name
    onAnswer()
  }
}

async function observeForEver(client: Client, bob: Person, known: Acknowledged, onAnswer: () => void): Promise<void> {
  for (;;) {
    const table = bob.table(['phone', `device ${known.bobSeq}`])
    await client.call('observe', { from: bob.key('phone'), text: table.text(), name: 'Bob' })
    known.bobSeq = table.seq
    onAnswer()
  }
}

async function befriendForEver(client: Client, known: Acknowledged, onAnswer: () => void): Promise<void> {
  for (;;) {
    await client.call('observe', friendNumber(known.friends + 1))
    known.friends++
    onAnswer()
  }
}

function friendNumber(n: number): { from: string; text: string; name: string } {
  return { from: deviceKey(`friend ${n}`), text: 'hi', name: `friend ${n}` }
}

/**
 * Compares the daemon with what its clients remember. An answer may have been lost, so one more change of each kind may be there.
 * @param fromFriend looks up the friends from this number on; the count covers all
 * @returns a sentence for each loss; updates `known` to what is there
 */
export async function lossesOf(client: Client, bob: Person, known: Acknowledged, fromFriend = 1): Promise<string[]> {
  const losses: string[] = []
  const table = await client.call('device.list')
  if (table.seq < known.ownSeq || table.seq > known.ownSeq + 1)
    losses.push(`own table ${known.ownSeq} was acknowledged, and ${table.seq} is there`)
  if (table.seq === known.ownSeq && table.devices[0]!.name !== known.ownName)
    losses.push('the own table has another name')
  const { contact } = await client.call('lookup', { query: bob.key('phone') })
  const bobSeq = contact?.seq ?? 0
  if (bobSeq < known.bobSeq) losses.push(`table ${known.bobSeq} of Bob was acknowledged, and ${bobSeq} is there`)
  const friends = (await client.call('status')).counts.provisional
  if (friends < known.friends || friends > known.friends + 1)
    losses.push(`${known.friends} friends were acknowledged, and ${friends} are there`)
  for (let n = fromFriend; n <= known.friends; n++) {
    const { contact: found } = await client.call('lookup', { query: deviceKey(`friend ${n}`) })
    if (found?.name !== `friend ${n}`) losses.push(`friend ${n} is not there`)
  }
  Object.assign(known, { ownSeq: table.seq, ownName: table.devices[0]!.name, friends, bobSeq })
  return losses
}
