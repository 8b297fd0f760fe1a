/** A process with a store in the database argv[2]: it sends and receives as often as its parent says, into so many boxes as it says. */
import { openPostgres } from '../src/relayd/postgres/postgres.ts'
import type { RelayStore } from '../src/relayd/store/relay-store.ts'
import { rateOf, DATA } from './relay-filled.ts'
import { boxId, MINUTE_US, NO_LIMITS } from './relay-limits.ts'
import { BareRows } from './relay-postgres-bare.ts'

export type Work = 'send' | 'receive' | 'drain' | 'insert'

export interface Order {
  readonly work: Work | 'wait'
  readonly calls: number
  readonly boxes: number
}

const [, , url = '', offset = '0'] = process.argv
const nowUs = (): number => Date.now() * 1000
const options = { limits: NO_LIMITS, answerUs: MINUTE_US, nowUs: nowUs() - 2 * MINUTE_US }
const { store } = await openPostgres(url, options, (bytes) => new Uint8Array(bytes))
const bare = await BareRows.open(url)
let number = Number(offset)

function callOf(work: Work, boxes: number): (n: number) => Promise<unknown> {
  const answer = (): { id: string; expiresUs: number } => ({
    id: `answer ${number++}`,
    expiresUs: nowUs() + MINUTE_US - 1,
  })
  const calls: Record<Work, (n: number) => Promise<unknown>> = {
    send: () => store.send(boxId((number++ * 7919) % boxes), `${number} ${DATA}`, 'sender', nowUs()),
    receive: (n) => store.receive(boxId((n * 10) % boxes), answer(), 0, 1, nowUs()),
    drain: (n) => store.receive(boxId(n % boxes), answer(), nowUs(), 1, nowUs()),
    insert: () => bare.insert(boxId((number++ * 7919) % boxes), nowUs() + number),
  }
  return calls[work]
}

/** When the next message of another process was told. */
function nextNews(from: RelayStore): Promise<number> {
  return new Promise((resolve) => {
    const end = from.watch(() => {
      end()
      resolve(Date.now())
    })
  })
}

process.on('message', ({ work, calls, boxes }: Order) => {
  const done = work === 'wait' ? nextNews(store) : rateOf(calls, callOf(work, boxes))
  void done.then((figure) => process.send!(figure))
})
process.on('disconnect', () => process.exit())
process.send!(0)
