/** The two messages of a handshake: their members, and the signature of a persona's device (docs/channel.md, section 3). */
import { concatBytes, decodeUtf8, encodeUtf8, formatBase64url, parseBase64url } from '../../core/encoding/bytes.ts'
import {
  formatCanonicalJson,
  parseCanonicalObject,
  type JsonObject,
  type JsonValue,
} from '../../core/encoding/canonical-json.ts'
import { isCanonicalU, isLowOrderU } from '../../core/curve/x25519.ts'
import { BlobError } from '../../core/errors.ts'
import { LABEL_CHANNEL_SIG } from '../../core/labels.ts'
import { checkNickname } from '../../core/nickname.ts'
import { parseConnectoids, type Address } from '../invite/address.ts'
import { MAX_MESSAGE_BYTES } from '../ratchet/box-data.ts'
import type { Role } from '../ratchet/engine.ts'
import { HandshakeError } from './errors.ts'
import { InviteError } from '../invite/errors.ts'
import { isAppName } from '../../core/encoding/app-name.ts'
import { KEY_BYTES, roleByte } from '../ratchet/kdf.ts'
import { NONCE_BYTES } from '../ratchet/root.ts'

/** How an end shows its persona. */
export interface Identity {
  /** The card of the persona for this app: a compact JWS. */
  readonly card: string
  /** Signs with the key of this device that the card lists. @returns 64 bytes */
  sign(this: void, message: Uint8Array): Uint8Array
}

/** The members of both messages. */
export interface Message {
  readonly app: string
  /** Where the sender receives: a key and intakes for this peer alone. */
  readonly connectoid: readonly string[]
  /** A fresh key of X25519, the first of the ratchet. */
  readonly dh: Uint8Array
  /** `commit` of M1 or `nA` of M2. */
  readonly promise: Uint8Array
  readonly name?: string
  /** `sdpOffer` of M1 or `sdpAnswer` of M2. */
  readonly sdp?: JsonObject
}

/** A message as it came. */
export interface ReadMessage extends Message {
  readonly address: Address
  readonly signed: { readonly card: string; readonly sig: Uint8Array; readonly message: Uint8Array } | null
}

const VERSION = 1
const ALG = 'EdDSA' // as in JWS (RFC 8037)
const NAMES = {
  guest: { promise: 'commit', bytes: KEY_BYTES, sdp: 'sdpOffer' },
  host: { promise: 'nA', bytes: NONCE_BYTES, sdp: 'sdpAnswer' },
} as const

/** A signature covers this beside the members: the hashes of all that came before. */
export interface Before {
  /** I, or for a bare link SHA-256 of its connectoid value. */
  readonly inviteHash: Uint8Array
  /** SHA-256(M1), for M2. */
  readonly m1Hash: Uint8Array | null
}

const SEAL_BYTES = 113 // HPKE: a one-time key of P-384, and the tag

/** Writes the message of an end, and signs it if the end has a persona. A description of WebRTC is left out where the message is too large with it. */
export function formatMessage(role: Role, message: Message, identity: Identity | null, before: Before): Uint8Array {
  const { promise, sdp } = NAMES[role]
  const members: JsonObject = {
    v: VERSION,
    app: message.app,
    connectoid: message.connectoid,
    dh: formatBase64url(message.dh),
    [promise]: formatBase64url(message.promise),
    ...(message.name === undefined ? {} : { name: message.name }),
    ...(message.sdp === undefined ? {} : { [sdp]: message.sdp }),
    ...(identity === null ? {} : { card: identity.card, alg: ALG }),
  }
  const sig = identity?.sign(signedBytes(role, members, before))
  const whole = sig === undefined ? members : { ...members, sig: formatBase64url(sig) }
  const plain = encodeUtf8(formatCanonicalJson(whole))
  if (message.sdp === undefined || plain.length + SEAL_BYTES <= MAX_MESSAGE_BYTES) return plain
  const { sdp: _, ...others } = message
  return formatMessage(role, others, identity, before)
}

/** Checks a sealed message before it is posted. @throws {HandshakeError} MESSAGE_TOO_LARGE */
export function checkMessageLength({ length }: Uint8Array): void {
  if (length <= MAX_MESSAGE_BYTES) return
  throw new HandshakeError(
    'MESSAGE_TOO_LARGE',
    `the message has ${length} bytes, and may have ${MAX_MESSAGE_BYTES}; shorten the card, the name or the addresses`,
  )
}

function signedBytes(role: Role, members: JsonObject, { inviteHash, m1Hash }: Before): Uint8Array {
  const hashes = m1Hash === null ? [inviteHash] : [inviteHash, m1Hash]
  return concatBytes(LABEL_CHANNEL_SIG, roleByte(role), ...hashes, encodeUtf8(formatCanonicalJson(members)))
}

/** Reads the message of an end. Null for any text that {@link formatMessage} would not write, and for a key of low order. */
export function parseMessage(role: Role, plain: Uint8Array, before: Before): ReadMessage | null {
  const members = parseCanonicalObject(decodeUtf8(plain) ?? '')
  if (members === null || members['v'] !== VERSION) return null
  const names = NAMES[role]
  const { v: _, app, connectoid, dh, card, alg, sig, name, ...more } = members
  const { [names.promise]: promise, [names.sdp]: sdp, ...unknown } = more
  if (Object.keys(unknown).length > 0) return null
  const [dhBytes, promiseBytes] = [bytesOf(dh, KEY_BYTES), bytesOf(promise, names.bytes)]
  const address = addressOf(connectoid)
  if (typeof app !== 'string' || !isAppName(app) || address === null || promiseBytes === null) return null
  if (dhBytes === null || !isCanonicalU(dhBytes) || isLowOrderU(dhBytes)) return null
  const isNameOk = name === undefined || (typeof name === 'string' && isNickname(name))
  const isSdpOk = sdp === undefined || isObject(sdp)
  if (!isNameOk || !isSdpOk) return null
  const signed = readSigned(role, members, { card, alg, sig }, before)
  if (signed === 'wrong') return null
  return {
    app,
    connectoid: connectoid as readonly string[],
    address,
    dh: dhBytes,
    promise: promiseBytes,
    ...(name === undefined ? {} : { name }),
    ...(sdp === undefined ? {} : { sdp: sdp as JsonObject }),
    signed,
  }
}

type SignedMembers = Readonly<Record<'card' | 'alg' | 'sig', JsonValue | undefined>>

/** The three members are there together, or none is. */
function readSigned(
  role: Role,
  members: JsonObject,
  { card, alg, sig }: SignedMembers,
  before: Before,
): ReadMessage['signed'] | 'wrong' {
  if (card === undefined && alg === undefined && sig === undefined) return null
  const bytes = bytesOf(sig, 64)
  if (typeof card !== 'string' || alg !== ALG || bytes === null) return 'wrong'
  const { sig: _, ...others } = members
  return { card, sig: bytes, message: signedBytes(role, others, before) }
}

function bytesOf(value: JsonValue | undefined, length: number): Uint8Array | null {
  const bytes = typeof value === 'string' ? parseBase64url(value) : null
  return bytes?.length === length ? bytes : null
}

function addressOf(value: JsonValue | undefined): Address | null {
  if (!Array.isArray(value) || !value.every((each) => typeof each === 'string')) return null
  try {
    return parseConnectoids(value)
  } catch (error) {
    if (error instanceof InviteError) return null
    throw error
  }
}

function isNickname(text: string): boolean {
  try {
    return checkNickname(text) === text
  } catch (error) {
    if (error instanceof BlobError) return false
    throw error
  }
}

function isObject(value: JsonValue): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
