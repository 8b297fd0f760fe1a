/** The table: its devices and their names, what fits, and the signed blob made from it (docs/format.md, section 6). */
import { blobBytesWithoutDocument, checkDeviceKey, encodeBlob, PREV_BYTES, type SignedBlob } from './blob.ts'
import { equalBytes, formatHex, parseHex } from './encoding/bytes.ts'
import type { ChainPosition } from './chain.ts'
import { COMPANIONS, companionMarks, markedCompanions } from './companions.ts'
import { DOCUMENT_DICTIONARY } from './encoding/dictionary.ts'
import {
  formatDocument,
  NAMES,
  PREDECESSOR,
  type Document,
  NO_SETTINGS,
  SETTING_KEYS,
  settingLines,
  type SettingKey,
  type Settings,
} from './document.ts'
import { BlobError, TableError } from './errors.ts'
import { MAX_DEVICES, MAX_DOCUMENT_BYTES, MAX_EPOCH, MAX_NICKNAME_CODE_POINTS, MAX_STATUS_BYTES } from './limits.ts'
import { checkNickname, foldNickname } from './nickname.ts'
import { tokenBytes } from './token.ts'
import type { VerifiedBlob } from './verify.ts'
import { isImageOf, signingKeyImage } from './curve/x25519.ts'

/** A nickname and a device key, 64 upper-case hex digits. */
export interface Device {
  readonly name: string
  readonly key: string
  /** Set on a device that does not chat. It is never the active device (docs/format.md, section 6). */
  readonly companion?: true
}

/** The active device: the first that chats. */
export function activeDevice<D extends Pick<Device, 'companion'>>(devices: readonly D[]): D | undefined {
  return devices.find((device) => !device.companion)
}

/** Raw DEFLATE with a preset dictionary. The caller passes it in, because core does not compress. */
export type Compress = (document: Uint8Array, dictionary: Uint8Array) => Uint8Array

const OWN_KEYS: ReadonlySet<string> = new Set([NAMES, COMPANIONS, ...SETTING_KEYS, PREDECESSOR])
const EMPTY_DOCUMENT_BYTES = 2 // format: raw DEFLATE of no bytes is 03 00
const FALLBACK_NAME_DIGITS = 8 // format: digits of the key after `device-`

/** The nickname of a device without a name. */
export function fallbackName(key: string): string {
  return `device-${key.slice(0, FALLBACK_NAME_DIGITS).toLowerCase()}`
}

/** `name`, or `name-2`, `name-3`, ... if it is taken. Cuts the name so that it is still a valid nickname with the suffix. */
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
 * The devices of a blob with the nicknames that a reader shows: from the document, else the one last known for the key, else the fallback.
 * When the document cannot be read, the last known companions stay companions.
 * @param known gives the nickname last known for a key
 * @param wasCompanion whether the device was last known as a companion
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

/** Input of {@link encodeTable}. */
export interface TableDraft {
  readonly chain: ChainPosition
  readonly seq: number
  readonly timeSec: number
  /** First 16 bytes of the previous T; zeros for the first table. */
  readonly prev: Uint8Array
  readonly devices: readonly Device[]
  readonly named: boolean
  /** None when absent. */
  readonly settings?: Settings
  /** The previous document. Its foreign keys are kept while they fit. */
  readonly document: Document
  /** The successor statement to carry, as values of the document, the longest first: the first that fits is signed. Absent without one. */
  readonly predecessor?: readonly string[]
}

/** A signed table, and what it lost to fit. */
export interface EncodedTable {
  readonly blob: Uint8Array
  readonly named: boolean
  readonly gaveUpNames: boolean
  /** Settings that did not fit. */
  readonly gaveUpSettings: readonly SettingKey[]
  /** Foreign keys of the previous document did not fit. */
  readonly gaveUpKeys: boolean
  /** Not even the shortest form of the successor statement did fit. */
  readonly gaveUpPredecessor: boolean
}

/**
 * The keys of a document that this version does not write: a newer version made them, or a thief. A key that differs from one of ours only
 * by case is ours: no reader accepts both (docs/format.md, section 11).
 */
export function foreignKeys(document: Document): Document {
  return document.filter(([key]) => !OWN_KEYS.has(key.toLowerCase()))
}

