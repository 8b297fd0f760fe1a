/** Device tokens: one HTTP request, signed by a device that a card lists (docs/card.md, section 8). */
import { isStrictPublicKey } from '../core/curve/ed25519.ts'
import { equalBytes, formatBase64url, formatHex } from '../core/encoding/bytes.ts'
import type { JsonObject } from '../core/encoding/canonical-json.ts'
import type { Engine } from '../core/engine.ts'
import { isAppName } from '../core/encoding/app-name.ts'
import type { Card } from './card.ts'
import { badMember, CardError } from './errors.ts'
import { openJws, signJws, type JwsKind } from './jws.ts'
import { Members } from './members.ts'
import { isExpired } from './verify.ts'

/** One HTTP request, as a token binds it. */
export interface TokenRequest {
  /** The origin of the relay, one that it is configured with: never the header Host. */
  readonly origin: string
  /** In upper case. */
  readonly method: string
  /** Path and query, as sent. */
  readonly path: string
  /** SHA-256 of the body, 32 bytes; of nothing, for a request without one. */
  readonly bodyHash: Uint8Array
}

export interface DeviceToken extends TokenRequest {
  /** The persona of the device, 32 bytes. */
  readonly personaId: Uint8Array
  readonly app: string
  /** The `sig` of the device in the card, 32 bytes. */
  readonly deviceKey: Uint8Array
  /** The persona whose inbox the request is for, 32 bytes; null for requests about the own persona. */
  readonly to: Uint8Array | null
  readonly issuedAtSec: number
  readonly expiresAtSec: number
}

export const TOKEN_LIFE_SEC = 120 // format: for clocks that differ and slow lines; every request may be repeated without harm
const MAX_TOKEN_CHARS = 2048 // format: three keys and a path of 1 KiB
const [KEY_BYTES, HASH_BYTES] = [32, 32]

/** Format: readers compare these bytes. */
export const DEVICE_TOKEN: JwsKind = {
  header: '{"alg":"EdDSA","typ":"persona-token+jwt"}',
  maxChars: MAX_TOKEN_CHARS,
  codes: 'TOKEN',
  noun: 'token',
}

/**
 * Signs a request.
 * @param sign makes a detached signature by the device's key, 64 bytes
 * @throws {CardError} TOKEN_TOO_LARGE | TOKEN_MEMBER | TOKEN_LIFE
 */
export function signToken(token: DeviceToken, sign: (message: Uint8Array) => Uint8Array): string {
  const text = signJws(DEVICE_TOKEN, claimsOf(token), sign)
  readClaims(openJws(DEVICE_TOKEN, text).payload)
  return text
}

function claimsOf(token: DeviceToken): JsonObject {
  return {
    iss: formatHex(token.personaId),
    app: token.app,
    kid: formatBase64url(token.deviceKey),
    aud: token.origin,
    ...(token.to === null ? {} : { to: formatHex(token.to) }),
    iat: token.issuedAtSec,
    exp: token.expiresAtSec,
    htm: token.method,
    htu: token.path,
    bh: formatBase64url(token.bodyHash),
  }
}

/**
 * Reads a token and verifies it by the key that it names. Whether a card lists that key is another question: see {@link judgeToken}.
 * @throws {CardError} any code of a token
 */
export function verifyToken(text: string, engine: Engine): DeviceToken {
  const { payload, signed, signature } = openJws(DEVICE_TOKEN, text)
  const token = readClaims(payload)
  if (!isStrictPublicKey(token.deviceKey) || !engine.verify(signature, signed, token.deviceKey))
    throw new CardError('TOKEN_SIGNATURE', 'the token has a bad signature')
  return token
}

function readClaims(payload: JsonObject): DeviceToken {
  const claims = new Members(payload, badMember('TOKEN'))
  const issuedAtSec = claims.integer('iat', 0)
  const expiresAtSec = claims.integer('exp', 0)
  if (expiresAtSec <= issuedAtSec || expiresAtSec - issuedAtSec > TOKEN_LIFE_SEC)
    throw new CardError('TOKEN_LIFE', `a token lives for 1 to ${TOKEN_LIFE_SEC} seconds`)
  const token: DeviceToken = {
    personaId: claims.personaId('iss'),
    app: claims.text('app', isAppName),
    deviceKey: claims.bytes('kid', KEY_BYTES),
    origin: claims.text('aud', (text) => /^https?:\/\/[^/\s]+$/.test(text)),
    to: claims.has('to') ? claims.personaId('to') : null,
    issuedAtSec,
    expiresAtSec,
    method: claims.text('htm', (text) => /^[A-Z]+$/.test(text)),
    path: claims.text('htu', (text) => text.startsWith('/')),
    bodyHash: claims.bytes('bh', HASH_BYTES),
  }
  claims.end()
  return token
}

/**
 * - `good`
 * - `Clock`: it is not its time. The answer gives the relay's time, and the caller counts by that.
 * - `Request`: it is for another relay, path, method or body.
 * - `Card`: the card is over, of another persona or app, or does not list the device. The caller puts its newest card here, and asks again.
 */
export type TokenVerdict = 'good' | 'Clock' | 'Request' | 'Card'

/**
 * Judges a verified token.
 * @param card the newest card of the persona for the app that the relay has; null if it has none
 */
export function judgeToken(token: DeviceToken, request: TokenRequest, card: Card | null, nowSec: number): TokenVerdict {
  const isFor =
    token.origin === request.origin &&
    token.method === request.method &&
    token.path === request.path &&
    equalBytes(token.bodyHash, request.bodyHash)
  if (!isFor) return 'Request'
  if (nowSec < token.issuedAtSec - TOKEN_LIFE_SEC || nowSec >= token.expiresAtSec) return 'Clock'
  const isListed =
    card !== null &&
    !isExpired(card, nowSec) &&
    card.app === token.app &&
    equalBytes(card.chain.personaId, token.personaId) &&
    card.devices.some(({ sig }) => equalBytes(sig, token.deviceKey))
  return isListed ? 'good' : 'Card'
}
