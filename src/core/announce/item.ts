/** The item: one blob, padded and sealed, as a value of the DHT (docs/announce.md, section 4). Equal input gives equal bytes, in every engine. */
import { concatBytes, equalBytes, isZero } from '../encoding/bytes.ts'
import type { BoxEngine, Engine } from '../engine.ts'
import { LABEL_ANNOUNCE_CEK, LABEL_ANNOUNCE_KEY, LABEL_ANNOUNCE_NONCE, LABEL_ANNOUNCE_SLOT } from '../labels.ts'
import { ItemError } from './errors.ts'
import { OPEN_SALT } from './place.ts'
import { MAX_VALUE_BYTES, valueOf, type SignedValue } from './signed-value.ts'

const ITEM_VERSION = 1
const FLAG = { forward: 1, slots: 2, public: 4 } as const
const HEAD_BYTES = 2 // format: version and flags
const NONCE_BYTES = 24
const KEY_BYTES = 32
const SLOT_BYTES = 16
const TAG_BYTES = 16
const LENGTH_BYTES = 2 // format: u16be before the blob
const MAX_SLOTS = 255 // format: one byte counts them; the room allows fewer
/** The padded blob of an item of the secret place has at most this length. */
const SECRET_ROOM_BYTES: number = MAX_VALUE_BYTES - HEAD_BYTES - NONCE_BYTES - TAG_BYTES
/** The slots and the padded blob share this. */
const SLOTTED_ROOM_BYTES: number = MAX_VALUE_BYTES - HEAD_BYTES - NONCE_BYTES - 1 - TAG_BYTES
/** Lengths of the padded blob, so that the size of an item tells little about the number of devices. */
const PADDED_BYTES = [320, 448, 576, 704, 832, 952] as const // format: steps of about four devices; all of 952 fits an item without slots

/** A blob before it is sealed, with the keys that seal it. */
export interface Announcement {
  /** The whole blob. */
  readonly blob: Uint8Array
  /** It leads on from the key of an earlier epoch. */
  readonly isForward: boolean
  /** The key that signs the item: K_e of the blob, or for a forward an earlier one. */
  readonly signingKey: Uint8Array
  /** r, 32 bytes */
  readonly readingKey: Uint8Array
}

/** Seals an item of the secret place: whoever has the reading key opens it. @returns at most MAX_VALUE_BYTES bytes */
export function sealForContacts(announcement: Announcement, engine: BoxEngine): Uint8Array {
  const { signingKey, readingKey } = announcement
  const head = headOf(announcement, 0)
  const { plain, nonce } = padded(announcement, head, SECRET_ROOM_BYTES, engine)
  const key = boxKey(engine, readingKey, signingKey, head)
  return engine.sealBox(plain, nonce, key, head, nonce)
}

/** An item for device keys, and how many of them had room. */
export interface SealedForDevices {
  readonly value: Uint8Array
  /** The first so many keys open it. */
  readonly deviceSlots: number
}

/**
 * Seals an item of the open place: whoever has the reading key or one of the device keys opens it. Keys at the end that do not fit are left
 * out. A blob always leaves room for eleven.
 * @param deviceKeys public keys: of the table in its order, then of devices removed lately
 */
export function sealForDevices(
  announcement: Announcement,
  deviceKeys: readonly Uint8Array[],
  engine: BoxEngine,
): SealedForDevices {
  const { blob, signingKey, readingKey } = announcement
  const head = headOf(announcement, FLAG.slots)
  const openers = [readingKey, ...deviceKeys.slice(0, deviceSlots(blob.length))]
  const { plain, nonce } = padded(announcement, head, SLOTTED_ROOM_BYTES - SLOT_BYTES * openers.length, engine)
  const contentKey = engine.sha512(LABEL_ANNOUNCE_CEK, readingKey, signingKey, nonce).subarray(0, SLOT_BYTES)
  const slots = concatBytes(
    Uint8Array.of(openers.length),
    ...openers.map((opener) => xor(contentKey, slotMask(opener, signingKey, nonce, engine))),
  )
  const key = boxKey(engine, contentKey, signingKey, head, slots)
  const value = engine.sealBox(plain, nonce, key, head, nonce, slots)
  return { value, deviceSlots: openers.length - 1 }
}

