/**
 * A channel as bytes, for the disk of one device: they hold every key, and the caller seals them. Frames and contents are not among them; they
 * are records of their own, which the writes of a step name (docs/channel.md, section 10). These bytes never travel.
 */
import {
  KEPT_TAG_BYTES,
  NO_TAGS,
  WINDOW,
  type Channel,
  type ChannelKeys,
  type EarlyFrame,
  type GuestPromise,
  type OutContent,
  type OwnIntakes,
  type Phase,
  type SentFrame,
} from './channel.ts'
import type { BrokenReason } from './channel.ts'
import { ChannelError } from './errors.ts'
import type { Role } from '../ratchet/engine.ts'
import { TAG_BYTES } from '../ratchet/frame.ts'
import { Reader, Writer } from './fields.ts'

const VERSION = 2
const VERSION_OF_WHOLE_TAGS = 1 // format: otherwise the same
const ROLES: readonly Role[] = ['host', 'guest']
const PHASES: readonly Phase[] = ['meeting', 'open', 'broken', 'closing', 'closed']
const REASONS: readonly BrokenReason[] = [
  'CLOSED_BODIES',
  'NUMBER_TWICE',
  'ACK_AHEAD',
  'INTAKES_LOST',
  'RESTORED',
  'PEER',
  'COMMITMENT',
]

/** The records beside the state. */
export interface ChannelRecords {
  /** Posted data of frames by counter. */
  readonly frames: NumberedRecords
  readonly early: NumberedRecords
  readonly contents: NumberedRecords
}

/** Records by number. Only those that the state names are read. */
export type NumberedRecords = Pick<ReadonlyMap<number, Uint8Array>, 'get'>

/** Writes a state. Times of posting are left out: after a start everything is posted again. */
export function formatChannel(channel: Channel): Uint8Array {
  const writer = new Writer()
  writer.u8(VERSION)
  writer.u8(ROLES.indexOf(channel.role))
  writer.u8(PHASES.indexOf(channel.phase))
  writer.optional(channel.brokenBecause, (reason) => writer.u8(REASONS.indexOf(reason)))
  writer.optional(channel.keys, (keys) => writeKeys(writer, keys))
  writer.optional(channel.headerKeys, ({ own, peer }) => writer.bytes(own, peer))
  writer.optional(channel.promise, ({ commit, nA, m1, m2 }) => writer.bytes(commit, nA, m1, m2))
  writer.optional(channel.words, (words) => writer.numbers(words))
  writer.bytes(channel.m2Hash)
  writer.optional(channel.greeting, ({ data, expiresAtMs }) => {
    writer.bytes(data)
    writer.number(expiresAtMs)
  })
  writer.texts(channel.peerAt)
  writeIntakes(writer, channel.ownAt)
  writer.u8(channel.isHeld ? 1 : 0)
  writer.numbers([channel.sent, channel.sentBefore, channel.received, channel.receivedBefore])
  writer.numbers(channel.window.flatMap(({ counter, contentsUpTo }) => [counter, contentsUpTo]))
  // Their numbers have no gap.
  writer.numbers([channel.outbox[0]?.number ?? 0, channel.outbox.length])
  writer.numbers([channel.outNumber, channel.cut.number, channel.cut.offset, channel.inNumber])
  writer.list(channel.controls, (control) => writer.bytes(control))
  writer.bytes(channel.received === 0 ? new Uint8Array() : channel.tags)
  writer.numbers(channel.early.map(({ counter }) => counter))
  writer.optional(channel.begun, ({ totalBytes, haveBytes }) => writer.numbers([totalBytes, haveBytes]))
  writer.number(channel.unreadBytes)
  writer.u8(channel.owesAck ? 1 : 0)
  writer.optional(channel.stuck, ({ sinceMs, lastMs }) => writer.numbers([sinceMs, lastMs]))
  writer.number(channel.refused)
  writer.optional(channel.saidAtMs, (saidAtMs) => writer.number(saidAtMs))
  return writer.whole()
}

function writeKeys(writer: Writer, { ratchet, carriers }: ChannelKeys): void {
  const { root, sendChain, receiveChain, ownSecret, ownKey, peerKey } = ratchet
  writer.bytes(root, ownKey, peerKey, carriers)
  for (const secret of [sendChain, receiveChain, ownSecret]) writer.optional(secret, (bytes) => writer.bytes(bytes))
}

function writeIntakes(writer: Writer, { current, next, nextCounter, sinceMs, sinceCounter }: OwnIntakes): void {
  writer.texts(current)
  writer.optional(next, (texts) => writer.texts(texts))
  writer.optional(nextCounter, (counter) => writer.number(counter))
  writer.numbers([sinceMs, sinceCounter])
}

/**
 * Reads a state and its records.
 * @throws {ChannelError} STATE_VERSION | STATE_DAMAGED, also when a record is missing
 */
