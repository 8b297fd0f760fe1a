/** Two ends of a channel without HPKE, and what a daemon keeps of each: the records that the writes of a step name. */
import type { Channel, ChannelEvent, Step, Write } from '../../src/channel/exchange/channel.ts'
import type { ChannelEngine } from '../../src/channel/ratchet/engine.ts'
import { receive } from '../../src/channel/exchange/receive.ts'
import { flush, submit } from '../../src/channel/exchange/send.ts'
import { startGuest, startHost, type Agreed } from '../../src/channel/exchange/start.ts'
import { formatConnectoid } from '../../src/channel/invite/address.ts'
import { commitTo, makeRoot, type Transcript } from '../../src/channel/ratchet/root.ts'
import { formatChannel, parseChannel } from '../../src/channel/exchange/state.ts'
import { encodeUtf8 } from '../../src/core/encoding/bytes.ts'

export const START_MS = 1_800_000_000_000

/** The engine, with random bytes that are the same at every run. */
export function seededEngine(engine: ChannelEngine, seed: string): ChannelEngine {
  let count = 0
  const randomBytes = (length: number): Uint8Array => {
    const bytes = new Uint8Array(length)
    for (let at = 0; at < length; at += 64) {
      bytes.set(engine.sha512(encodeUtf8(`${seed} ${count++}`)).subarray(0, length - at), at)
    }
    return bytes
  }
  return { ...engine, randomBytes }
}

export function connectoidOf(engine: ChannelEngine, name: string): string {
  const pub = engine.boxPublicKey(engine.sha256(encodeUtf8(name)))
  return formatConnectoid(pub, { url: `https://${name}.example/`, ext: null })
}

export interface Starts {
  readonly host: Step
  readonly guest: Step
}

/** Both ends as they are when M2 has opened. */
export function startEnds(engine: ChannelEngine, isCandidate = false): Starts {
  const [hostSecret, guestSecret] = [engine.randomBytes(32), engine.randomBytes(32)]
  const [hostKey, guestKey] = [engine.boxPublicKey(hostSecret), engine.boxPublicKey(guestSecret)]
  const [nA, nB] = [engine.randomBytes(16), engine.randomBytes(16)]
  const m2 = engine.randomBytes(700)
  const transcript: Transcript = { m1: engine.randomBytes(32), m2: engine.sha256(m2) }
  const exporters = [engine.randomBytes(32), engine.randomBytes(32)] as const
  const root = makeRoot(engine, exporters, engine.agree(hostSecret, guestKey)!, transcript)
  const [hostAt, guestAt] = [[connectoidOf(engine, 'host')], [connectoidOf(engine, 'guest')]]
  const shared = { root, transcript, nA, nowMs: START_MS }
  const ofHost: Agreed = { ...shared, ownKey: hostKey, peerKey: guestKey, ownAt: hostAt, peerAt: guestAt }
  const ofGuest: Agreed = { ...shared, ownKey: guestKey, peerKey: hostKey, ownAt: guestAt, peerAt: hostAt }
  const part = {
    ownSecret: hostSecret,
    commit: commitTo(engine, nB),
    m2,
    expiresAtMs: START_MS + 7 * 86_400_000,
    isCandidate,
  }
  return { host: startHost(ofHost, part), guest: startGuest(ofGuest, nB, engine) }
}

/** The content of the disk of an end. */
export interface Disk {
  readonly state: Uint8Array
  readonly frames: ReadonlyMap<number, Uint8Array>
  readonly early: ReadonlyMap<number, Uint8Array>
  readonly contents: ReadonlyMap<number, Uint8Array>
  /** Parts of the peer's contents, joined by number. */
  readonly parts: ReadonlyMap<number, readonly Uint8Array[]>
}

export const EMPTY_DISK: Disk = {
  state: new Uint8Array(),
  frames: new Map(),
  early: new Map(),
  contents: new Map(),
  parts: new Map(),
}

