/** SIGKILL of either daemon, of personad-net or of the relay at any moment of a channel: nothing is lost, doubled or out of order. */
import { describe, expect, test } from 'vitest'
import { meet, readUpTo, Side, twoSides } from '../support/channel-sides.ts'
import { RelayProcess } from '../support/relay-process.ts'
import { tempDir } from '../support/temp-dir.ts'
import { daemonVictim, netVictim, randomOf, relayVictim, victimOf, type Victim } from '../support/victims.ts'

const KILLS = Number(process.env['CHANNEL_KILLS'] ?? 1) // `npm run test:slow` asks for more
const TIMEOUT_MS: number = 120_000 + KILLS * 30_000 // sanity: a round takes a second or two on an idle machine
const A_ROUND = 10 // contents of each side, fewer than the daemon remembers keys
const SEED = Number(process.env['SEED'] ?? Date.now() % 2 ** 31)

/** Two daemons, and all whose death they have to stand. */
interface Story {
  readonly sides: readonly [Side, Side]
  readonly victims: readonly Victim[]
}

async function overFolder(): Promise<Story> {
  const sides = await twoSides({ folders: [tempDir()] })
  return { sides, victims: [daemonVictim('host', sides[0]), daemonVictim('guest', sides[1])] }
}

async function overRelay(): Promise<Story> {
  const home = tempDir()
  const relay = await RelayProcess.start({ home })
  const sides = await twoSides({ relays: [relay.url], private: ['127.0.0.1'] })
  const ofRelay = relayVictim('relay', home, relay)
  const [host, guest] = sides
  const ofSides = [
    daemonVictim('host', host),
    netVictim('host', host),
    daemonVictim('guest', guest),
    netVictim('guest', guest),
  ]
  return { sides, victims: [...ofSides, ofRelay] }
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

/** @param left how many contents are sent before the victim dies */
async function round(n: number, talkers: readonly [Talker, Talker], victim: Victim, left: number): Promise<void> {
  let killed: Promise<unknown> | null = null
  const onSent = (): void => {
    if (left-- === 0) killed = victim.kill()
  }
  await Promise.all(talkers.map((talker) => sendRound(talker, n, onSent)))
  await (killed ?? victim.kill())
  await victim.restart()
  for (const talker of talkers) expect(await sendRound(talker, n, () => {})).toBe(0)
  const [first, second] = talkers
  for (const [reader, writer] of [
    [first, second],
    [second, first],
  ] as const) {
    const texts = await readUpTo(reader.side, reader.id, reader.read + A_ROUND, reader.read)
    expect(texts, `seed ${SEED}, round ${n}, ${victim.name} killed`).toEqual(textsOf(writer.name, n))
    reader.read += texts.length
  }
}

describe.each([
  ['a folder', overFolder],
  ['a relay', overRelay],
])('over %s', (_name, begin) => {
  test(
    'an invite opens although any of the processes is killed as soon as the guest has it',
    async () => {
      const { sides, victims } = await begin()
      const [host, guest] = sides
      // Once without a kill, so that each process runs.
      await meet(host, guest)
      for (let n = 0; n < Math.min(KILLS, victims.length); n++) {
        const victim = victimOf(n, SEED, victims)
        const { invite } = await host.client.call('channel.invite', { name: 'Guest' })
        const { id } = await guest.client.call('channel.accept', { invite, name: 'Host' })
        await victim.kill()
        await victim.restart()
        await guest.until(async () => (await guest.show(id)).state === 'open')
        await host.until(async (client) =>
          (await client.call('channel.list', {})).channels.every(({ state }) => state === 'open'),
        )
      }
      expect((await host.client.call('channel.list', {})).channels).toHaveLength(Math.min(KILLS, victims.length) + 1)
    },
    TIMEOUT_MS,
  )

  test(
    `after each of ${KILLS} kills every content comes once, in order`,
    async () => {
      const random = randomOf(SEED)
      const { sides, victims } = await begin()
      const { hostId, guestId } = await meet(...sides)
      const talkers = [
        { side: sides[0], id: hostId, name: 'host', read: 0 },
        { side: sides[1], id: guestId, name: 'guest', read: 0 },
      ] as const
      for (let n = 0; n < KILLS; n++) await round(n, talkers, victimOf(n, SEED, victims), random(2 * A_ROUND))
      expect(talkers.map(({ read }) => read)).toEqual([KILLS * A_ROUND, KILLS * A_ROUND])
    },
    TIMEOUT_MS,
  )
})