/** How many device keys have room beside a blob of this length. The reading key has its slot too. */
export function deviceSlots(blobBytes: number): number {
  const most = Math.min(MAX_SLOTS, Math.floor((SLOTTED_ROOM_BYTES - LENGTH_BYTES - blobBytes) / SLOT_BYTES))
  return Math.max(0, most - 1)
}

/** An item of the open place that everybody reads. */
export function formatPublic(announcement: Announcement): Uint8Array {
  return concatBytes(headOf(announcement, FLAG.public), announcement.blob)
}

/** An opened item. The blob is not yet verified. */
export interface OpenedItem {
  readonly isForward: boolean
  readonly blob: Uint8Array
}

/** The keys of a reader that may open an item. */
export interface Openers {
  /** r, 32 bytes; null for a reader who never saw a blob of the persona. */
  readonly readingKey: Uint8Array | null
  /** Device keys that the reader knows, of any persona. */
  readonly deviceKeys: readonly Uint8Array[]
}

/**
 * Opens an item. The caller has checked its signature.
 * @throws {ItemError} ITEM_NOT_BYTES | ITEM_VERSION | ITEM_FLAGS | ITEM_LENGTH | ITEM_CLOSED | ITEM_PADDING
 */
export function openItem(signed: SignedValue, openers: Openers, engine: BoxEngine): OpenedItem {
  const value = valueOf(signed)
  if (value === null) throw new ItemError('ITEM_NOT_BYTES', 'the item is refused: its value is not a byte string')
  const [version, flags] = value
  if (version !== ITEM_VERSION)
    throw new ItemError('ITEM_VERSION', `the item is refused: this program does not know its version ${version}`)
  if (flags === undefined) throw tooShort()
  const isForward = (flags & FLAG.forward) !== 0
  const form = flags & ~FLAG.forward
  const isOpenPlace = equalBytes(signed.salt, OPEN_SALT)
  if (form === FLAG.public && isOpenPlace) return { isForward, blob: value.slice(HEAD_BYTES) }
  if (form === FLAG.slots && isOpenPlace)
    return { isForward, blob: unpadded(openSlots(signed, value, openers, engine)) }
  if (form === 0 && !isOpenPlace) return { isForward, blob: unpadded(openSecret(signed, value, openers, engine)) }
  throw new ItemError(
    'ITEM_FLAGS',
    `the item is refused: it has the flags 0x${flags.toString(16)}, which its place does not allow`,
  )
}

function openSecret(signed: SignedValue, value: Uint8Array, openers: Openers, engine: BoxEngine): Uint8Array {
  const boxAt = HEAD_BYTES + NONCE_BYTES
  if (value.length < boxAt + TAG_BYTES + LENGTH_BYTES) throw tooShort()
  if (openers.readingKey === null) throw closed()
  const key = boxKey(engine, openers.readingKey, signed.publicKey, value.subarray(0, HEAD_BYTES))
  const plain = engine.openBox(value.subarray(boxAt), value.subarray(HEAD_BYTES, boxAt), key)
  if (plain === null) throw closed()
  return plain
}

