/**
 * The container of a Tox save file: a head, sections in order, an end mark and slack, preserved byte for byte
 * (c-toxcore state.c, tox.c).
 */
import { decodeUtf8 } from '../../core/encoding/bytes.ts'
import type { CryptoEngine } from '../../crypto/engine.ts'
import { ToxError } from './errors.ts'

export const SECTION_KEYS = 1 // toxcore: STATE_TYPE_NOSPAMKEYS
export const SECTION_DHT = 2 // toxcore: STATE_TYPE_DHT
export const SECTION_FRIENDS = 3 // toxcore: STATE_TYPE_FRIENDS
export const SECTION_NAME = 4 // toxcore: STATE_TYPE_NAME
export const SECTION_STATUS_MESSAGE = 5 // toxcore: STATE_TYPE_STATUSMESSAGE
export const SECTION_USER_STATUS = 6 // toxcore: STATE_TYPE_STATUS
export const SECTION_GROUPS = 7 // toxcore: STATE_TYPE_GROUPS, since 0.2.19
export const SECTION_TCP_RELAYS = 10 // toxcore: STATE_TYPE_TCP_RELAY
export const SECTION_PATH_NODES = 11 // toxcore: STATE_TYPE_PATH_NODE
export const SECTION_CONFERENCES = 20 // toxcore: STATE_TYPE_CONFERENCES
export const SECTION_END = 255 // toxcore: STATE_TYPE_END

export const MAX_PROFILE_BYTES: number = 64 * 1024 * 1024 // sanity: 30 000 friends; a profile is read into memory whole
export const MAX_SECTIONS = 1024 // sanity: libtoxcore writes 11; a file full of empty sections would become millions of objects
export const MAX_TOX_NAME_BYTES = 128 // toxcore: TOX_MAX_NAME_LENGTH
export const MAX_TOX_STATUS_BYTES = 1007 // toxcore: TOX_MAX_STATUS_MESSAGE_LENGTH; a limit for reading, we write at most MAX_STATUS_BYTES

const MAGIC = 0x15ed1b1f // toxcore: STATE_COOKIE_GLOBAL, after 4 zero bytes
const SECTION_COOKIE = 0x01ce // toxcore: STATE_COOKIE_TYPE
const HEAD_BYTES = 8
const SECTION_HEAD_BYTES = 8
const KEYS_BYTES = 68 // nospam[4] || public key[32] || secret key[32]

/** The sections we understand. A file must not hold one of them twice. */
const UNIQUE_SECTIONS: ReadonlySet<number> = new Set([
  SECTION_KEYS,
  SECTION_FRIENDS,
  SECTION_NAME,
  SECTION_STATUS_MESSAGE,
  SECTION_USER_STATUS,
])

export interface ToxSection {
  readonly type: number
  readonly data: Uint8Array
}

/** A decoded profile. Sections stay bytes and are parsed on demand, so that an edit changes one section only. */
export interface ToxSave {
  readonly sections: readonly ToxSection[]
  /** The end mark and everything after it, mostly zeros. Empty when there is no end mark, which libtoxcore accepts. */
  readonly tail: Uint8Array
}

export interface ToxKeys {
  /** 4 bytes, in the order of the Tox ID */
  readonly nospam: Uint8Array
  /** 32 bytes, X25519 */
  readonly publicKey: Uint8Array
  /** 32 bytes */
  readonly secretKey: Uint8Array
}

/** A text of a profile: its raw bytes and a version to show. */
export interface ToxText {
  readonly bytes: Uint8Array
  /** Bytes that are not UTF-8 appear as U+FFFD. */
  readonly text: string
  readonly isUtf8: boolean
}

/**
 * Decodes a plain save file. Whatever decodes encodes back to the same bytes.
 * @param bytes the whole file; not copied, so do not change it while the save is in use
 * @throws {ToxError} TOX_NOT_A_PROFILE | TOX_EMPTY | TOX_BIG_ENDIAN | TOX_ENCRYPTED | TOX_TRUNCATED | TOX_TOO_LARGE | TOX_SECTION_COOKIE |
 *   TOX_DUPLICATE_SECTION
 */
