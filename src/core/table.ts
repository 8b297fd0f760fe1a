/** The table as the owner edits it: devices in order, naming, what fits, and the step from a table to a signed blob (docs/format.md, section 6). */
import { blobBytesWithoutDocument, checkDeviceKey, encodeBlob, PREV_BYTES, type SignedBlob } from './blob.ts'
import { equalBytes, formatHex, parseHex } from './encoding/bytes.ts'
import type { ChainPosition } from './chain.ts'
import { COMPANIONS, companionMarks, markedCompanions } from './companions.ts'
import { DOCUMENT_DICTIONARY } from './dictionary.ts'
import { formatDocument, type Document } from './document.ts'
import { BlobError, TableError } from './errors.ts'
import { MAX_DEVICES, MAX_EPOCH, MAX_NICKNAME_CODE_POINTS, MAX_STATUS_BYTES } from './limits.ts'
import { checkNickname, foldNickname } from './nickname.ts'
import { tokenBytes } from './token.ts'
import type { VerifiedBlob } from './verify.ts'
import { isImageOf, signingKeyImage } from './curve/x25519.ts'

/** A nickname and a device key, 64 upper-case hex digits. */
export interface Device {
  readonly name: string
  readonly key: string
  /** It does not chat, and is never the active one (docs/format.md, section 6). */
  readonly companion?: true
}

/** The active device: the first that chats. */
export function activeDevice<D extends Pick<Device, 'companion'>>(devices: readonly D[]): D | undefined {
  return devices.find((device) => !device.companion)
}

/** Raw DEFLATE with a preset dictionary; handed in because core compresses nothing. */
export type Compress = (document: Uint8Array, dictionary: Uint8Array) => Uint8Array

const EMPTY_DOCUMENT_BYTES = 2 // format: raw DEFLATE of nothing is 03 00
const FALLBACK_NAME_DIGITS = 8 // format: `device-` and so many digits of the key

/** The nickname of a device that nobody named. */
export function fallbackName(key: string): string {
  return `device-${key.slice(0, FALLBACK_NAME_DIGITS).toLowerCase()}`
}

/** `name`, or `name-2`, `name-3`, ... when others have it already; cut so that the suffix still makes a nickname. */
export function freeName(name: string, taken: Iterable<string>): string {
  const folded = new Set([...taken].map(foldNickname))
  for (let n = 1; ; n++) {
    const suffix = n === 1 ? '' : `-${n}`
    const candidate = cutName(name, suffix)
    if (!folded.has(foldNickname(candidate))) return candidate
  }
}

function cutName(name: string, suffix: string): string {
  if (suffix === '') return name
  const characters = [...name]
  for (let keep = Math.min(characters.length, MAX_NICKNAME_CODE_POINTS - suffix.length); keep > 0; keep--) {
    const candidate = (characters.slice(0, keep).join('') + suffix).normalize('NFC')
    if (isNickname(candidate)) return candidate
  }
  return `device${suffix}`
}

function isNickname(text: string): boolean {
  try {
    checkNickname(text)
    return true
  } catch (error) {
    if (error instanceof BlobError) return false
    throw error
  }
}

/**
 * The devices of a blob with the nicknames a reader shows: those of the document; without one the last known for the key; else the fallback.
 * Which of them are companions is likewise as last known where the document cannot be read.
 * @param known nickname last known for a key
 * @param wasCompanion whether the device was last known as one that does not chat
 */
export function nameDevices(
  blob: VerifiedBlob,
  known: (key: string) => string | undefined,
  wasCompanion: (key: string) => boolean = () => false,
): Device[] {
  const names = blob.content.ok ? blob.content.names : null
  const keys = deviceKeysOf(blob)
  const marked = blob.content.ok ? markedCompanions(blob.content.document, keys) : null
  const devices: Device[] = []
  for (const [i, key] of keys.entries()) {
    const name =
      names?.[i] ??
      freeName(
        known(key) ?? fallbackName(key),
        devices.map((device) => device.name),
      )
    const isCompanion = marked === null ? wasCompanion(key) : marked.has(key)
    devices.push(isCompanion ? { name, key, companion: true } : { name, key })
  }
  return devices
}

/** What a table is signed from. */
export interface TableDraft {
  readonly chain: ChainPosition
  readonly seq: number
  readonly timeSec: number
  /** First 16 bytes of the previous T; zeros for the first. */
  readonly prev: Uint8Array
  readonly devices: readonly Device[]
  readonly named: boolean
  /** The document before, whose unknown keys are kept. */
  readonly document: Document
}

/** A signed table and what was given up to make it fit. */
export interface EncodedTable {
  readonly blob: Uint8Array
  readonly named: boolean
  readonly gaveUpNames: boolean
  /** Unknown keys of the document before went too: a newer version put them there. */
  readonly gaveUpKeys: boolean
}

/**
 * Signs a table.
 * @param mayGiveUp true for what must not fail for size, removing a device or rotating: names go first, then unknown keys, then the marks
 *   of companions
 * @throws {TableError} TABLE_TOO_LARGE with the bytes over; also when nothing is left to give up, as a rotation that skips epochs can meet
 */
