/** Entries of inboxes over HTTP beside sends to boxes, at one relay: an entry has a device token, which the relay verifies by a card. */
import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { MESSAGE_SEAL_BYTES } from '../src/message/entry.ts'
import { APP, makeToken, signedCard } from '../test/support/cards.ts'
import { idOf, pathOf, placeOf } from '../test/support/inbox-world.ts'
import { makePersona, type MadePersona } from '../test/support/made-persona.ts'
import { makeHome, removeHome } from './daemon.ts'
import { formatRatio, formatUs, quantile, type Row } from './measure.ts'
import { Bodies, load, OPEN_CONFIG, RELAY, start, stop, type Load, type Posted } from './relay-load.ts'

const CONNECTIONS = 64
const REQUESTS = 2000 // of a round: signed before it, and so no older than some seconds
const PEOPLE = 4 // senders, and as many owners
const SEALED_BYTES = 3 * MESSAGE_SEAL_BYTES // to three devices
const numbered = (first: number): MadePersona[] => Array.from({ length: PEOPLE }, (_, n) => makePersona(first + n))
const [SENDERS, OWNERS] = [numbered(1), numbered(1 + PEOPLE)] as const

const CONFIG = `${OPEN_CONFIG}  unchecked_messages: 128
  inbox_entries: 1000000
  strangers: 1000000
  entries_of_stranger: 1000000
personas: [${[...SENDERS, ...OWNERS].map((each) => `'${idOf(each)}'`).join(', ')}]
`

const nowSec = (): number => Math.floor(Date.now() / 1000)
let number = 0

/** Requests that leave entries, each of its own. */
function signEntries(origin: string): Posted[] {
  const issuedAtSec = nowSec()
  return Array.from({ length: REQUESTS }, () => {
    const n = number++
    const owner = OWNERS[n % PEOPLE]!
    const path = pathOf(owner)
    const body = JSON.stringify({ app: APP, encId: randomBytes(SEALED_BYTES).toString('base64url') })
    const to = owner.positions[0]!.personaId
    const token = { origin, path, method: 'POST', to, issuedAtSec }
    return { path, body, bearer: makeToken(SENDERS[(n >> 2) % PEOPLE]!, body, token) }
  })
}

async function putCards(origin: string): Promise<void> {
  for (const persona of [...SENDERS, ...OWNERS]) {
    const body = signedCard(persona, { issuedAtSec: nowSec() })
    const { status } = await fetch(`${origin}/card/${placeOf(persona)}`, { method: 'PUT', body })
    if (status !== 200) throw new Error(`a card is answered ${status}`)
  }
}

export async function benchRelayEntries(isQuick: boolean): Promise<Row[]> {
  const home = makeHome()
  const config = join(home, 'relay.yaml')
  writeFileSync(config, CONFIG)
  const relay = await start(RELAY, ['--dir', join(home, 'relay'), '--config', config])
  const origin = `http://127.0.0.1:${relay.port}`
  const [sends, entries]: [Load[], Load[]] = [[], []]
  try {
    await putCards(origin)
    const bodies = new Bodies(randomBytes(32))
    // One round more, which warms up and does not count.
    for (let round = 0; round < (isQuick ? 2 : 6); round++) {
      sends.push(await load(relay, REQUESTS, bodies.send, CONNECTIONS))
      const signed = signEntries(origin)
      entries.push(await load(relay, REQUESTS, () => signed.pop()!, CONNECTIONS))
    }
  } finally {
    await stop(relay)
    removeHome(home)
  }
  const of = (loads: readonly Load[], figure: (load: Load) => number): number =>
    quantile(loads.slice(1).map(figure), 0.5)
  const [sent, entry] = [sends, entries].map((loads) => of(loads, ({ rate }) => rate)) as [number, number]
  const [sendUs, entryUs] = [sends, entries].map((loads) => of(loads, ({ cpuUs }) => cpuUs)) as [number, number]
  const figure =
    `${Math.round(entry)} a second, ${formatRatio(entry / sent)} of sends to boxes (${Math.round(sent)} a second); ` +
    `CPU ${formatUs(entryUs)}, and of a send ${formatUs(sendUs)}`
  return [{ what: `relay: entries of inboxes over ${CONNECTIONS} connections`, figure }]
}

if (import.meta.main)
  for (const { what, figure } of await benchRelayEntries(process.argv.includes('--quick')))
    console.log(`${what.padEnd(56)} ${figure}`)
