/** An end in memory: read from its records, and written as the difference between two states. */
import { parseChannel, formatChannel } from '../../../channel/exchange/state.ts'
import type { Channel } from '../../../channel/exchange/channel.ts'
import { joinedParts, type Part } from '../../../channel/exchange/parts.ts'
import { concatBytes } from '../../../core/encoding/bytes.ts'
import { MAX_PIECE_BYTES } from '../../../ipc/methods/app-params.ts'
import type { SealedRecords } from '../../sealed/records.ts'
import { numbered } from '../../sealed/numbered.ts'
import type { OutRecord } from '../records/contents.ts'
import { EARLY, END, FRAME, IN, OUT, PIECE } from '../records/kinds.ts'
import type { StoredEnd } from '../records/stored-end.ts'

export interface EndState extends Omit<StoredEnd, 'channel'> {
  readonly channel: Channel
  /** The uploads whose pieces are contents that wait for the peer, by the number of the content. */
  readonly uploads: ReadonlyMap<number, string>
}

/** Reads an end; undefined if there is none. @throws {ChannelError} STATE_VERSION | STATE_DAMAGED {CustodyError} APPS_LOCKED */
export function loadEnd(id: string, sealed: SealedRecords): EndState | undefined {
  const stored = sealed.onDisk(END).get(id)
  if (stored === undefined) return undefined
  const [frames, early, outs] = [sealed.onDisk(FRAME), sealed.onDisk(EARLY), sealed.onDisk(OUT)]
  const uploads = new Map<number, string>()
  const content = (number: number): Uint8Array | undefined => {
    const record = outs.get(numbered(id, number))
    if (record !== undefined && record.upload !== null) uploads.set(number, record.upload)
    return contentOf(id, record, sealed)
  }
  const channel = parseChannel(stored.channel, {
    frames: { get: (counter) => frames.get(numbered(id, counter)) },
    early: { get: (counter) => early.get(numbered(id, counter)) },
    contents: { get: content },
  })
  return { ...stored, channel, uploads }
}

function contentOf(id: string, record: OutRecord | undefined, sealed: SealedRecords): Uint8Array | undefined {
  if (record === undefined || record.upload === null) return record?.bytes
  const pieces = sealed.onDisk(PIECE)
  const found = pieceOffsets(record.totalBytes).map((offset) => pieces.get(pieceId(id, record.upload, offset)))
  return found.includes(undefined) ? undefined : concatBytes(...(found as Uint8Array[]))
}

/** Where the pieces of an upload begin: all but the last have the greatest size. */
export function pieceOffsets(totalBytes: number): number[] {
  return Array.from({ length: Math.ceil(totalBytes / MAX_PIECE_BYTES) }, (_, i) => i * MAX_PIECE_BYTES)
}

export function pieceId(id: string, upload: string, offset: number): string {
  return numbered(`${id}/${upload}`, offset)
}

/** The writes of one turn of an end. */
export interface EndWrites {
  /** As it is on disk; null for a new end. */
  readonly before: EndState | null
  readonly after: EndState
  readonly parts: readonly Part[]
}

/** Writes an end. Inside of a change. */
export function saveEnd(id: string, writes: EndWrites, nowSec: number, sealed: SealedRecords): void {
  const { before, after, parts } = writes
  sealed.inChange(END).put(id, { ...after, channel: formatChannel(after.channel) })
  saveFrames(id, before?.channel ?? null, after.channel, sealed)
  saveEarly(id, before?.channel ?? null, after.channel, sealed)
  saveOutbox(id, writes, sealed)
  const ins = sealed.inChange(IN)
  for (const { number, totalBytes, offset, bytes } of joinedParts(parts, MAX_PIECE_BYTES))
    ins.put(numbered(id, number, offset), { atSec: nowSec, totalBytes, bytes })
}

/** Counters in flight have no gap. */
function saveFrames(id: string, before: Channel | null, { window }: Channel, sealed: SealedRecords): void {
  const frames = sealed.inChange(FRAME)
  const [first, had] = [window[0]?.counter ?? Infinity, before?.window ?? []]
  for (const { counter } of had) if (counter < first) frames.delete(numbered(id, counter))
  const last = before?.sent ?? 0
  for (const { counter, data } of window) if (counter > last) frames.put(numbered(id, counter), data)
}

function saveEarly(id: string, before: Channel | null, after: Channel, sealed: SealedRecords): void {
  if (before?.early === after.early) return
  const records = sealed.inChange(EARLY)
  const [had, has] = [before?.early ?? [], after.early]
  for (const each of had) if (!has.includes(each)) records.delete(numbered(id, each.counter))
  for (const each of has) if (!had.includes(each)) records.put(numbered(id, each.counter), each.frame)
}

/** Numbers of contents have no gap. */
function saveOutbox(id: string, { before, after }: EndWrites, sealed: SealedRecords): void {
  const outs = sealed.inChange(OUT)
  const [first, had] = [after.channel.outbox[0]?.number ?? Infinity, before?.channel.outbox ?? []]
  for (const { number, bytes } of had) {
    if (number >= first) break
    outs.delete(numbered(id, number))
    const upload = before?.uploads.get(number)
    if (upload !== undefined) dropPieces(id, upload, bytes.length, sealed)
  }
  const last = before?.channel.outNumber ?? 0
  for (const { number, bytes } of after.channel.outbox) {
    if (number <= last) continue
    const upload = after.uploads.get(number)
    if (upload === undefined) outs.put(numbered(id, number), { bytes, upload: null })
    else outs.put(numbered(id, number), { bytes: null, upload, totalBytes: bytes.length })
  }
}

function dropPieces(id: string, upload: string, totalBytes: number, sealed: SealedRecords): void {
  const pieces = sealed.inChange(PIECE)
  for (const offset of pieceOffsets(totalBytes)) pieces.delete(pieceId(id, upload, offset))
}