/** The disk after a step: all of its writes, or none. */
export function written(disk: Disk, step: Step): Disk {
  const next = {
    state: formatChannel(step.channel),
    frames: new Map(disk.frames),
    early: new Map(disk.early),
    contents: new Map(disk.contents),
    parts: new Map(disk.parts),
  }
  for (const each of step.writes) write(next, each)
  return next
}

function write(
  disk: {
    frames: Map<number, Uint8Array>
    early: Map<number, Uint8Array>
    contents: Map<number, Uint8Array>
    parts: Map<number, readonly Uint8Array[]>
  },
  each: Write,
): void {
  const dropUpTo = (records: Map<number, unknown>, upTo: number): void => {
    for (const number of records.keys()) if (number <= upTo) records.delete(number)
  }
  switch (each.write) {
    case 'frame':
      return void disk.frames.set(each.counter, each.data)
    case 'framesDone':
      return dropUpTo(disk.frames, each.upTo)
    case 'early':
      return void disk.early.set(each.counter, each.frame)
    case 'earlyDone':
      return void disk.early.delete(each.counter)
    case 'content':
      return void disk.contents.set(each.number, each.bytes)
    case 'contentsDone':
      return dropUpTo(disk.contents, each.upTo)
    case 'part':
      return void disk.parts.set(each.number, [...(disk.parts.get(each.number) ?? []), each.bytes.slice()])
  }
}

/** The channel as it is read after a crash. */
export function loaded(disk: Disk): Channel {
  return parseChannel(disk.state, disk)
}

/** An end with a disk, which takes steps one after another. */
export class End {
  channel: Channel
  disk: Disk
  readonly posted: Uint8Array[] = []
  readonly events: ChannelEvent[] = []

  constructor(start: Step) {
    this.channel = start.channel
    this.disk = EMPTY_DISK
    this.take(start)
  }

  /** Writes the step, then posts and tells. @returns what was posted */
  take(step: Step): readonly Uint8Array[] {
    this.disk = written(this.disk, step)
    this.channel = step.channel
    this.posted.push(...step.posts)
    this.events.push(...step.events)
    return step.posts
  }

  restart(): void {
    this.channel = loaded(this.disk)
  }

  /** The names of the events so far, which are then forgotten. */
  told(): string[] {
    return this.events.splice(0).map(({ event }) => event)
  }

  /** Data that was posted and that the peer has not taken. */
  takePosted(): Uint8Array[] {
    return this.posted.splice(0)
  }

  /** The contents that are complete, in order. */
  contents(): Uint8Array[] {
    return [...this.disk.parts.values()].map((parts) => Buffer.concat(parts))
  }
}

/** Two ends that have met, and a clock. */
export class Pair {
  readonly host: End
  readonly guest: End
  readonly engine: ChannelEngine
  nowMs: number = START_MS

  constructor(engine: ChannelEngine) {
    this.engine = engine
    const { host, guest } = startEnds(engine)
    this.host = new End(host)
    this.guest = new End(guest)
    this.host.takePosted()
    this.exchange()
    this.host.told()
    this.guest.told()
  }

  other(end: End): End {
    return end === this.host ? this.guest : this.host
  }

  send(end: End, ...contents: readonly (Uint8Array | string)[]): void {
    for (const each of contents) {
      end.take(submit(end.channel, typeof each === 'string' ? encodeUtf8(each) : each))
    }
    this.flush(end)
  }

  flush(end: End): void {
    end.take(flush(end.channel, this.nowMs, this.engine))
  }

  /** Brings data to an end. */
  bring(end: End, ...data: readonly Uint8Array[]): void {
    for (const each of data) end.take(receive(end.channel, each, false, this.nowMs, this.engine))
  }

  /** Brings all that was posted, to and fro, until nothing is. */
  exchange(): void {
    for (let isQuiet = false; !isQuiet;) {
      isQuiet = true
      for (const end of [this.host, this.guest]) {
        const posted = end.takePosted()
        const to = this.other(end)
        this.bring(to, ...posted)
        if (posted.length > 0) this.flush(to)
        if (posted.length > 0 || to.posted.length > 0) isQuiet = false
      }
    }
  }
}