export function decodeSave(bytes: Uint8Array): ToxSave {
  checkHead(bytes)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const sections: ToxSection[] = []
  let at = HEAD_BYTES
  while (at < bytes.length) {
    if (bytes.length - at < SECTION_HEAD_BYTES)
      throw truncated(`only ${bytes.length - at} bytes are left for the next section`)
    const length = view.getUint32(at, true)
    const type = view.getUint16(at + 4, true)
    if (view.getUint16(at + 6, true) !== SECTION_COOKIE) {
      throw new ToxError('TOX_SECTION_COOKIE', `the profile is damaged at byte ${at}: use a backup of it`)
    }
    const start = at + SECTION_HEAD_BYTES
    // Compare the claimed length, never allocate it: it may claim 4 GiB.
    if (length > bytes.length - start)
      throw truncated(`section ${type} should have ${length} bytes but has ${bytes.length - start}`)
    if (type === SECTION_END) break
    if (sections.length === MAX_SECTIONS)
      throw new ToxError(
        'TOX_TOO_LARGE',
        `the profile has more than ${MAX_SECTIONS} sections, and no client writes so many: is this the right file?`,
      )
    sections.push({ type, data: bytes.subarray(start, start + length) })
    at = start + length
  }
  checkUnique(sections)
  return { sections, tail: bytes.subarray(at) }
}

/** Encodes a save file, the inverse of {@link decodeSave}. */
export function encodeSave(save: ToxSave): Uint8Array {
  let length = HEAD_BYTES + save.tail.length
  for (const { data } of save.sections) length += SECTION_HEAD_BYTES + data.length
  const bytes = new Uint8Array(length)
  const view = new DataView(bytes.buffer)
  view.setUint32(4, MAGIC, true)
  let at = HEAD_BYTES
  for (const { type, data } of save.sections) {
    writeSectionHead(view, at, type, data.length)
    bytes.set(data, at + SECTION_HEAD_BYTES)
    at += SECTION_HEAD_BYTES + data.length
  }
  bytes.set(save.tail, at)
  return bytes
}

/** Just the end mark: the tail of a new save. */
export function endMark(): Uint8Array {
  const bytes = new Uint8Array(SECTION_HEAD_BYTES)
  writeSectionHead(new DataView(bytes.buffer), 0, SECTION_END, 0)
  return bytes
}

/** The data of the first section of a type, not copied; null if there is none. */
export function sectionData(save: ToxSave, type: number): Uint8Array | null {
  return save.sections.find((section) => section.type === type)?.data ?? null
}

/**
 * Replaces one section's data. A missing section is inserted where libtoxcore writes it, in ascending order of types:
 * the keys must come before the friends, because a loader compares the friends with the profile's own key.
 */
export function withSection(save: ToxSave, type: number, data: Uint8Array): ToxSave {
  const sections = [...save.sections]
  const present = sections.findIndex((section) => section.type === type)
  if (present >= 0) sections[present] = { type, data }
  else sections.splice(sections.findLastIndex((section) => section.type < type) + 1, 0, { type, data })
  return { sections, tail: save.tail }
}

/**
 * The profile's public key, unchecked. That is enough to recognise a profile; to sign or write use {@link readKeys}.
 * @returns 32 bytes
 * @throws {ToxError} TOX_NO_KEYS | TOX_BAD_KEYS
 */
export function readPublicKey(save: ToxSave): Uint8Array {
  return keysSection(save).subarray(4, 36)
}

/**
 * The keys, with the public key recomputed. If the pair does not match, libtoxcore starts with an empty friend list
 * and the client then overwrites the profile with it.
 * @throws {ToxError} TOX_NO_KEYS | TOX_BAD_KEYS
 */
export function readKeys(save: ToxSave, engine: CryptoEngine): ToxKeys {
  const data = keysSection(save)
  const keys = { nospam: data.subarray(0, 4), publicKey: data.subarray(4, 36), secretKey: data.subarray(36) }
  if (!engine.equal(engine.boxPublicKey(keys.secretKey), keys.publicKey)) {
    throw new ToxError(
      'TOX_BAD_KEYS',
      'the public key does not match the secret key, so a client would lose all friends: use a backup',
    )
  }
  return keys
}

/** The profile's own name; empty when absent or over MAX_TOX_NAME_BYTES, as libtoxcore reads it. */
export function readName(save: ToxSave): ToxText {
  return boundedText(sectionData(save, SECTION_NAME), MAX_TOX_NAME_BYTES)
}

