/** The networks that keep records, for the tests that hold for every engine. */
import { concatBytes } from '../../src/core/encoding/bytes.ts'
import type { RecordEngine } from '../../src/record/record-engine.ts'
import { MemoryRecordEngine, MemoryRecords } from './memory-records.ts'
import { engine } from './person.ts'

/** A network that several programs reach. */
export interface RecordNetwork {
  /** The engine of a program that starts now. */
  start(): Promise<RecordEngine>
  /** An address of this kind whose record nobody has made. */
  readonly unknown: string
  /** Nobody reaches it any more, until the returned function is called. */
  takeAway(): () => void
  /** Changes one bit of what lies in a slot. */
  flip(address: string, slot: number): Promise<void>
  /** Notes what lies in a slot. @returns a function that puts it back in the place of what lies there then */
  keep(address: string, slot: number): Promise<() => Promise<void>>
  /** Forgets a whole record. */
  lose(address: string): Promise<void>
}

export interface RecordSubject {
  readonly name: string
  make(): Promise<RecordNetwork>
  /** How a changed value shows that was not known before: some networks cannot tell it from no value. */
  readonly forged: 'RECORD_FORGED' | null
  /** Whether a record that nobody has made can be told from an empty one. */
  readonly tellsUnknown: boolean
}

export const RECORD_SUBJECTS: readonly RecordSubject[] = [
  {
    name: 'memory',
    make: async () => await Promise.resolve(memoryNetwork()),
    forged: 'RECORD_FORGED',
    tellsUnknown: true,
  },
]

/** Signed bytes with one bit changed behind the head. */
export function flipped(bytes: Uint8Array): Uint8Array {
  return concatBytes(bytes.subarray(0, -1), Uint8Array.of(bytes.at(-1)! ^ 1))
}

function memoryNetwork(): RecordNetwork {
  const records = new MemoryRecords()
  return {
    start: async () => await Promise.resolve(new MemoryRecordEngine(records, engine)),
    unknown: `memory:${'0'.repeat(64)}.1`,
    takeAway: () => {
      records.isAway = true
      return () => void (records.isAway = false)
    },
    flip: async (address, slot) => {
      await Promise.resolve()
      records.slots.set(`${address} ${slot}`, flipped(records.slots.get(`${address} ${slot}`)!))
    },
    keep: async (address, slot) => {
      const old = records.slots.get(`${address} ${slot}`)!
      return await Promise.resolve(async () => {
        records.slots.set(`${address} ${slot}`, old)
        await Promise.resolve()
      })
    },
    lose: async (address) => {
      for (const key of records.slots.keys()) if (key.startsWith(`${address} `)) records.slots.delete(key)
      records.addresses.delete(address)
      await Promise.resolve()
    },
  }
}
