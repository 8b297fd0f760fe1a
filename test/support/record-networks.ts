/** The networks that keep records, for the tests that hold for every engine. */
import { onTestFinished } from 'vitest'
import { concatBytes } from '../../src/core/encoding/bytes.ts'
import type { RecordEngine } from '../../src/record/record-engine.ts'
import { MemoryRecordEngine, MemoryRecords } from './memory-records.ts'
import { engine } from './person.ts'
import { veilidProgram, VeilidWorld } from './veilid-world.ts'

/** A network that several programs reach. */
export interface RecordNetwork {
  /** The engine of a program that starts now. */
  start(): Promise<RecordEngine>
  /** An address of this kind whose record nobody has made. */
  readonly unknown: string
  /** Events that only a network of tests lets happen; null for a real one. */
  readonly mischief: Mischief | null
}

export interface Mischief {
  /** Nobody reaches the network any more, until the returned function is called. */
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
  /** How a changed value shows. A node of the DHT that gives one counts as one that does not answer. */
  readonly forged: 'RECORD_FORGED' | 'RECORD_AWAY'
  /** Whether its network lets {@link Mischief} happen. */
  readonly hasMischief: boolean
  /** Whether a record that nobody has made can be told from an empty one. */
  readonly tellsUnknown: boolean
}

export const memoryRecords: RecordSubject = {
  name: 'memory',
  make: async () => await Promise.resolve(memoryNetwork()),
  forged: 'RECORD_FORGED',
  hasMischief: true,
  tellsUnknown: true,
}

export const veilidStandIn: RecordSubject = {
  name: 'a stand-in for Veilid',
  make: veilidNetwork,
  forged: 'RECORD_FORGED',
  hasMischief: true,
  tellsUnknown: true,
}

/** Bytes with the last bit changed. */
export function flipped(bytes: Uint8Array): Uint8Array {
  return concatBytes(bytes.subarray(0, -1), Uint8Array.of(bytes.at(-1)! ^ 1))
}

function memoryNetwork(): RecordNetwork {
  const records = new MemoryRecords()
  const keyOf = (address: string, slot: number): string => `${address} ${slot}`
  return {
    start: async () => await Promise.resolve(new MemoryRecordEngine(records, engine)),
    unknown: `memory:${'0'.repeat(64)}.1`,
    mischief: {
      takeAway: () => {
        records.isAway = true
        return () => void (records.isAway = false)
      },
      flip: async (address, slot) => {
        await Promise.resolve()
        records.slots.set(keyOf(address, slot), flipped(records.slots.get(keyOf(address, slot))!))
      },
      keep: async (address, slot) => {
        const old = records.slots.get(keyOf(address, slot))!
        return await Promise.resolve(async () => {
          records.slots.set(keyOf(address, slot), old)
          await Promise.resolve()
        })
      },
      lose: async (address) => {
        for (const key of records.slots.keys()) if (key.startsWith(`${address} `)) records.slots.delete(key)
        records.addresses.delete(address)
        await Promise.resolve()
      },
    },
  }
}

const UNKNOWN_VEILID = `veilid:${['A', 'B', 'C'].map((letter) => letter.repeat(42) + 'A').join('.')}`
/** Nothing of the tests waits for a poll but those for a writer at the same node. */
const VEILID_POLL = { firstMs: 50, maxMs: 50 }

/** Programs with a node each, on one network. */
async function veilidNetwork(): Promise<RecordNetwork> {
  const world = new VeilidWorld()
  onTestFinished(async () => await world.close())
  return await Promise.resolve({
    start: async () => (await world.startNode()).program(),
    unknown: UNKNOWN_VEILID,
    mischief: world,
  })
}

/** A real node, where the environment names one: VEILID_SERVER_IPC, and VEILID_SERVER_IPC_2 for one of its own for readers. */
export function realVeilid(): RecordSubject[] {
  const ipc = process.env['VEILID_SERVER_IPC']
  if (ipc === undefined) return []
  const paths = [ipc, process.env['VEILID_SERVER_IPC_2'] ?? ipc]
  let started = 0
  const make = async (): Promise<RecordNetwork> =>
    await Promise.resolve({
      start: async () => {
        const path = paths[started++ % paths.length]!
        const program = veilidProgram({ paths: [path], tcp: null }, VEILID_POLL)
        onTestFinished(async () => await program.close())
        return await Promise.resolve(program)
      },
      unknown: UNKNOWN_VEILID,
      mischief: null,
    })
  return [{ name: `veilid-server at ${ipc}`, make, forged: 'RECORD_FORGED', hasMischief: false, tellsUnknown: true }]
}
