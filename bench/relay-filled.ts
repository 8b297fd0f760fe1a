/** Stores of a relay that are full of boxes, and calls of them; beside each a bare store of the house with as many records. */
import { join } from 'node:path'
import { openLevelRelayStore } from '../src/relayd/records/level-relay-store.ts'
import type { RelayStore } from '../src/relayd/store/relay-store.ts'
import { encodeUtf8 } from '../src/core/encoding/bytes.ts'
import type { Store } from '../src/store/store.ts'
import { openState } from '../test/support/state-dir.ts'
import { makeHome } from './daemon.ts'
import { timedMs } from './measure.ts'
import { boxId, MINUTE_US, NO_LIMITS } from './relay-limits.ts'

export const CALLERS = 64 // at once, as 64 connections would be
export const DATA: string = 'x'.repeat(900) // an offer of WebRTC with its key
const BOX_BYTES = 80 // the record of a box with one message

export interface Filled {
  readonly home: string
  readonly boxes: number
  readonly store: RelayStore
  /** The house's store with one record for each box, and nothing else. */
  readonly bare: Store
  close(): Promise<void>
}

const bareKey = (n: number): string => `bare/${boxId(n)}`
const nowUs = (): number => Date.now() * 1000
let number = 0

export function open(home: string): Promise<RelayStore> {
  return openLevelRelayStore(join(home, 'relay'), {
    limits: NO_LIMITS,
    answerUs: MINUTE_US,
    nowUs: nowUs() - 2 * MINUTE_US,
  })
}

/** Runs so many calls, some at once. @returns calls a second */
export async function rateOf(calls: number, call: (n: number) => Promise<unknown>): Promise<number> {
  let next = 0
  const caller = async (): Promise<void> => {
    while (next < calls) await call(next++)
  }
  return (calls * 1000) / (await timedMs(() => Promise.all(Array.from({ length: CALLERS }, caller))))
}

/** A store with boxes that were checked; one in ten has a message. */
export async function fill(boxes: number): Promise<Filled> {
  const home = makeHome()
  const store = await open(home)
  for (let done = 0; done < boxes; done += 1000) {
    const some = Array.from({ length: Math.min(1000, boxes - done) }, (_, i) => done + i)
    await Promise.all(some.map((n) => store.check(boxId(n), 0, 'owner', nowUs())))
    await settle(store, some)
  }
  const { store: bare, close } = await openState(join(home, 'bare'))
  const value = encodeUtf8(DATA.slice(0, BOX_BYTES))
  for (let done = 0; done < boxes; done += 1000)
    await bare.commit(
      Array.from({ length: Math.min(1000, boxes - done) }, (_, i) => ({ key: bareKey(done + i), value })),
    )
  const closeBoth = async (): Promise<void> => {
    await store.close()
    await close()
  }
  return { home, boxes, store, bare, close: closeBoth }
}

/** Claims boxes, and leaves one message in every tenth of them. */
export async function settle(store: RelayStore, boxes: readonly number[]): Promise<void> {
  await Promise.all(boxes.map((n) => drain(store, n)))
  await Promise.all(boxes.filter((n) => n % 10 === 0).map((n) => store.send(boxId(n), DATA, 'sender', nowUs())))
}

/** Claims a box, and deletes what is in it. */
export async function drain(store: RelayStore, n: number): Promise<void> {
  const answer = { id: `answer ${number++}`, expiresUs: nowUs() + MINUTE_US - 1 }
  if ((await store.receive(boxId(n), answer, nowUs(), 1, nowUs())) === null) throw new Error('the answer is not good')
}

/** One message into a box that is not full. */
export function send({ store, boxes }: Filled): Promise<unknown> {
  const n = number++
  return store.send(boxId((n * 7919) % boxes), `${n} ${DATA}`, 'sender', nowUs())
}

export async function receive({ store, boxes }: Filled, n: number): Promise<void> {
  const id = boxId((n * 10) % boxes)
  const answer = { id: `answer ${number++}`, expiresUs: nowUs() + MINUTE_US - 1 }
  if ((await store.receive(id, answer, 0, 1, nowUs())) === null) throw new Error('the answer is not good')
}

export async function check({ store, boxes }: Filled, n: number): Promise<void> {
  await store.check(boxId((n * 7919) % boxes), 0, 'owner', nowUs())
}

export async function commitBare({ bare, boxes }: Filled): Promise<void> {
  await bare.commit([{ key: bareKey((number++ * 7919) % boxes), value: encodeUtf8(DATA) }])
}

export async function readBare({ bare, boxes }: Filled, n: number): Promise<void> {
  if (bare.get(bareKey((n * 7919) % boxes)) === undefined) throw new Error('a record is missing')
}
