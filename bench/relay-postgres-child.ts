/** A process with a store in the database argv[2]: it sends and receives as often as its parent says, into boxes of which it takes any. */
import { randomInt, randomUUID } from 'node:crypto'
import { openPostgres } from '../src/relayd/postgres/postgres.ts'
import type { RelayStore } from '../src/relayd/store/relay-store.ts'
import { rateOf, DATA } from './relay-filled.ts'
import { boxId, MINUTE_US, NO_LIMITS } from './relay-limits.ts'
import { BareRows } from './relay-postgres-bare.ts'

export type Work = 'send' | 'receive' | 'read' | 'drain' | 'insert' | 'lock' | 'clear' | 'wait'

export interface Order {
  readonly work: Work
  readonly calls: number
  readonly boxes: number
}

export interface Done {
  /** When the work was done, in milliseconds. */
  readonly atMs: number
  /** The time of this process, in microseconds. */
  readonly cpuUs: number
}

const [, , url = '', place = '0'] = process.argv
const origin = randomUUID()
const nowUs = (): number => Date.now() * 1000
const options = { limits: NO_LIMITS, answerUs: MINUTE_US, nowUs: nowUs() - 2 * MINUTE_US }
const { store } = await openPostgres(url, options, (bytes) => new Uint8Array(bytes))
const bare = await BareRows.open(url, origin)
// Numbers of both processes differ.
let number = (Number(place) + 1) * 1e9

const calls = {
  send: (boxes) => store.send(boxId(randomInt(boxes)), `${number++} ${DATA}`, 'sender', nowUs()),
  insert: (boxes) => insert(boxes, false),
  lock: (boxes) => insert(boxes, true),
  receive: (boxes) => store.receive(boxId(randomInt(boxes)), answer(), 0, 1, nowUs()),
  read: (boxes) => bare.reads.read(boxId(randomInt(boxes)), answer(), nowUs()),
  // It counts for each box, by the one process or by the other.
  drain: (boxes, n) => store.receive(boxId((n * 2 + Number(place)) % boxes), answer(), nowUs(), 1, nowUs()),
  clear: () => bare.clear(),
} satisfies Partial<Record<Work, (boxes: number, n: number) => Promise<unknown>>>

function insert(boxes: number, isLocked: boolean): Promise<void> {
  return bare.insert(boxId(randomInt(boxes)), `${number++} ${DATA}`, nowUs() + (number % 1000), isLocked)
}

function answer(): { id: string; expiresUs: number } {
  return { id: `${origin} ${number++}`, expiresUs: nowUs() + MINUTE_US - 1 }
}

/** Ends with the next message of another process. */
function nextNews(from: RelayStore): Promise<void> {
  return new Promise((resolve) => {
    const end = from.watch(() => {
      end()
      resolve()
    })
  })
}

async function follow({ work, calls: number, boxes }: Order): Promise<Done> {
  const before = process.cpuUsage()
  if (work === 'wait') await nextNews(store)
  else await rateOf(number, (n) => calls[work](boxes, n))
  const { user, system } = process.cpuUsage(before)
  return { atMs: Date.now(), cpuUs: user + system }
}

process.on('message', (order: Order) => void follow(order).then((done) => process.send!(done)))
process.on('disconnect', () => process.exit())
process.send!(0)
