/** The places over which data is carried, for the tests that hold for every carrier. */
import { mkdirSync, mkdtempSync, readdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs'
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import type { Address } from '../../src/channel/invite/address.ts'
import { BOX_TYPE, formatData } from '../../src/channel/ratchet/box-data.ts'
import {
  ownIntakes,
  type Arrival,
  type Carrier,
  type Line,
  type OwnIntake,
  type OwnPlace,
} from '../../src/channel/carriers/carrier.ts'
import { FolderCarrier } from '../../src/daemon/channels/carriers/folder-carrier.ts'
import { OpenRecords } from '../../src/channel/carriers/records/open-records.ts'
import { RecordCarrier } from '../../src/channel/carriers/records/record-carrier.ts'
import { liveNumbers } from '../../src/channel/carriers/records/ring-header.ts'
import { RelayCarrier } from '../../src/channel/carriers/relay-carrier.ts'
import { systemClock } from '../../src/process/pulse.ts'
import { RelayClient } from '../../src/relay/client.ts'
import type { RelayClock, RelayMeans } from '../../src/relay/means.ts'
import { parseRelayUrl } from '../../src/relay/relay-url.ts'
import { exportBoxSecret, generateBoxKeyPair } from '../../src/seal/key-pair.ts'
import { MemoryRecordEngine, MemoryRecords } from './memory-records.ts'
import { engine } from './person.ts'
import { ORIGIN, testRelay, type TestRelay } from './relay-boxes.ts'
import { serveBoxes } from './relay-http.ts'
import { tempDir } from './temp-dir.ts'

/** A directory or a relay that both ends reach. */
export interface TestPlace {
  /** The place that the owner configures. */
  readonly at: string
  /** The carrier of a program that starts now. */
  start(): Carrier
  /** Puts there what no end of ours leaves, for somebody to read. */
  spoil(to: Address, from: Address): Promise<void>
  /** Takes it away, until the returned function is called. */
  takeAway(): () => void
  /** How many messages or files of both ends lie there. */
  count(): Promise<number>
}

export interface Subject {
  readonly name: Carrier['name']
  make(): Promise<TestPlace>
}

export const SUBJECTS: readonly Subject[] = [
  { name: 'folder', make: async () => await Promise.resolve(folderPlace()) },
  { name: 'relay', make: relayPlace },
  { name: 'record', make: async () => await Promise.resolve(recordPlace()) },
]

export const realClock: RelayClock = {
  nowMs: () => Date.now(),
  after: (ms, run) => systemClock.after(ms, run),
}

export function folderPlace(): TestPlace {
  const parent = tempDir()
  const at = mkdtempSync(join(parent, 'shared-'))
  return {
    at,
    start: () => new FolderCarrier({ folders: [at], clock: systemClock, wallMs: Date.now }),
    spoil: async (to, from) => await Promise.resolve(spoilFolder(at, to, from)),
    takeAway: () => {
      renameSync(at, join(parent, 'pulled'))
      return () => renameSync(join(parent, 'pulled'), at)
    },
    count: async () => {
      const names = readdirSync(at, { recursive: true, encoding: 'utf8' })
      return await Promise.resolve(names.filter((name) => /\.(frame|m1)$/.test(name)).length)
    },
  }
}

/** Everything that a hostile user of the folder can put in the way of a reader. */
function spoilFolder(at: string, to: Address, from: Address): void {
  const [reader, writer] = [to, from].map(({ where }) => where[0]!.url.slice('folder:'.length)) as [string, string]
  for (const directory of [join(at, writer), at]) {
    const name =
      directory === at
        ? (n: number): string => `${reader}-${String(n).padStart(16, '0')}.m1`
        : (n: number): string => `${n}.frame`
    writeFileSync(join(directory, name(1)), new Uint8Array(17 * 1024 + 1))
    writeFileSync(join(directory, name(2)), 'half of a')
    writeFileSync(join(directory, name(3)), '')
    symlinkSync('/etc/hostname', join(directory, name(4)))
    symlinkSync('nowhere', join(directory, name(5)))
    execFileSync('mkfifo', [join(directory, name(6))])
    mkdirSync(join(directory, name(7)))
    writeFileSync(join(directory, '00.frame'), 'another name')
    writeFileSync(join(directory, `${'9'.repeat(17)}.frame`), 'another name')
    writeFileSync(join(directory, 'photo.jpg'), new Uint8Array(100_000))
  }
}

/** A relay over HTTP, and its client. */
export interface TestRelayServer {
  readonly at: string
  readonly relay: TestRelay
  readonly client: () => RelayClient
  /** Nobody reaches it any more, until the returned function is called. */
  readonly takeAway: () => () => void
}

export async function relayServer(): Promise<TestRelayServer> {
  const rate = { burst: 10_000, perSec: 1000 }
  const relay = testRelay({ limits: { address: rate, boxSends: rate } })
  relay.nowUs = Date.now() * 1000
  const { url } = await serveBoxes({ boxes: relay.boxes })
  let isAway = false
  let cut = new AbortController()
  const means: RelayMeans = {
    // The relay has a name of the public network, and is served on this machine.
    fetch: async (address, request) => {
      if (isAway) throw new TypeError('fetch failed')
      const signal = AbortSignal.any([request.signal, cut.signal])
      return await fetch(address.replace(ORIGIN, url), { ...request, signal })
    },
    clock: realClock,
    random: Math.random,
  }
  return {
    at: `${ORIGIN}/`,
    relay,
    client: () => new RelayClient(parseRelayUrl(ORIGIN), means),
    takeAway: () => {
      isAway = true
      cut.abort()
      cut = new AbortController()
      return () => void (isAway = false)
    },
  }
}

/** Records in memory, under the carrier. */
export function recordPlace(): TestPlace {
  const records = new MemoryRecords()
  const places: { readonly pub: Uint8Array; readonly url: string }[] = []
  const reader = new MemoryRecordEngine(records, engine)
  return {
    at: 'memory',
    start: () => {
      const carrier = new RecordCarrier({
        records: new MemoryRecordEngine(records, engine),
        engine,
        clock: systemClock,
      })
      const open = carrier.open.bind(carrier)
      carrier.open = async (at, pub, secret) => {
        const intake = await open(at, pub, secret)
        places.push({ pub, url: intake.url })
        return intake
      }
      return carrier
    },
    spoil: async ({ pub, where }) => {
      const meeting = await new OpenRecords(reader, engine).meeting(where[0]!.url, pub)
      await meeting.send(new Uint8Array(8), Uint8Array.of(0))
      await meeting.send(new Uint8Array(8), new Uint8Array(16_000))
    },
    takeAway: () => {
      records.isAway = true
      return () => void (records.isAway = false)
    },
    count: async () => {
      const open = new OpenRecords(reader, engine)
      const counts = places.map(async ({ pub, url }) => {
        const header = await (await open.peer(url, pub)).header()
        const first = await (await open.meeting(url, pub)).receive('')
        return first.length + (header === null ? 0 : liveNumbers(header).length)
      })
      return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0)
    },
  }
}

