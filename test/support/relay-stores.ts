/** The implementations of a relay's store, for the tests that hold for each of them. */
import { join } from 'node:path'
import { openLevelRelayStore } from '../../src/relayd/records/level-relay-store.ts'
import { MemoryRelayStore, RelayMemory } from '../../src/relayd/store/memory-relay-store.ts'
import { RecordRelayStore, type StoreOptions } from '../../src/relayd/records/record-relay-store.ts'
import type { RelayStore, UsedAnswer } from '../../src/relayd/store/relay-store.ts'
import type { StoreLimits } from '../../src/relayd/store/rules.ts'
import { openMemoryStore } from '../../src/store/memory-store.ts'
import { tempDir } from './temp-dir.ts'

export const SEC = 1_000_000 // microseconds
export const MINUTE: number = 60 * SEC
export const HOUR: number = 60 * MINUTE
export const DAY: number = 24 * HOUR

/** Boxes in which a child that works with a store keeps messages: few, so that calls meet in a box. */
export const BOXES = 12

/** A moment of the tests, in microseconds. */
export const START: number = Date.UTC(2026, 10, 5, 12) * 1000

/** Small enough to reach each of them. */
export const LIMITS: StoreLimits = {
  maxMessages: 20,
  maxBytes: 10_000,
  maxUnchecked: 8,
  maxUncheckedBoxes: 10,
  maxRetired: 4,
  messageUs: HOUR,
  boxUs: 30 * DAY,
  maxGuestCards: 3,
  maxApps: 4,
  cardUs: 30 * DAY,
  maxEntries: 12,
  maxStrangers: 6,
  maxOfStranger: 2,
  maxNamed: 8,
  entryUs: 31 * DAY,
  silentUs: 30 * DAY,
  maxPersonaBytes: 100_000,
  objectUs: 31 * DAY,
  maxDiskBytes: 1 << 30,
}

export interface OpenRelayStore {
  readonly store: RelayStore
  /** Ends the store, and opens what it kept at that moment. Answers from more than a minute after it are good. */
  readonly reopen: (nowUs: number) => Promise<RelayStore>
  /** Says whether the disk is full from now on, where a test can do so. */
  readonly setFull: ((isFull: boolean) => void) | null
  /** Another store on the same records, where several processes can have one. */
  readonly second: (() => Promise<RelayStore>) | null
}

export interface Subject {
  readonly name: string
  /** Opens an empty store two minutes before START. */
  open(limits: StoreLimits): Promise<OpenRelayStore>
}

export type StoreRun = (store: RelayStore, opened: OpenRelayStore) => Promise<void>

/**
 * Runs with a new store, and closes what is open of it in the end.
 * @param limits those that differ from {@link LIMITS}
 * @param prepare puts there what all tests of a suite need
 */
export async function withStoreOf(
  subject: Subject,
  limits: Partial<StoreLimits>,
  run: StoreRun,
  prepare: (store: RelayStore) => Promise<unknown> = () => Promise.resolve(),
): Promise<void> {
  const opened = await subject.open({ ...LIMITS, ...limits })
  let { store } = opened
  await prepare(store)
  const reopen = async (nowUs: number): Promise<RelayStore> => (store = await opened.reopen(nowUs))
  await run(store, { ...opened, reopen })
  await store.close()
}

const optionsAt = (limits: StoreLimits, nowUs: number): StoreOptions => ({ limits, answerUs: MINUTE, nowUs })

export const SUBJECTS: readonly Subject[] = [
  {
    name: 'memory',
    open: async (limits) => {
      const memory = new RelayMemory()
      const open = (): RelayStore => new MemoryRelayStore(limits, memory)
      return { store: open(), reopen: async () => open(), setFull: null, second: async () => open() }
    },
  },
  {
    name: 'records in memory',
    open: async (limits) => {
      let isFull = false
      const records = openMemoryStore(async () => {
        if (isFull) throw new Error('ENOSPC')
      })
      const open = (nowUs: number): RelayStore => new RecordRelayStore(records, optionsAt(limits, nowUs))
      const setFull = (isNow: boolean): void => void (isFull = isNow)
      return { store: open(START - 2 * MINUTE), reopen: async (nowUs) => open(nowUs), setFull, second: null }
    },
  },
  {
    name: 'LevelDB',
    open: async (limits) => {
      const directory = join(tempDir(), 'relay')
      const open = (nowUs: number): Promise<RelayStore> => openLevelRelayStore(directory, optionsAt(limits, nowUs))
      let store = await open(START - 2 * MINUTE)
      const reopen = async (nowUs: number): Promise<RelayStore> => {
        await store.close()
        return (store = await open(nowUs))
      }
      return { store, reopen, setFull: null, second: null }
    },
  },
]

let answers = 0

/** The answer to a question that was asked a moment ago. */
export function freshAnswer(nowUs: number): UsedAnswer {
  return { id: `answer ${++answers}`, expiresUs: nowUs + MINUTE - SEC }
}
