/** The seam between the relay's HTTP server and its objects. */
import type { Readable } from 'node:stream'
import type { ObjectTarget } from '../../relay/paths/object-path.ts'
import type { DeviceRefusal } from '../cards/devices.ts'
import type { ByteRange } from './object-bytes.ts'

export interface ObjectCaller {
  /** The caller's address as HMAC under the key of the day: never the address itself. */
  readonly address: string
}

/** A request of a device, with its token. */
export interface DeviceCall {
  /** Path and query below the address of the relay, as sent. It begins with a slash. */
  readonly path: string
  /** The token of the header Authorization; null without one. */
  readonly bearer: string | null
}

export interface Upload extends DeviceCall {
  /** Bytes that the sender has announced; null where it has not. */
  readonly announcedBytes: number | null
  /** The body. It throws where the sender leaves, or is too slow. */
  readonly parts: AsyncIterable<Uint8Array>
  /** Ends the connection of the sender: the object is not wanted any more. */
  readonly cut: () => void
}

/** `busy`: the address asks too often, or too many objects travel; `retryAfterSec` says when it may again. */
export type Busy = { readonly outcome: 'busy'; readonly retryAfterSec: number }

/**
 * - `kept`: durable, and given out from now on.
 * - `there`: an object has this id already. `hash` is that of the object that is there.
 * - `coming`: another request sends one with this id.
 * - `much`: the persona has no room for it. `full`: the relay has none.
 * - `too big`, `empty`: it has no size of an object.
 * - `guest`: nobody has proven a right to keep the card of the device here.
 * - `gone`: its sender left, or its persona was deleted meanwhile. Nothing of it is left.
 */
export type PutObject =
  | { readonly outcome: 'kept' | 'there'; readonly hash: Uint8Array }
  | { readonly outcome: 'coming' | 'much' | 'full' | 'too big' | 'empty' | 'guest' }
  | { readonly outcome: 'gone' }
  | DeviceRefusal
  | Busy

/** An object that is there. */
export interface FoundObject {
  readonly bytes: number
  /** SHA-256 of its bytes, 32 bytes. */
  readonly hash: Uint8Array
}

export type FindObject =
  { readonly outcome: 'found'; readonly object: FoundObject } | { readonly outcome: 'none' } | Busy

export type ReadObject = { readonly outcome: 'reading'; readonly bytes: Readable } | { readonly outcome: 'none' } | Busy

export type RemoveObject = { readonly outcome: 'removed' | 'none' } | DeviceRefusal | Busy

export interface ObjectService {
  /** Keeps an object. Never rejects for bad input. */
  put(target: ObjectTarget, upload: Upload, caller: ObjectCaller): Promise<PutObject>
  /** Looks for an object, for whoever knows its id. */
  find(target: ObjectTarget, caller: ObjectCaller): Promise<FindObject>
  /** Reads a part of an object that was just found. The reader ends or destroys the stream. */
  read(target: ObjectTarget, object: FoundObject, range: ByteRange, caller: ObjectCaller): Promise<ReadObject>
  remove(target: ObjectTarget, call: DeviceCall, caller: ObjectCaller): Promise<RemoveObject>
}