export function encodeTable(
  draft: TableDraft,
  mayGiveUp: boolean,
  compress: Compress,
  sign: (message: Uint8Array) => Uint8Array,
): EncodedTable {
  const { chain, seq, timeSec, prev, devices } = draft
  const fixedBytes = blobBytesWithoutDocument(chain.epoch, devices.length)
  const isNamed = draft.named && devices.length > 0
  const kept = draft.document.filter(([key]) => key !== 'names' && key !== COMPANIONS) // unknown keys are kept (docs/format.md, section 6)
  const names: Document = isNamed ? [['names', devices.map((device) => device.name)]] : []
  const companions = companionMarks(devices)
  const marks: Document = companions.length > 0 ? [[COMPANIONS, companions]] : []
  const whole: Document = [...names, ...marks, ...kept]
  let over = 0
  for (const document of mayGiveUp ? [whole, [...marks, ...kept], marks, []] : [whole]) {
    const deflated = compress(formatDocument(document), DOCUMENT_DICTIONARY)
    over = statusBytesOver(fixedBytes + deflated.length)
    if (over > 0) continue
    const deviceKeys = devices.map((device) => checkedKey(device.key))
    const blob = encodeBlob({ chain, seq, timeSec, prev: prev.subarray(0, PREV_BYTES), deviceKeys, deflated }, sign)
    const gaveUpNames = isNamed && document !== whole
    const gaveUpKeys = kept.length > 0 && !document.includes(kept[0]!)
    return { blob, named: draft.named && !gaveUpNames, gaveUpNames, gaveUpKeys }
  }
  throw tooLarge(devices.length, over)
}

function statusBytesOver(blobBytes: number): number {
  return Math.max(0, tokenBytes(blobBytes) - MAX_STATUS_BYTES)
}

function tooLarge(devices: number, over: number): TableError {
  return new TableError(
    'TABLE_TOO_LARGE',
    `a table of ${devices} devices is ${over} bytes over the ${MAX_STATUS_BYTES} of a status message; ` +
      'remove a device, or shorten nicknames',
    over,
  )
}

/**
 * Refuses a table that, nameless, would not fit at the next epoch: a rotation must never fail for size (docs/format.md, section 6).
 * @throws {TableError} TABLE_TOO_LARGE
 */
export function checkRoomToRotate(epoch: number, devices: number): void {
  const next = Math.min(MAX_EPOCH, epoch + 1)
  const over = statusBytesOver(blobBytesWithoutDocument(next, devices) + EMPTY_DOCUMENT_BYTES)
  if (over > 0 || devices > MAX_DEVICES) throw tooLarge(devices, over)
}

/** Bytes of the status message that a blob leaves for words (with the space before the token) and further devices. */
export function statusBytesFree(blobBytes: number): number {
  return MAX_STATUS_BYTES - tokenBytes(blobBytes)
}

function checkedKey(key: string): Uint8Array {
  const bytes = parseHex(key)
  if (bytes === null) throw new BlobError('DEVICE_KEY_NOT_CANONICAL', `${key} is no device key: 64 hex digits are`)
  checkDeviceKey(bytes)
  return bytes
}

/** Refuses what no reader would accept as a device key of this persona. @throws {BlobError} DEVICE_KEY_* */
export function checkOwnDeviceKey(key: string, chain: ChainPosition): void {
  const bytes = checkedKey(key)
  for (const signing of [chain.personaId, chain.signingKey]) {
    if (equalBytes(bytes, signing) || isImageOf(bytes, signingKeyImage(signing))) {
      throw new BlobError('DEVICE_KEY_IS_SIGNING_KEY', `${key} is a signing key of the persona, not a device key`)
    }
  }
}

function place(devices: readonly Device[], key: string): number {
  const at = devices.findIndex((device) => device.key === key)
  if (at < 0) throw new TableError('DEVICE_UNKNOWN', `the table lists no device ${key}`)
  return at
}

function checkFree(devices: readonly Device[], name: string): void {
  checkNickname(name)
  const folded = foldNickname(name)
  const other = devices.find((device) => foldNickname(device.name) === folded)
  if (other !== undefined) {
    throw new BlobError('NICKNAME_TWICE', `the nickname "${other.name}" is taken; a table has each nickname once`)
  }
}

/** A new device comes last. @throws {TableError} DEVICE_LISTED @throws {BlobError} NICKNAME_* */
export function addDevice(devices: readonly Device[], device: Device): Device[] {
  if (devices.some((listed) => listed.key === device.key)) {
    throw new TableError('DEVICE_LISTED', `the table already lists the device ${device.key}`)
  }
  checkFree(devices, device.name)
  return [...devices, device]
}

/** @throws {TableError} DEVICE_UNKNOWN */
export function removeDevice(devices: readonly Device[], key: string): Device[] {
  return devices.toSpliced(place(devices, key), 1)
}

/** @throws {TableError} DEVICE_UNKNOWN @throws {BlobError} NICKNAME_* */
export function renameDevice(devices: readonly Device[], key: string, name: string): Device[] {
  const at = place(devices, key)
  checkFree(devices.toSpliced(at, 1), name)
  return devices.with(at, { ...devices[at]!, name })
}

/** The device comes first; the others keep their order. @throws {TableError} DEVICE_UNKNOWN | DEVICE_COMPANION */
export function activateDevice(devices: readonly Device[], key: string): Device[] {
  const at = place(devices, key)
  if (devices[at]!.companion) {
    throw new TableError(
      'DEVICE_COMPANION',
      `${devices[at]!.name} is a companion, which does not chat: nobody would read what it gets`,
    )
  }
  return [devices[at]!, ...devices.toSpliced(at, 1)]
}

/** The device keeps name and place, with another key. @throws {TableError} DEVICE_UNKNOWN | DEVICE_LISTED */
export function rekeyDevice(devices: readonly Device[], key: string, newKey: string): Device[] {
  const at = place(devices, key)
  if (devices.some((device) => device.key === newKey)) {
    throw new TableError('DEVICE_LISTED', `the table already lists the device ${newKey}`)
  }
  return devices.with(at, { ...devices[at]!, key: newKey })
}

/** Device keys of a blob as hex, in order. */
export function deviceKeysOf(blob: SignedBlob): string[] {
  return blob.deviceKeys.map(formatHex)
}
