/** Both ends make these of the two messages of a handshake: the root, and the words that people compare (docs/channel.md, section 4). */
import { concatBytes } from '../../core/encoding/bytes.ts'
import { LABEL_CHANNEL_COMMIT, LABEL_CHANNEL_PSK, LABEL_CHANNEL_ROOT, LABEL_CHANNEL_WORDS } from '../../core/labels.ts'
import type { ChannelEngine } from './engine.ts'
import { hash32, hkdf, KEY_BYTES } from './kdf.ts'

export const NONCE_BYTES = 16 // format: nA and nB; nobody guesses 2^128
const ROOT_BYTES = 192 // format: six keys
const WORD_BITS = 11 // format: the list of BIP-39 has 2048 words
export const WORD_COUNT = 4 // format: 44 bits; the commitment leaves an attacker one guess
const NOTHING = new Uint8Array()

/** The hashes of both messages. */
export interface Transcript {
  /** SHA-256(M1), 32 bytes */
  readonly m1: Uint8Array
  /** SHA-256(M2), 32 bytes */
  readonly m2: Uint8Array
}

/** The six keys of a channel, 32 bytes each. */
export interface Root {
  /** The first root of the ratchet. */
  readonly ratchet: Uint8Array
  readonly hostHeader: Uint8Array
  readonly guestHeader: Uint8Array
  /** For carriers: records host, records guest, rtc; 96 bytes. */
  readonly carriers: Uint8Array
}

/** The pre-shared key of M1: it shows that the guest was given the text of the invite. @param inviteHash I */
export function invitePsk(engine: ChannelEngine, k: Uint8Array, inviteHash: Uint8Array): Uint8Array {
  return hkdf(engine, k, NOTHING, concatBytes(LABEL_CHANNEL_PSK, inviteHash), KEY_BYTES)
}

/**
 * Makes the root.
 * @param exporters those of M1 and of M2, 32 bytes each
 * @param agreed X25519 of the keys `dh` of both messages
 */
export function makeRoot(
  engine: ChannelEngine,
  exporters: readonly [m1: Uint8Array, m2: Uint8Array],
  agreed: Uint8Array,
  { m1, m2 }: Transcript,
): Root {
  const secret = concatBytes(...exporters, agreed)
  const keys = hkdf(engine, secret, NOTHING, concatBytes(LABEL_CHANNEL_ROOT, m1, m2), ROOT_BYTES)
  const key = (at: number, count = 1): Uint8Array => keys.slice(KEY_BYTES * at, KEY_BYTES * (at + count))
  return { ratchet: key(0), hostHeader: key(1), guestHeader: key(2), carriers: key(3, 3) }
}

/** The guest's promise of nB, before it knows nA: so neither side can look for a pair that gives the words of another handshake. */
export function commitTo(engine: ChannelEngine, nB: Uint8Array): Uint8Array {
  return hash32(engine, LABEL_CHANNEL_COMMIT, nB)
}

/** Indices of the four words in the list of BIP-39. */
export function handshakeWords(
  engine: ChannelEngine,
  { m1, m2 }: Transcript,
  nA: Uint8Array,
  nB: Uint8Array,
): number[] {
  const bytes = hash32(engine, LABEL_CHANNEL_WORDS, m1, m2, nA, nB)
  let bits = 0n
  for (let i = 0; i < 6; i++) bits = (bits << 8n) | BigInt(bytes[i]!)
  const spare = 48 - WORD_BITS * WORD_COUNT
  const mask = (1n << BigInt(WORD_BITS)) - 1n
  return Array.from({ length: WORD_COUNT }, (_, i) =>
    Number((bits >> BigInt(spare + WORD_BITS * (WORD_COUNT - 1 - i))) & mask),
  )
}