async function relayPlace(): Promise<TestPlace> {
  const { at, relay, client, takeAway } = await relayServer()
  return {
    at,
    start: () => {
      const started = client()
      return new RelayCarrier({ client: () => started, token: () => null, clock: realClock })
    },
    spoil: async (to) => {
      const pub = Buffer.from(to.pub).toString('base64url')
      for (const data of ['AA', 'A'.repeat(16_384)]) await relay.ask({ pub, ext: null, action: 'send', data })
    },
    takeAway,
    count: async () => (await relay.store.stats()).messages,
  }
}

/** One end: its place, and a carrier that it starts anew whenever it likes. */
export class TestEnd {
  readonly #place: Pick<TestPlace, 'at' | 'start'>
  own: OwnPlace[] = []
  carrier: Carrier

  private constructor(place: Pick<TestPlace, 'at' | 'start'>) {
    this.#place = place
    this.carrier = place.start()
  }

  static async at(place: Pick<TestPlace, 'at' | 'start'>): Promise<TestEnd> {
    const end = new TestEnd(place)
    await end.move()
    return end
  }

  /** Opens one more place. */
  async move(): Promise<OwnPlace> {
    const pair = await generateBoxKeyPair('x25519', true)
    const secret = await exportBoxSecret(pair)
    const intake = await this.carrier.open(this.#place.at, pair.key.bytes, secret)
    const own = { address: { pub: pair.key.bytes, where: [intake] }, secret }
    this.own.push(own)
    return own
  }

  /** Its newest address. */
  get address(): Address {
    return this.own.at(-1)!.address
  }

  restart(): void {
    this.carrier = this.#place.start()
  }

  lineTo(peer: TestEnd | null): Line {
    return { id: `line ${this.own[0]!.address.where[0]!.url}`, own: this.own, peer: peer?.address ?? null }
  }

  get intake(): OwnIntake {
    return ownIntakes(this).at(-1)!
  }

  async send(peer: TestEnd, ...all: readonly Uint8Array[]): Promise<string> {
    let outcome = ''
    for (const data of all) outcome = await this.carrier.send(this.lineTo(peer), peer.address.where[0]!, data)
    return outcome
  }

  async receive(peer: TestEnd | null, after = '', own: OwnIntake = this.intake): Promise<readonly Arrival[]> {
    return await this.carrier.receive(this.lineTo(peer), own, after)
  }

  /** Reads to the end. */
  async readAll(peer: TestEnd | null, after = ''): Promise<{ readonly data: Uint8Array[]; readonly cursor: string }> {
    const data: Uint8Array[] = []
    let cursor = after
    for (;;) {
      const arrivals = await this.receive(peer, cursor)
      if (arrivals.length === 0) return { data, cursor }
      data.push(...arrivals.map((arrival) => arrival.data))
      cursor = arrivals.at(-1)!.cursor
    }
  }
}

/** Data in the form of a frame: its number, filled up. */
export function frame(number: number, bytes = 256): Uint8Array {
  const body = new Uint8Array(bytes)
  new DataView(body.buffer).setUint32(0, number)
  return formatData(BOX_TYPE.frame, body)
}

export function firstMessage(number: number): Uint8Array {
  return formatData(BOX_TYPE.m1, frame(number).subarray(1))
}