/**
 * Signs a table (docs/format.md, section 6). Foreign keys that do not fit are given up first, in every edit, then the successor statement:
 * they never cost the owner a device, a name or an edit.
 * @param mayGiveUp true for edits that must not fail for size: removing a device, and rotating. Names go next, then the settings `at` and
 *   `announce`, then the marks of companions, then the setting `read`
 * @param sign makes a detached Ed25519 signature by K_e, 64 bytes
 * @throws {TableError} TABLE_TOO_LARGE with the bytes over; with `mayGiveUp` only when nothing is left to give up, which a rotation that
 *   skips epochs can cause
 * @throws {BlobError} DEVICE_KEY_NOT_CANONICAL | DEVICE_KEY_LOW_ORDER, and the codes of formatDocument
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
  let over = 0
  for (const parts of partsThatMayFit(draft, isNamed, mayGiveUp)) {
    const text = formatDocument(parts.flatMap(({ lines }) => lines))
    const deflated = compress(text, DOCUMENT_DICTIONARY)
    over = bytesOver(fixedBytes + deflated.length, text.length)
    if (over > 0) continue
    const deviceKeys = devices.map((device) => checkedKey(device.key))
    const blob = encodeBlob({ chain, seq, timeSec, prev: prev.subarray(0, PREV_BYTES), deviceKeys, deflated }, sign)
    const has = (part: DocumentPart): boolean => parts.some(({ name }) => name === part)
    const gaveUpNames = isNamed && !has('names')
    const gaveUpSettings = SETTING_KEYS.filter((key) => draft.settings?.[key] !== undefined && !has(key))
    const gaveUpKeys = foreignKeys(draft.document).length > 0 && !has('foreign')
    const gaveUpPredecessor = (draft.predecessor ?? []).length > 0 && !has('predecessor')
    return { blob, named: draft.named && !gaveUpNames, gaveUpNames, gaveUpSettings, gaveUpKeys, gaveUpPredecessor }
  }
  throw tooLarge(devices.length, over)
}

type DocumentPart = 'names' | 'companions' | SettingKey | 'predecessor' | 'foreign'
interface NamedLines {
  readonly name: DocumentPart
  readonly lines: Document
}

/** The parts that a table gives up to fit, in this order (docs/format.md, section 6). Only the first two are given up by every edit. */
const GIVEN_UP: readonly DocumentPart[] = ['foreign', 'predecessor', 'names', 'at', 'announce', 'companions', 'read']

/** The document of a table in parts: the whole one, then one part less each time. The successor statement is cut before it goes. */
function partsThatMayFit(
  { devices, settings = NO_SETTINGS, document, predecessor = [] }: TableDraft,
  isNamed: boolean,
  mayGiveUp: boolean,
): NamedLines[][] {
  const marks = companionMarks(devices)
  const settingPart = (key: SettingKey): NamedLines => ({ name: key, lines: settingLines(settings, [key]) })
  const statementPart = (text: string): NamedLines => ({ name: 'predecessor', lines: [[PREDECESSOR, text]] })
  const parts: NamedLines[] = [
    { name: 'names', lines: isNamed ? [[NAMES, devices.map((device) => device.name)]] : [] },
    { name: 'companions', lines: marks.length > 0 ? [[COMPANIONS, marks]] : [] },
    ...SETTING_KEYS.map(settingPart),
    ...predecessor.slice(0, 1).map(statementPart),
    { name: 'foreign', lines: foreignKeys(document) },
  ]
  const given = mayGiveUp ? GIVEN_UP : GIVEN_UP.slice(0, 2)
  const [clean = [], ...fewer] = given.map((_, i) => parts.filter(({ name }) => !given.slice(0, i + 1).includes(name)))
  const cut = predecessor
    .slice(1)
    .map((text) => clean.map((part) => (part.name === 'predecessor' ? statementPart(text) : part)))
  return [parts, clean, ...cut, ...fewer]
}

/** Bytes that a table is over the two limits of its readers: the status message, and the inflated document. */
function bytesOver(blobBytes: number, documentBytes: number): number {
  return Math.max(statusBytesOver(blobBytes), documentBytes - MAX_DOCUMENT_BYTES)
}

function statusBytesOver(blobBytes: number): number {
  return Math.max(0, tokenBytes(blobBytes) - MAX_STATUS_BYTES)
}

function tooLarge(devices: number, over: number): TableError {
  return new TableError(
    'TABLE_TOO_LARGE',
    `a table of ${devices} devices is ${over} bytes too long for a status message of ${MAX_STATUS_BYTES} bytes`,
    over,
  )
}

/**
 * Refuses a table that would not fit at the next epoch even without names. A rotation must never fail for size (docs/format.md, section 6).
 * @throws {TableError} TABLE_TOO_LARGE
 */
export function checkRoomToRotate(epoch: number, devices: number): void {
  const next = Math.min(MAX_EPOCH, epoch + 1)
  const over = statusBytesOver(blobBytesWithoutDocument(next, devices) + EMPTY_DOCUMENT_BYTES)
  if (over > 0 || devices > MAX_DEVICES) throw tooLarge(devices, over)
}

/** Bytes of the status message that a blob leaves for more devices and for words, with the space before the token. */
export function statusBytesFree(blobBytes: number): number {
  return MAX_STATUS_BYTES - tokenBytes(blobBytes)
}

function checkedKey(key: string): Uint8Array {
  const bytes = parseHex(key)
  if (bytes === null)
    throw new BlobError('DEVICE_KEY_NOT_CANONICAL', `${key} is not a device key; a device key has 64 hex digits`)
  checkDeviceKey(bytes)
  return bytes
}

/** Refuses a device key that no reader would accept from this persona. @throws {BlobError} DEVICE_KEY_* */
export function checkOwnDeviceKey(key: string, chain: ChainPosition): void {
  const bytes = checkedKey(key)
  for (const signing of [chain.personaId, chain.signingKey]) {
    if (equalBytes(bytes, signing) || isImageOf(bytes, signingKeyImage(signing))) {
      throw new BlobError('DEVICE_KEY_IS_SIGNING_KEY', `${key} is a signing key of the persona, not a device key`)
    }
  }
}

/** Whether the table lists a device. @param key hex digits */
export function listsDevice({ deviceKeys }: SignedBlob, key: string): boolean {
  const bytes = parseHex(key)
  return bytes !== null && deviceKeys.some((listed) => equalBytes(listed, bytes))
}

/** The device keys of a blob in order, 64 upper-case hex digits each. */
export function deviceKeysOf(blob: SignedBlob): string[] {
  return blob.deviceKeys.map(formatHex)
}
