/** SIGKILL of either daemon, of personad-net or of either relay at any moment of a message: none is lost, and none comes twice. */
import { expect, test } from 'vitest'
import { Correspondent, inboxRelay, makeContacts } from '../support/message-sides.ts'
import { tempDir } from '../support/temp-dir.ts'
import { daemonVictim, netVictim, randomOf, relayVictim, victimOf, type Victim } from '../support/victims.ts'

const KILLS = Number(process.env['MESSAGE_KILLS'] ?? 2) // `npm run test:slow` asks for more
const TIMEOUT_MS: number = 120_000 + KILLS * 60_000 // sanity: a round takes some seconds on an idle machine
const A_ROUND = 5 // messages of each person
const SEED = Number(process.env['SEED'] ?? Date.now() % 2 ** 31)
const APP = 'org.example.notes'

interface Story {
  readonly people: readonly [Correspondent, Correspondent]
  readonly victims: readonly Victim[]
}

/** Two people with two relays: an entry lies at both. */
async function begin(): Promise<Story> {
  const homes = [tempDir(), tempDir()] as const
  const [one, other] = [await inboxRelay(homes[0]), await inboxRelay(homes[1])]
  const people = [await Correspondent.start(one, other), await Correspondent.start(one, other)] as const
  await makeContacts(...people)
  for (const person of people) await person.use(APP)
  const [alice, bob] = people
  const ofPeople = [
    daemonVictim('Alice', alice),
    netVictim('Alice', alice),
    daemonVictim('Bob', bob),
    netVictim('Bob', bob),
  ]
  const ofRelays = [relayVictim('one relay', homes[0], one.relay), relayVictim('other relay', homes[1], other.relay)]
  return { people, victims: [...ofPeople, ...ofRelays] }
}

function textsOf(name: string, round: number): string[] {
  return Array.from({ length: A_ROUND }, (_, i) => `${name}-${round}-${i}`)
}

/** The same keys make a repeat harmless. @returns why calls were refused: the daemon may be gone */
async function sendRound(
  from: Correspondent,
  to: Correspondent,
  texts: readonly string[],
  onSent: () => void = () => {},
): Promise<string[]> {
  const refusals: string[] = []
  const calls = texts.map(async (text) => {
    try {
      await from.put(APP, to, text, text)
      onSent()
    } catch (error) {
      refusals.push(String(error))
    }
  })
  await Promise.all(calls)
  return refusals
}

test(
  `after each of ${KILLS} kills every message comes once`,
  async () => {
    const random = randomOf(SEED)
    const { people, victims } = await begin()
    const [alice, bob] = people
    // Once without a kill, so that each process runs. The cards may still be on their way to the relays.
    for (const [from, to] of [people, [bob, alice]] as const)
      await expect.poll(async () => await sendRound(from, to, ['hello']), { timeout: 20_000 }).toEqual([])
    for (const person of people) expect(await person.take(APP, 1)).toEqual(['hello'])
    for (let n = 0; n < KILLS; n++) {
      const victim = victimOf(n, SEED, victims)
      const why = `seed ${SEED}, round ${n}, ${victim.name} killed`
      const [ofAlice, ofBob] = [textsOf('Alice', n), textsOf('Bob', n)]
      let left = random(2 * A_ROUND)
      let killed: Promise<unknown> | null = null
      const onSent = (): void => void (left-- === 0 && (killed = victim.kill()))
      await Promise.all([sendRound(alice, bob, ofAlice, onSent), sendRound(bob, alice, ofBob, onSent)])
      await (killed ?? victim.kill())
      await victim.restart()
      expect(await sendRound(alice, bob, ofAlice), why).toEqual([])
      expect(await sendRound(bob, alice, ofBob), why).toEqual([])
      expect((await bob.take(APP, A_ROUND)).toSorted(), why).toEqual(ofAlice)
      expect((await alice.take(APP, A_ROUND)).toSorted(), why).toEqual(ofBob)
    }
    await alice.put(APP, bob, 'goodbye')
    await bob.put(APP, alice, 'goodbye')
    for (const person of people) expect(await person.take(APP, 1)).toEqual(['goodbye'])
  },
  TIMEOUT_MS,
)
