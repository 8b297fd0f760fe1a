/**
 * Puts objects at the relay argv[2] and gets them again, by personad-net, as the daemon does. It prints as JSON how far the resident memory of both
 * programs rose meanwhile, in bytes: for the last object, after the others have loaded the code and filled the heaps.
 */
import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { Net } from '../../src/daemon/net/net.ts'
import { startNet } from '../../src/daemon/net/program.ts'
import { systemClock } from '../../src/process/pulse.ts'
import { RelayClient } from '../../src/relay/client.ts'
import { getObject, putObject, type ObjectSource } from '../../src/relay/objects.ts'
import { makePersona } from './made-persona.ts'
import { signOf } from './object-client.ts'
import { objectIdOf, RelayDevices } from './relay-devices.ts'
import { silentLog } from './silent-log.ts'

const MIB = 1 << 20
const PART_BYTES = 192 << 10
const WARMING = 8

export interface Carried {
  readonly outcome: string
  readonly gotBytes: number
  /** Figures of this process, which has the place of the daemon, and of personad-net. */
  readonly putRose: readonly number[]
  readonly getRose: readonly number[]
}

const [, , url = ''] = process.argv
const settings = { bootstrap: [], proxy: null, private: ['127.0.0.1'], ca: null }
const ready = Promise.withResolvers<void>()
const net = new Net({
  settings: () => Promise.resolve(settings),
  log: { ...silentLog, info: () => ready.resolve() },
  verify: () => false,
  how: 'child',
  open: startNet,
})
net.start()
await ready.promise
const netPid = Number(readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').trim())

const fetch = net.fetch.bind(net)
const clock = { ...systemClock, nowMs: () => Date.now() }
const nowSec = (): number => Math.floor(Date.now() / 1000)
const devices = new RelayDevices(makePersona(1), url, url, nowSec)
const client = new RelayClient({ url: `${url}/`, origin: url }, { fetch, clock, random: Math.random })
const at = { client, fetch, persona: devices.personaId }

/** Parts that are made when they are asked for. */
function madeOf(bytes: number): ObjectSource {
  const part = (left: number): Uint8Array => new Uint8Array(Math.min(left, PART_BYTES)).fill(7)
  const hash = createHash('sha256')
  for (let left = bytes; left > 0; left -= PART_BYTES) hash.update(part(left))
  return {
    bytes,
    hash: hash.digest(),
    parts: async function* () {
      for (let left = bytes; left > 0; left -= PART_BYTES) yield part(left)
    },
  }
}

/** @returns how far the memory of both programs rose above the level before */
async function rose(work: () => Promise<void>): Promise<number[]> {
  const pids = [process.pid, netPid]
  const levels = pids.map((pid) => {
    writeFileSync(`/proc/${pid}/clear_refs`, '5') // from now on the peak counts anew: proc(5)
    return readBytes(pid, 'VmRSS')
  })
  await work()
  return pids.map((pid, i) => readBytes(pid, 'VmHWM') - levels[i]!)
}

function readBytes(pid: number, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) * 1024
}

async function carry(number: number, bytes: number): Promise<Carried> {
  let [outcome, gotBytes] = ['', 0]
  const source = madeOf(bytes)
  const putRose = await rose(async () => {
    outcome = await putObject(at, objectIdOf(number), source, signOf(devices))
  })
  const getRose = await rose(async () => {
    const found = await getObject(at, objectIdOf(number), { maxBytes: bytes })
    for await (const { length } of found!.parts) gotBytes += length
  })
  return { outcome, gotBytes, putRose, getRose }
}

for (let i = 0; i < WARMING; i++) await carry(i, 2 * MIB)
process.stdout.write(JSON.stringify(await carry(WARMING, 20 * MIB)))
await net.stop()
