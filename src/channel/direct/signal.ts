/** Offers and answers of the direct way: descriptions of WebRTC, sealed in M1, M2 or a control text (docs/channel.md, section 14). */
import { decodeUtf8, encodeUtf8, formatBase64url, parseBase64url, parseHex } from '../../core/encoding/bytes.ts'
import { formatCanonicalJson, parseCanonicalObject, type JsonObject } from '../../core/encoding/canonical-json.ts'
import type { ChannelEngine } from '../ratchet/engine.ts'
import { MAX_SDP_CHARS } from '../rtc/connection.ts'

export const TRY_ID_BYTES = 8 // format: nobody meets an id of an earlier try by chance
export const OFFER_LIFE_SEC = 120 // format: the offerer gives up then, and NATs have forgotten the addresses
/** Offers of the peer that are answered in the life of one. */
export const MAX_OFFERS = 8 // format: tries that fail come 6 times; each answer makes this end call addresses that the peer chose

/** The part of the engine that names tries. */
export type RandomBytes = Pick<ChannelEngine, 'randomBytes'>

/** The offer of one end to the other. */
export interface Offer {
  /** Names this try: base64url of {@link TRY_ID_BYTES} random bytes. */
  readonly id: string
  /** When it was made, by the clock of its maker. */
  readonly atSec: number
  /** The session description of RFC 8866, with all candidates. */
  readonly sdp: string
}

/** The description of the other end, for the offer with the same id. */
export type Answer = Pick<Offer, 'id' | 'sdp'>

/** An offer as it stands in M1 (`sdpOffer`) or in a control text. */
export function offerMembers({ id, atSec, sdp }: Offer): JsonObject {
  return { at: atSec, id, sdp }
}

/** An answer as it stands in M2 (`sdpAnswer`) or in a control text. */
export function answerMembers({ id, sdp }: Answer): JsonObject {
  return { id, sdp }
}

/** @returns null for members that {@link offerMembers} would not make */
export function readOffer(members: JsonObject): Offer | null {
  const { at, ...rest } = members
  const answer = readAnswer(rest)
  if (answer === null || typeof at !== 'number' || !Number.isSafeInteger(at) || at < 0) return null
  return { ...answer, atSec: at }
}

/** @returns null for members that {@link answerMembers} would not make */
export function readAnswer(members: JsonObject): Answer | null {
  const { id, sdp, ...unknown } = members
  if (Object.keys(unknown).length > 0 || typeof id !== 'string' || typeof sdp !== 'string') return null
  if (parseBase64url(id)?.length !== TRY_ID_BYTES || fingerprintOf(sdp) === null) return null
  return { id, sdp }
}

/** The members as a control text. */
export function formatSignal(members: JsonObject): Uint8Array {
  return encodeUtf8(formatCanonicalJson(members))
}

/** The members in a control text; null for any other bytes. */
export function parseSignal(bytes: Uint8Array): JsonObject | null {
  return parseCanonicalObject(decodeUtf8(bytes) ?? '')
}

export function newTryId(engine: RandomBytes): string {
  return formatBase64url(engine.randomBytes(TRY_ID_BYTES))
}

/** Whether an offer may still be answered. A clock that is wrong by more than its life has no direct way. */
export function isFresh({ atSec }: Offer, nowMs: number): boolean {
  return Math.abs(nowMs / 1000 - atSec) <= OFFER_LIFE_SEC
}

/**
 * The fingerprint of the certificate that a description names: SHA-256, 32 bytes.
 * @returns null for a description of another form: longer, not in ASCII, with other media than one data channel, or without exactly one fingerprint
 */
export function fingerprintOf(sdp: string): Uint8Array | null {
  if (sdp.length > MAX_SDP_CHARS || !/^v=0\r?\n(?:[\x20-\x7e]+\r?\n)+$/.test(sdp)) return null
  if ([...sdp.matchAll(/^m=(\S+)/gm)].map(([, media]) => media).join() !== 'application') return null
  const found = [...sdp.matchAll(/^a=fingerprint:(.*?)\r?$/gm)].map(([, value]) => value!)
  const [, digits] = found.length === 1 ? (/^sha-256 ((?:[0-9A-F]{2}:){31}[0-9A-F]{2})$/i.exec(found[0]!) ?? []) : []
  return digits === undefined ? null : parseHex(digits.replaceAll(':', ''))
}
