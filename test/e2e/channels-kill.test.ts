/** SIGKILL of either daemon at any moment of a channel over a folder: nothing is lost, doubled or out of order. */
import { expect, test } from 'vitest'
import { meet, readUpTo, Side, twoSides } from '../support/channel-sides.ts'
import { tempDir } from '../support/temp-dir.ts'

const KILLS = Number(process.env['CHANNEL_KILLS'] ?? 5) // `npm run test:slow` asks for more
const TIMEOUT_MS: number = 120_000 + KILLS * 30_000 // sanity: a round takes a second or two on an idle machine
const A_ROUND = 10 // contents of each side, fewer than the daemon remembers keys
const SEED = Number(process.env['SEED'] ?? Date.now() % 2 ** 31)

/** Numbers below `limit` that a seed repeats. */
function randomOf(seed: number): (limit: number) => number {
  let state = seed
  return (limit) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff
    return (state >>> 8) % limit
  }
}

/** One end of the channel, and how far its peer's contents were read. */
interface Talker {
  readonly side: Side
  readonly id: string
  readonly name: string
  read: number
}

function textsOf(name: string, round: number): string[] {
  return Array.from({ length: A_ROUND }, (_, i) => `${name} ${round}.${i}`)
}

/** Sends the contents of a round. The same keys make a repeat harmless. @returns how many were refused, because the daemon was gone */
async function sendRound({ side, id, name }: Talker, round: number, onSent: () => void): Promise<number> {
  const calls = textsOf(name, round).map(async (text, i) => {
    await side.client.call('channel.send', { id, text, key: `${round}-${i}` })
    onSent()
  })
  return (await Promise.allSettled(calls)).filter(({ status }) => status === 'rejected').length
}

async function round(n: number, talkers: readonly [Talker, Talker], random: (limit: number) => number): Promise<void> {
  const victim = talkers[random(2)]!
  let left = random(2 * A_ROUND)
  let killed: Promise<unknown> | null = null
  const onSent = (): void => {
    if (left-- === 0) killed = victim.side.stop('SIGKILL')
  }
  await Promise.all(talkers.map((talker) => sendRound(talker, n, onSent)))
  await (killed ?? victim.side.stop('SIGKILL'))
  await victim.side.start()
  expect(await sendRound(victim, n, () => {})).toBe(0)
  const [first, second] = talkers
  for (const [reader, writer] of [
    [first, second],
    [second, first],
  ] as const) {
    const texts = await readUpTo(reader.side, reader.id, reader.read + A_ROUND, reader.read)
    expect(texts, `seed ${SEED}, round ${n}`).toEqual(textsOf(writer.name, n))
    reader.read += texts.length
  }
}

test(
  'an invite opens although either daemon is killed as soon as the guest has it',
  async () => {
    const [host, guest] = await twoSides({ folders: [tempDir()] })
    for (const victim of [host, guest]) {
      const { invite } = await host.client.call('channel.invite', { name: 'Guest' })
      const { id } = await guest.client.call('channel.accept', { invite, name: 'Host' })
      await victim.stop('SIGKILL')
      await victim.start()
      await guest.until(async () => (await guest.show(id)).state === 'open')
      await host.until(async (client) =>
        (await client.call('channel.list', {})).channels.every(({ state }) => state === 'open'),
      )
    }
    expect((await host.client.call('channel.list', {})).channels).toHaveLength(2)
  },
  TIMEOUT_MS,
)

test(
  `after each of ${KILLS} kills every content comes once, in order`,
  async () => {
    const random = randomOf(SEED)
    const [host, guest] = await twoSides({ folders: [tempDir()] })
    const { hostId, guestId } = await meet(host, guest)
    const talkers = [
      { side: host, id: hostId, name: 'host', read: 0 },
      { side: guest, id: guestId, name: 'guest', read: 0 },
    ] as const
    for (let n = 0; n < KILLS; n++) await round(n, talkers, random)
    expect(talkers.map(({ read }) => read)).toEqual([KILLS * A_ROUND, KILLS * A_ROUND])
  },
  TIMEOUT_MS,
)