export function parseChannel(bytes: Uint8Array, records: ChannelRecords): Channel {
  if (bytes[0] !== VERSION && bytes[0] !== VERSION_OF_WHOLE_TAGS) {
    throw new ChannelError(
      'STATE_VERSION',
      `this program does not know version ${bytes[0]} of stored channels; install a newer one`,
    )
  }
  try {
    return readChannel(new Reader(bytes, 1), records)
  } catch (cause) {
    throw new ChannelError('STATE_DAMAGED', 'a stored channel is damaged', { cause })
  }
}

function readChannel(reader: Reader, records: ChannelRecords): Channel {
  const role = reader.oneOf(ROLES)
  const channel: Channel = {
    role,
    phase: reader.oneOf(PHASES),
    brokenBecause: reader.optional(() => reader.oneOf(REASONS)),
    keys: reader.optional(() => readKeys(reader, role)),
    headerKeys: reader.optional(() => ({ own: reader.bytes(), peer: reader.bytes() })),
    promise: reader.optional((): GuestPromise => ({
      commit: reader.bytes(),
      nA: reader.bytes(),
      m1: reader.bytes(),
      m2: reader.bytes(),
    })),
    words: reader.optional(() => reader.numbers()),
    m2Hash: reader.bytes(),
    greeting: reader.optional(() => ({ data: reader.bytes(), postedAtMs: null, expiresAtMs: reader.number() })),
    peerAt: reader.texts(),
    ownAt: readIntakes(reader),
    isHeld: reader.u8() === 1,
    ...readCounters(reader),
    window: readWindow(reader, records),
    outbox: readOutbox(reader, records),
    ...readCut(reader),
    controls: reader.list(() => reader.bytes()),
    tags: readTags(reader),
    early: reader.numbers().map((counter): EarlyFrame => ({ counter, frame: recordOf(records.early, counter) })),
    begun: reader.optional(() => {
      const [totalBytes, haveBytes] = reader.numbers() as [number, number]
      return { totalBytes, haveBytes }
    }),
    unreadBytes: reader.number(),
    owesAck: reader.u8() === 1,
    stuck: reader.optional(() => {
      const [sinceMs, lastMs] = reader.numbers() as [number, number]
      return { sinceMs, lastMs }
    }),
    refused: reader.number(),
    saidAtMs: reader.optional(() => reader.number()),
  }
  reader.end()
  return channel
}

function readKeys(reader: Reader, role: Role): ChannelKeys {
  const [root, ownKey, peerKey, carriers] = [reader.bytes(), reader.bytes(), reader.bytes(), reader.bytes()]
  const secret = (): Uint8Array | null => reader.optional(() => reader.bytes())
  const [sendChain, receiveChain, ownSecret] = [secret(), secret(), secret()]
  return { ratchet: { role, root, sendChain, receiveChain, ownSecret, ownKey, peerKey }, carriers }
}

function readIntakes(reader: Reader): OwnIntakes {
  const current = reader.texts()
  const next = reader.optional(() => reader.texts())
  const nextCounter = reader.optional(() => reader.number())
  const [sinceMs, sinceCounter] = reader.numbers() as [number, number]
  return { current, next, nextCounter, sinceMs, sinceCounter }
}

function readCounters(reader: Reader): Pick<Channel, 'sent' | 'sentBefore' | 'received' | 'receivedBefore'> {
  const [sent, sentBefore, received, receivedBefore] = reader.numbers() as [number, number, number, number]
  return { sent, sentBefore, received, receivedBefore }
}

function readCut(reader: Reader): Pick<Channel, 'outNumber' | 'cut' | 'inNumber'> {
  const [outNumber, number, offset, inNumber] = reader.numbers() as [number, number, number, number]
  return { outNumber, cut: { number, offset }, inNumber }
}

function readWindow(reader: Reader, { frames }: ChannelRecords): SentFrame[] {
  const numbers = reader.numbers()
  return Array.from({ length: numbers.length / 2 }, (_, i) => {
    const [counter, contentsUpTo] = [numbers[2 * i]!, numbers[2 * i + 1]!]
    return { counter, contentsUpTo, data: recordOf(frames, counter), postedAtMs: null }
  })
}

function readOutbox(reader: Reader, { contents }: ChannelRecords): OutContent[] {
  const [first, length] = reader.numbers() as [number, number]
  return Array.from({ length }, (_, i) => ({ number: first + i, bytes: recordOf(contents, first + i) }))
}

function readTags(reader: Reader): Uint8Array {
  const tags = reader.bytes()
  if (tags.length === WINDOW * TAG_BYTES) return shortTags(tags)
  return tags.length === 0 ? NO_TAGS : tags
}

function shortTags(whole: Uint8Array): Uint8Array {
  const tags = new Uint8Array(WINDOW * KEPT_TAG_BYTES)
  for (let i = 0; i < WINDOW; i++)
    tags.set(whole.subarray(i * TAG_BYTES, i * TAG_BYTES + KEPT_TAG_BYTES), i * KEPT_TAG_BYTES)
  return tags
}

function recordOf(records: NumberedRecords, number: number): Uint8Array {
  const bytes = records.get(number)
  if (bytes === undefined) throw new RangeError(`there is no record ${number}`)
  return bytes
}
