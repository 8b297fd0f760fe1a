/** The header of a message: from whom it is, for whom, and to which keys it is sealed (docs/messages.md, section 2). */
import { Members } from '../card/members.ts'
import { isCanonicalU, isLowOrderU } from '../core/curve/x25519.ts'
import { isAppName } from '../core/encoding/app-name.ts'
import { decodeUtf8, encodeUtf8, formatBase64url, formatHex, parseBase64url } from '../core/encoding/bytes.ts'
import {
  formatCanonicalJson,
  parseCanonicalObject,
  type JsonObject,
  type JsonValue,
} from '../core/encoding/canonical-json.ts'
import { MessageError, unknownKind, unknownVersion } from './errors.ts'

/** An app reads the content of a `message`. The daemon reads that of an `invite`: a channel is made anew by it. */
export type MessageKind = 'message' | 'invite'

export interface Header {
  /** 32 random bytes: also the name of the object in the sender's store. */
  readonly id: Uint8Array
  readonly kind: MessageKind
  /** Counts the messages of one device to one persona for one app, from 1 on, so that a gap shows. */
  readonly count: number
  /** PersonaID of the sender, 32 bytes. */
  readonly from: Uint8Array
  /** The key `sig` of the sending device in the sender's card, 32 bytes. */
  readonly device: Uint8Array
  /** PersonaID, 32 bytes. The sender's own other devices read the message too. */
  readonly to: Uint8Array
  readonly app: string
  /** The keys `enc` to which the object is sealed, in the order of its seals: X25519, 32 bytes each. */
  readonly keys: readonly Uint8Array[]
  readonly issuedAtSec: number
}

export const MAX_KEYS = 255 // format: the object counts its seals in one byte
export const KEY_BYTES = 32 // format: X25519 and Ed25519
export const ID_BYTES = 32 // format: nobody guesses it, and whoever knows it may fetch the object
const VERSION = 1

/**
 * Writes a header.
 * @throws {MessageError} MALFORMED | DUPLICATE_KEYS, for a header that no reader would take
 */
export function formatHeader(header: Header): Uint8Array {
  const text = encodeUtf8(formatCanonicalJson(membersOf(header)))
  parseHeader(text)
  return text
}

function membersOf(header: Header): JsonObject {
  return {
    v: VERSION,
    id: formatBase64url(header.id),
    kind: header.kind,
    n: header.count,
    from: formatHex(header.from),
    device: formatBase64url(header.device),
    to: formatHex(header.to),
    app: header.app,
    keys: header.keys.map(formatBase64url),
    iat: header.issuedAtSec,
  }
}

/**
 * Reads a header. Whatever it reads, {@link formatHeader} would write the same.
 * @throws {MessageError} UNKNOWN_VERSION | UNKNOWN_KIND | MALFORMED | DUPLICATE_KEYS
 */
export function parseHeader(text: Uint8Array): Header {
  const payload = parseCanonicalObject(decodeUtf8(text) ?? '')
  if (payload === null)
    throw new MessageError('MALFORMED', 'the header of the message is not canonical JSON (RFC 8785)')
  const members = new Members(payload, badMember)
  if (members.integer('v', 0) !== VERSION) throw unknownVersion('header')
  const header: Header = {
    id: members.bytes('id', ID_BYTES),
    kind: readKind(members.text('kind', () => true)),
    count: members.integer('n', 1),
    from: members.personaId('from'),
    device: members.bytes('device', KEY_BYTES),
    to: members.personaId('to'),
    app: members.text('app', isAppName),
    keys: members.list('keys', MAX_KEYS, readKey),
    issuedAtSec: members.integer('iat', 0),
  }
  members.end()
  if (header.keys.length === 0) throw badMember('keys')
  checkKeysDiffer(header.keys)
  return header
}

/** @throws {MessageError} DUPLICATE_KEYS */
export function checkKeysDiffer(keys: readonly Uint8Array[]): void {
  if (new Set(keys.map(formatHex)).size < keys.length)
    throw new MessageError('DUPLICATE_KEYS', 'a key stands twice among those to which the message is sealed')
}

function badMember(member: string): MessageError {
  return new MessageError('MALFORMED', `the member ${JSON.stringify(member)} is missing, unknown or not as it must be`)
}

function readKind(kind: string): MessageKind {
  if (kind === 'message' || kind === 'invite') return kind
  throw unknownKind()
}

function readKey(value: JsonValue): Uint8Array {
  const key = typeof value === 'string' ? parseBase64url(value) : null
  if (key?.length !== KEY_BYTES || !isCanonicalU(key) || isLowOrderU(key)) throw badMember('keys')
  return key
}
