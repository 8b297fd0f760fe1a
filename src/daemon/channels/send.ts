/** Contents of an app for the peer: each is on disk before the app hears of its number. Large ones come in pieces. */
import type { Channel } from '../../channel/exchange/channel.ts'
import { MAX_OUTBOX_BYTES } from '../../channel/exchange/channel.ts'
import { ChannelError } from '../../channel/exchange/errors.ts'
import { submit } from '../../channel/exchange/send.ts'
import { concatBytes } from '../../core/encoding/bytes.ts'
import { MAX_PIECE_BYTES } from '../../ipc/methods/app-params.ts'
import type { SendParams } from '../../ipc/methods/channels.ts'
import { readPiece, type Upload } from '../wing/pieces.ts'
import { ChannelsError } from './errors.ts'
import type { End } from './ends/end.ts'
import { pieceId, pieceOffsets } from './ends/end-state.ts'
import type { Turn } from './ends/turn.ts'
import { Serial } from '../../process/serial.ts'
import type { Means } from './ends/means.ts'
import { unknownChannel } from './access.ts'
import { CHANNEL } from './records/channel-record.ts'
import { PIECE } from './records/kinds.ts'

const MAX_WAITING = 4096 // sanity: contents that wait for one peer; each step reads their numbers

/**
 * Takes a content, or a piece of one.
 * @returns its number; null while pieces are missing
 * @throws {ChannelsError} CONTENT_FORM {ChannelError} CHANNEL_NOT_OPEN | CONTENT_TOO_LARGE | OUTBOX_FULL
 */
export async function sendContent(end: End, params: SendParams, means: Means): Promise<number | null> {
  const { bytes, upload } = readPiece(params, badForm)
  if (upload === null) return await end.run((turn) => enterContent(turn, bytes, params.key ?? null), bytes.length)
  return await uploadsOf(end).run(async () => await takePiece(end, upload, bytes, means))
}

/** Pieces of an end come one after another: two uploads that begin together would both stay. */
const UPLOADS = new WeakMap<End, Serial>()

function uploadsOf(end: End): Serial {
  const serial = UPLOADS.get(end) ?? new Serial()
  UPLOADS.set(end, serial)
  return serial
}

async function takePiece(end: End, upload: Upload, bytes: Uint8Array, means: Means): Promise<number | null> {
  const known = end.peek().sentKeys.get(upload.name)
  if (known !== undefined) return known
  await keepPiece(end, upload, bytes, means)
  if (upload.offset + bytes.length < upload.total) return null
  const whole = wholeOf(end.id, upload, means)
  return await end.run((turn) => enterContent(turn, whole, upload.name, upload.name))
}

function badForm(message: string, hint: string): ChannelsError {
  return new ChannelsError('CONTENT_FORM', message, hint)
}

/** Hands a content to the channel. @param upload the name of the upload whose pieces are on disk */
export function enterContent(turn: Turn, bytes: Uint8Array, key: string | null, upload: string | null = null): number {
  const known = key === null ? undefined : turn.state.sentKeys.get(key)
  if (known !== undefined) return known
  if (turn.channel.outbox.length >= MAX_WAITING) throw outboxFull()
  turn.step(submit(turn.channel, bytes))
  const number = turn.channel.outNumber
  if (upload !== null) turn.set({ uploads: new Map(turn.state.uploads).set(number, upload) })
  if (key !== null) turn.set({ sentKeys: new Map(turn.state.sentKeys).set(key, number) })
  return number
}

function outboxFull(): ChannelError {
  return new ChannelError(
    'OUTBOX_FULL',
    'too much waits for the peer; send the content again when the peer has taken some',
  )
}

async function keepPiece(end: End, upload: Upload, bytes: Uint8Array, means: Means): Promise<void> {
  const { keeper, sealed } = means
  const { name, total, offset } = upload
  const finished = new Set(end.peek().uploads.values())
  // The end remembers only the last names. A piece of a content that waits must stay as it is.
  if (finished.has(name))
    throw badForm(`a content of the upload ${name} waits for the peer`, 'give each upload a name of its own')
  if (offset === 0) await beginUpload(end, upload, finished, means)
  else if (sealed.onDisk(PIECE).get(pieceId(end.id, name, offset - MAX_PIECE_BYTES)) === undefined)
    throw badForm(`the piece before ${offset} of ${total} bytes has not come`, 'send the pieces in order')
  await keeper.change(() => {
    // Nothing clears away what comes after a channel was erased.
    if (keeper.state.of(CHANNEL).get(end.id) === undefined) throw unknownChannel()
    sealed.inChange(PIECE).put(pieceId(end.id, name, offset), bytes)
  })
}

/** Each end has one unfinished upload: what is left of another one is deleted, so an app cannot fill the disk. */
async function beginUpload(
  end: End,
  { name, total }: Upload,
  finished: ReadonlySet<string>,
  { keeper, sealed }: Means,
): Promise<void> {
  checkRoom(end.peek().channel, total)
  const stale: string[] = []
  for await (const id of sealed.onDisk(PIECE).ids(`${end.id}/`)) {
    const of = id.split('/')[1]!
    if (of !== name && !finished.has(of)) stale.push(id)
  }
  if (stale.length === 0) return
  await keeper.change(() => {
    for (const id of stale) sealed.inChange(PIECE).delete(id)
  })
}

/** A content that is greater than the outbox goes into an empty one: better known before 64 MiB have come. */
function checkRoom({ outbox }: Channel, total: number): void {
  if (outbox.length > 0 && total > MAX_OUTBOX_BYTES) throw outboxFull()
}

function wholeOf(id: string, { name, total }: Upload, { sealed }: Means): Uint8Array {
  const pieces = sealed.onDisk(PIECE)
  return concatBytes(
    ...pieceOffsets(total).map((offset) => {
      const piece = pieces.get(pieceId(id, name, offset))
      if (piece === undefined) throw badForm('a piece of the upload is missing', 'begin it anew')
      return piece
    }),
  )
}