function openSlots(signed: SignedValue, value: Uint8Array, openers: Openers, engine: BoxEngine): Uint8Array {
  const slotsAt = HEAD_BYTES + NONCE_BYTES
  const boxAt = slotsAt + 1 + SLOT_BYTES * (value[slotsAt] ?? 0)
  if (value.length < boxAt + TAG_BYTES + LENGTH_BYTES) throw tooShort()
  const [head, nonce] = [value.subarray(0, HEAD_BYTES), value.subarray(HEAD_BYTES, slotsAt)]
  const [slots, box] = [value.subarray(slotsAt, boxAt), value.subarray(boxAt)]
  const tried = [...(openers.readingKey === null ? [] : [openers.readingKey]), ...openers.deviceKeys]
  for (const opener of tried) {
    const mask = slotMask(opener, signed.publicKey, nonce, engine)
    for (let at = 1; at < slots.length; at += SLOT_BYTES) {
      const contentKey = xor(slots.subarray(at, at + SLOT_BYTES), mask)
      const plain = engine.openBox(box, nonce, boxKey(engine, contentKey, signed.publicKey, head, slots))
      if (plain !== null) return plain
    }
  }
  throw closed()
}

function headOf({ isForward }: Announcement, form: number): Uint8Array {
  return Uint8Array.of(ITEM_VERSION, form | (isForward ? FLAG.forward : 0))
}

/** A blob as it is sealed, and its nonce. */
interface Padded {
  readonly plain: Uint8Array
  readonly nonce: Uint8Array
}

/**
 * The length, the blob, and zeros up to the next of the padded lengths, or to the end of the room. They stand at the end of the text that the
 * nonce is the hash of, so that nothing is copied twice.
 */
function padded(
  { blob, signingKey, readingKey }: Announcement,
  head: Uint8Array,
  room: number,
  engine: Engine,
): Padded {
  const least = LENGTH_BYTES + blob.length
  const length = Math.min(PADDED_BYTES.find((bytes) => bytes >= least) ?? room, room)
  if (length < least) throw new RangeError(`a blob of ${blob.length} bytes does not fit an item`)
  const plainAt = LABEL_ANNOUNCE_NONCE.length + readingKey.length + signingKey.length + HEAD_BYTES
  const text = new Uint8Array(plainAt + length)
  text.set(LABEL_ANNOUNCE_NONCE)
  text.set(readingKey, LABEL_ANNOUNCE_NONCE.length)
  text.set(signingKey, LABEL_ANNOUNCE_NONCE.length + readingKey.length)
  text.set(head, plainAt - HEAD_BYTES)
  text[plainAt] = blob.length >> 8
  text[plainAt + 1] = blob.length
  text.set(blob, plainAt + LENGTH_BYTES)
  return { plain: text.subarray(plainAt), nonce: engine.sha512(text).subarray(0, NONCE_BYTES) }
}

function unpadded(plain: Uint8Array): Uint8Array {
  const end = LENGTH_BYTES + plain[0]! * 256 + plain[1]!
  if (end > plain.length || !isZero(plain.subarray(end)))
    throw new ItemError('ITEM_PADDING', 'the item is refused: it has a wrong length, or more than zeros after the blob')
  return plain.subarray(LENGTH_BYTES, end)
}

/** Depends on all that is sealed, so that two texts never share a nonce. */
/** @param opens r for an item of the secret place, else the content key */
function boxKey(
  engine: Engine,
  opens: Uint8Array,
  signingKey: Uint8Array,
  ...parts: readonly Uint8Array[]
): Uint8Array {
  return engine.sha512(LABEL_ANNOUNCE_KEY, opens, signingKey, ...parts).subarray(0, KEY_BYTES)
}

function slotMask(opener: Uint8Array, signingKey: Uint8Array, nonce: Uint8Array, engine: Engine): Uint8Array {
  return engine.sha512(LABEL_ANNOUNCE_SLOT, opener, signingKey, nonce).subarray(0, SLOT_BYTES)
}

function xor(a: Uint8Array, b: Uint8Array): Uint8Array {
  return a.map((byte, i) => byte ^ b[i]!)
}

function tooShort(): ItemError {
  return new ItemError('ITEM_LENGTH', 'the item is refused: it is too short for its form')
}

function closed(): ItemError {
  return new ItemError('ITEM_CLOSED', 'the item does not open: it is sealed for others, or it is damaged')
}