/** The profile's own status message; empty when absent or over MAX_TOX_STATUS_BYTES, as libtoxcore reads it. */
export function readStatusMessage(save: ToxSave): ToxText {
  return boundedText(sectionData(save, SECTION_STATUS_MESSAGE), MAX_TOX_STATUS_BYTES)
}

const lenientDecoder = new TextDecoder('utf-8', { ignoreBOM: true })

/** Decodes a text leniently. @param bytes not copied */
export function toxText(bytes: Uint8Array): ToxText {
  const strict = decodeUtf8(bytes)
  return { bytes, text: strict ?? lenientDecoder.decode(bytes), isUtf8: strict !== null }
}

function boundedText(bytes: Uint8Array | null, maxBytes: number): ToxText {
  return toxText(bytes === null || bytes.length > maxBytes ? new Uint8Array(0) : bytes)
}

function keysSection(save: ToxSave): Uint8Array {
  const data = sectionData(save, SECTION_KEYS)
  if (data === null) throw new ToxError('TOX_NO_KEYS', 'the profile holds no keys: use a backup of it')
  if (data.length !== KEYS_BYTES) {
    throw new ToxError(
      'TOX_BAD_KEYS',
      `the keys have ${data.length} bytes instead of ${KEYS_BYTES}: use a backup of the profile`,
    )
  }
  return data
}

function checkHead(bytes: Uint8Array): void {
  if (bytes.length > MAX_PROFILE_BYTES) {
    throw new ToxError('TOX_TOO_LARGE', `${bytes.length} bytes are too many for a Tox profile: is this the right file?`)
  }
  if (isEncryptedSave(bytes)) throw new ToxError('TOX_ENCRYPTED', 'the profile is encrypted: give its passphrase')
  if (isEmptied(bytes)) {
    const what = bytes.length === 0 ? 'the file is empty' : `the file holds nothing but ${bytes.length} zeros`
    throw new ToxError('TOX_EMPTY', `${what}: a Tox client or a crash has emptied it; put a good copy back`)
  }
  const head = new DataView(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, HEAD_BYTES))
  if (head.byteLength === HEAD_BYTES && head.getUint32(0) === 0 && head.getUint32(4) === MAGIC) {
    const message = 'the profile comes from a big-endian computer, and clients on other computers cannot load it either'
    throw new ToxError('TOX_BIG_ENDIAN', `${message}: open it where it was made`)
  }
  if (head.byteLength < HEAD_BYTES || head.getUint32(0) !== 0 || head.getUint32(4, true) !== MAGIC) {
    throw new ToxError('TOX_NOT_A_PROFILE', 'this is not a Tox profile: give the .tox file of a client')
  }
}

/** A file that was cut to nothing, or whose blocks never reached the disk before a crash. */
function isEmptied(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0)
}

const ESAVE_MAGIC = 'toxEsave'

/** Whether these bytes start like an encrypted profile. */
export function isEncryptedSave(bytes: Uint8Array): boolean {
  return decodeUtf8(bytes.subarray(0, ESAVE_MAGIC.length)) === ESAVE_MAGIC
}

/**
 * Refuses duplicate sections. libtoxcore reads them all: it joins the friends of two FRIENDS sections, and the last
 * name or status message wins. No client writes such a file, and a reader that stops at the first section would see
 * another profile.
 */
function checkUnique(sections: readonly ToxSection[]): void {
  const seen = new Set<number>()
  for (const { type } of sections) {
    if (seen.has(type) && UNIQUE_SECTIONS.has(type)) {
      throw new ToxError(
        'TOX_DUPLICATE_SECTION',
        `section ${type} appears twice: open and close the profile in a Tox client to repair it`,
      )
    }
    seen.add(type)
  }
}

function truncated(what: string): ToxError {
  return new ToxError('TOX_TRUNCATED', `the profile is cut short: ${what}; use a backup of it`)
}

function writeSectionHead(view: DataView, at: number, type: number, length: number): void {
  view.setUint32(at, length, true)
  view.setUint16(at + 4, type, true)
  view.setUint16(at + 6, SECTION_COOKIE, true)
}
