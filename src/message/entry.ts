/** Entries: what lies in an inbox, and leads to an object or acknowledges one (docs/messages.md, section 4). */
import { concatBytes } from '../core/encoding/bytes.ts'
import { MAX_DEVICES } from '../core/limits.ts'
import type { BoxKeyPair } from '../seal/key-pair.ts'
import { MessageError, unknownKind, unknownVersion } from './errors.ts'
import { checkKeysDiffer, ID_BYTES, type MessageKind } from './header.ts'
import { openOwnSeal, routeBytes, sealToEach, SEAL_BYTES, type Route } from './seals.ts'

/** Leads to the object of a message. */
export interface MessageEntry {
  readonly kind: MessageKind
  /** 32 bytes. */
  readonly id: Uint8Array
  /** The place of the store in the sender's card, from 0 on. */
  readonly store: number
  /** SHA-256 of the object. */
  readonly hash: Uint8Array
}

/** Says that one device has a message. {@link verifyReceipt} finds which device. */
export interface Receipt {
  readonly kind: 'receipt'
  readonly id: Uint8Array
  /** 64 bytes. */
  readonly signature: Uint8Array
}

export type Entry = MessageEntry | Receipt

const VERSION = 1
const KIND_CODE: Readonly<Record<Entry['kind'], number>> = { message: 1, receipt: 2, invite: 3 }
const HASH_BYTES = 32 // format: SHA-256
const SIGNATURE_BYTES = 64 // format: Ed25519
const MESSAGE_BYTES: number = 2 + ID_BYTES + 1 + HASH_BYTES
const RECEIPT_BYTES: number = 2 + ID_BYTES + SIGNATURE_BYTES
/** Bytes of an entry for each key. The length alone tells both apart, up to MAX_DEVICES keys. */
export const MESSAGE_SEAL_BYTES: number = MESSAGE_BYTES + SEAL_BYTES
export const RECEIPT_SEAL_BYTES: number = RECEIPT_BYTES + SEAL_BYTES

/**
 * Seals an entry to the devices of one persona.
 * @param route its reader is the persona whose inbox gets the entry
 * @param keys 1..MAX_DEVICES keys `enc` of its card
 * @throws {MessageError} DUPLICATE_KEYS | MALFORMED @throws {SealError} BOX_KEY_POINT | SEAL_UNSUPPORTED
 */
export async function sealEntry(entry: Entry, route: Route, keys: readonly Uint8Array[]): Promise<Uint8Array> {
  checkKeysDiffer(keys)
  if (keys.length === 0 || keys.length > MAX_DEVICES)
    throw new MessageError('MALFORMED', `an entry is sealed to 1 to ${MAX_DEVICES} keys, and not to ${keys.length}`)
  return concatBytes(...(await sealToEach(keys, 'message-entry', routeBytes(route), formatEntry(entry))))
}

/**
 * Opens an entry.
 * @param pairs the key pairs `enc` of this device, the newest first
 * @throws {MessageError} MALFORMED | NOT_SEALED_TO_ME | UNKNOWN_VERSION | UNKNOWN_KIND @throws {SealError} SEAL_UNSUPPORTED
 */
export async function openEntry(sealed: Uint8Array, route: Route, pairs: readonly BoxKeyPair[]): Promise<Entry> {
  const isWhole = (sealBytes: number): boolean =>
    sealed.length > 0 && sealed.length % sealBytes === 0 && sealed.length / sealBytes <= MAX_DEVICES
  const sealBytes = [MESSAGE_SEAL_BYTES, RECEIPT_SEAL_BYTES].find(isWhole)
  if (sealBytes === undefined) throw new MessageError('MALFORMED', `no entry has ${sealed.length} bytes`)
  const { text } = await openOwnSeal(sealed, sealBytes, pairs, 'message-entry', routeBytes(route))
  return parseEntry(text)
}

function formatEntry(entry: Entry): Uint8Array {
  const head = Uint8Array.of(VERSION, KIND_CODE[entry.kind])
  return entry.kind === 'receipt'
    ? concatBytes(head, entry.id, entry.signature)
    : concatBytes(head, entry.id, Uint8Array.of(entry.store), entry.hash)
}

function parseEntry(text: Uint8Array): Entry {
  const [version, code] = text
  if (version !== VERSION) throw unknownVersion('entry')
  const kind = (['message', 'receipt', 'invite'] as const).find((each) => KIND_CODE[each] === code)
  if (kind === undefined) throw unknownKind()
  if (text.length !== (kind === 'receipt' ? RECEIPT_BYTES : MESSAGE_BYTES))
    throw new MessageError('MALFORMED', 'the entry has the length of another kind')
  const id = text.slice(2, 2 + ID_BYTES)
  const rest = text.slice(2 + ID_BYTES)
  return kind === 'receipt' ? { kind, id, signature: rest } : { kind, id, store: rest[0]!, hash: rest.slice(1) }
}
