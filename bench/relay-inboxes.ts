/** The inboxes of a relay: whether an entry costs the same among few and among many, beside a send to a box. */
import { inboxIdOf, type AskingDevice } from '../src/relayd/store/inbox-store.ts'
import type { RelayStore } from '../src/relayd/store/relay-store.ts'
import { inboxEntry } from '../test/support/relay-inboxes.ts'
import { makeHome, removeHome } from './daemon.ts'
import { formatRatio, formatUs, quantile, type Row } from './measure.ts'
import { DATA, open, rateOf } from './relay-filled.ts'
import { boxId } from './relay-limits.ts'

const INBOX = inboxIdOf('B0'.repeat(32), 'notes')
const LISTED = ['laptop', 'phone']
const [LAPTOP, PHONE] = LISTED.map((tag): AskingDevice => ({ tag, listed: LISTED })) as [AskingDevice, AskingDevice]
const PAGE = 100
const BOXES = 2000 // so that no box is full within a run
const AT_ONCE = 1000 // entries of one filling step

const nowUs = (): number => Date.now() * 1000
let number = 0

interface FilledInbox {
  readonly home: string
  readonly store: RelayStore
  /** The numbers of its entries, which neither device has acknowledged. */
  readonly numbers: number[]
}

async function fill(entries: number): Promise<FilledInbox> {
  const home = makeHome()
  const store = await open(home)
  for (let done = 0; done < entries; done += AT_ONCE) {
    const some = Math.min(AT_ONCE, entries - done)
    await Promise.all(Array.from({ length: some }, () => post(store)))
  }
  const numbers: number[] = []
  for (let after: number | null = 0; after !== null;) {
    const page = await store.inboxes.list(INBOX, LAPTOP, after, AT_ONCE, nowUs())
    numbers.push(...page.entries.map(({ n }) => n))
    after = page.next
  }
  return { home, store, numbers }
}

async function post({ inboxes }: RelayStore): Promise<void> {
  const outcome = await inboxes.post(INBOX, inboxEntry(number++), LISTED, nowUs())
  if (outcome !== 'stored') throw new Error(`an entry is ${outcome}`)
}

/** A page from anywhere in the inbox. */
async function list({ store, numbers }: FilledInbox, n: number): Promise<void> {
  const after = numbers[(n * 7919) % Math.max(1, numbers.length - PAGE)] ?? 0
  const { entries } = await store.inboxes.list(INBOX, LAPTOP, after, PAGE, nowUs())
  if (entries.length < PAGE) throw new Error(`a page has ${entries.length} entries`)
}

/** Both devices acknowledge one entry, from anywhere in the inbox, and another one comes. */
async function acknowledge({ store, numbers }: FilledInbox, n: number): Promise<void> {
  const at = (n * 7919) % numbers.length
  await store.inboxes.acknowledge(INBOX, LAPTOP, [numbers[at]!], nowUs())
  await store.inboxes.acknowledge(INBOX, PHONE, [numbers[at]!], nowUs())
}

function send({ store }: FilledInbox, n: number): Promise<unknown> {
  return store.send(boxId(n % BOXES), `${number++} ${DATA}`.slice(0, DATA.length), 'sender', nowUs())
}

async function cpuUs(calls: number, call: (n: number) => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage()
  await rateOf(calls, call)
  const { user, system } = process.cpuUsage(before)
  return (user + system) / calls
}

export async function benchRelayInboxes(isQuick: boolean): Promise<Row[]> {
  const [few, many] = await Promise.all([fill(1000), fill(isQuick ? 2000 : 100_000)])
  const [calls, rounds] = isQuick ? [50, 1] : [200, 9]
  const counts = [few.numbers.length, many.numbers.length]
  const rows: Row[] = []
  try {
    for (const [what, call] of [
      ['a page of 100 entries', list],
      ['an entry', ({ store }: FilledInbox): Promise<void> => post(store)],
      ['an acknowledgement by each of two devices', acknowledge],
    ] as const) {
      const us: [number[], number[]] = [[], []]
      for (let round = 0; round < rounds; round++)
        for (const [i, filled] of [few, many].entries())
          us[i]!.push(await cpuUs(calls, (n) => call(filled, round * calls + n)))
      const [a, b] = us.map((times) => quantile(times, 0.5)) as [number, number]
      const figure = `${formatUs(a)}, ${formatUs(b)}: ${formatRatio(b / a)} times`
      rows.push({ what: `relay store: CPU of ${what}, ${counts[0]} and ${counts[1]} entries`, figure })
    }
    rows.push(await againstSends(many, isQuick ? 200 : 2000, isQuick ? 1 : 9))
  } finally {
    for (const { home, store } of [few, many]) {
      await store.close()
      removeHome(home)
    }
  }
  return rows
}

/** Durable entries beside durable sends to boxes, in turn. */
async function againstSends(filled: FilledInbox, calls: number, rounds: number): Promise<Row> {
  const [entries, sends]: [number[], number[]] = [[], []]
  for (let n = 0; n < BOXES; n++) await filled.store.check(boxId(n), 0, 'owner', nowUs())
  for (let round = 0; round < rounds; round++) {
    sends.push(await rateOf(calls, (n) => send(filled, n)))
    entries.push(await rateOf(calls, () => post(filled.store)))
  }
  const [entry, sent] = [entries, sends].map((rates) => quantile(rates, 0.5)) as [number, number]
  const figure = `${Math.round(entry)} a second; ${formatRatio(entry / sent)} of sends to boxes (${Math.round(sent)} a second)`
  return { what: 'relay store: durable entries of inboxes', figure }
}

if (import.meta.main)
  for (const { what, figure } of await benchRelayInboxes(process.argv.includes('--quick')))
    console.log(`${what.padEnd(72)} ${figure}`)
