/** Programs of ours over stand-ins for veilid-server, which share one network. */
import { join } from 'node:path'
import { systemClock } from '../../src/process/pulse.ts'
import type { PollTimes } from '../../src/record/poll.ts'
import { dialVeilid, type VeilidPlaces } from '../../src/record/veilid/dial.ts'
import { parseVeilidAddress } from '../../src/record/veilid/veilid-address.ts'
import { VeilidRecordEngine } from '../../src/record/veilid/veilid-engine.ts'
import { engine } from './person.ts'
import { flipped, type Mischief } from './record-networks.ts'
import { tempDir } from './temp-dir.ts'
import { VeilidNetwork, type StoredRecord, type StoredValue } from './veilid/network.ts'
import { VeilidServer } from './veilid/server.ts'

const POLL: PollTimes = { firstMs: 50, maxMs: 50 }

export function veilidProgram(places: VeilidPlaces, poll: PollTimes): VeilidRecordEngine {
  return new VeilidRecordEngine({ dial: async () => await dialVeilid(places), engine, clock: systemClock, poll })
}

/** A node, and the programs that use it. */
export interface TestNode {
  readonly server: VeilidServer
  readonly path: string
  readonly program: (poll?: PollTimes) => VeilidRecordEngine
}

export class VeilidWorld implements Mischief {
  readonly network: VeilidNetwork = new VeilidNetwork()
  readonly nodes: TestNode[] = []
  readonly #programs: VeilidRecordEngine[] = []
  readonly #directory = tempDir()

  async startNode(): Promise<TestNode> {
    const path = join(this.#directory, `${this.nodes.length}`)
    const server = new VeilidServer(this.network, path)
    await server.start()
    const program = (poll = POLL): VeilidRecordEngine => {
      const started = veilidProgram({ paths: [path], tcp: null }, poll)
      this.#programs.push(started)
      return started
    }
    const node = { server, path, program }
    this.nodes.push(node)
    return node
  }

  async close(): Promise<void> {
    await Promise.all(this.#programs.map(async (program) => await program.close()))
    await Promise.all(this.nodes.map(async ({ server }) => await server.stop()))
  }

  takeAway(): () => void {
    for (const { server } of this.nodes) server.node.goOffline()
    return () => {
      for (const { server } of this.nodes) server.node.goOnline()
    }
  }

  async flip(address: string, slot: number): Promise<void> {
    for (const { values } of this.#copies(address)) {
      const value = values.get(slot)
      if (value !== undefined) values.set(slot, { ...value, data: flipped(value.data) })
    }
    await Promise.resolve()
  }

  /** At all nodes and in the network, as if nobody had ever put the newer value. */
  async keep(address: string, slot: number): Promise<() => Promise<void>> {
    const old = new Map<StoredRecord, StoredValue | undefined>()
    for (const record of this.#copies(address)) old.set(record, record.values.get(slot))
    return await Promise.resolve(async () => {
      for (const record of this.#copies(address)) {
        const value = old.get(record)
        if (value === undefined) record.values.delete(slot)
        else record.values.set(slot, value)
      }
      await Promise.resolve()
    })
  }

  async lose(address: string): Promise<void> {
    const { opaque } = parseVeilidAddress(address)
    this.network.records.delete(opaque)
    for (const { server } of this.nodes) {
      server.node.local.delete(opaque)
      server.node.restart()
    }
    await Promise.resolve()
  }

  #copies(address: string): StoredRecord[] {
    const { opaque } = parseVeilidAddress(address)
    const stores = [this.network.records, ...this.nodes.map(({ server }) => server.node.local)]
    return stores.flatMap((store) => store.get(opaque) ?? [])
  }
}
