/** Converts between the 24 recovery words and the seed, and derives the signing keys from the seed (docs/format.md, section 4). */
import { wordlist } from '@scure/bip39/wordlists/english.js'
import { createHash, hkdfSync } from 'node:crypto'
import { concatBytes, encodeUtf8, u32be } from '../core/encoding/bytes.ts'
import { MAX_EPOCH } from '../core/limits.ts'
import { checkLength } from './arguments.ts'
import type { CryptoEngine } from './engine.ts'
import { CryptoError } from './errors.ts'

export const SEED_BYTES = 32 // format: entropy of 24 words
export const SEED_WORDS = 24 // format: 256 bits and 8 bits of checksum, 11 bits per word

/** The only label without a zero byte at its end. The epoch follows, always 4 bytes. */
export const LABEL_SIGN: Uint8Array = encodeUtf8('personad/v1/sign')

const WORD_BITS = 11
const ENTROPY_BITS = 8 * SEED_BYTES
const CHECKSUM_BITS = SEED_WORDS * WORD_BITS - ENTROPY_BITS // format: the first bits of SHA-256 of the seed

const PLAIN: Pick<CryptoEngine, 'secret' | 'wipe'> = {
  secret: (length) => new Uint8Array(length),
  wipe: (secret) => void secret.fill(0),
}

/** Word -> its index in the list. */
const INDEX: ReadonlyMap<string, number> = new Map(wordlist.map((word, index) => [word, index]))

/**
 * Derives the Ed25519 seed of K_i: HKDF-SHA-512 (RFC 5869) of the persona's seed, no salt, info = LABEL_SIGN || u32be(i).
 * @param seed 32 bytes
 * @param epoch 0..MAX_EPOCH
 * @returns 32 bytes in secret memory; the caller wipes them after making the key pair
 * @throws {CryptoError} ARGUMENT_LENGTH | EPOCH_RANGE
 */
export function deriveSigningSeed(
  seed: Uint8Array,
  epoch: number,
  engine: Pick<CryptoEngine, 'secret' | 'wipe'>,
): Uint8Array {
  checkLength('the seed of a persona', seed, SEED_BYTES)
  if (!Number.isInteger(epoch) || epoch < 0 || epoch > MAX_EPOCH) {
    throw new CryptoError(
      'EPOCH_RANGE',
      `there is no key of epoch ${epoch}; a seed has keys for epochs 0 to ${MAX_EPOCH}`,
    )
  }
  const info = concatBytes(LABEL_SIGN, u32be(epoch))
  const derived = new Uint8Array(hkdfSync('sha512', seed, new Uint8Array(0), info, 32))
  const signingSeed = engine.secret(32)
  signingSeed.set(derived)
  engine.wipe(derived)
  return signingSeed
}

/**
 * The seed as 24 words of the English list of BIP-39. The seed is the entropy itself, without PBKDF2. Strings cannot be wiped,
 * so call this only to show the words. The library would leave copies of the seed in arrays of its own, which nobody can wipe.
 * @param seed 32 bytes
 * @throws {CryptoError} ARGUMENT_LENGTH
 */
export function formatWords(seed: Uint8Array): string[] {
  checkLength('the seed of a persona', seed, SEED_BYTES)
  const checksum = checksumOf(seed)
  return Array.from({ length: SEED_WORDS }, (_, i) => {
    let index = 0
    for (let at = i * WORD_BITS; at < (i + 1) * WORD_BITS; at++) {
      const bit = at < ENTROPY_BITS ? bitAt(seed[at >> 3]!, at & 7) : bitAt(checksum, at - ENTROPY_BITS)
      index = (index << 1) | bit
    }
    return wordlist[index]!
  })
}

/**
 * The seed of 24 words, in any case and with any white space between them. An error gives the position of a word, never the
 * word itself: errors reach logs, and most of the other words are right.
 * @param engine makes the memory for the seed; without one it is plain memory
 * @returns 32 bytes; the caller wipes them
 * @throws {CryptoError} WORDS_COUNT | WORDS_UNKNOWN | WORDS_CHECKSUM
 */
export function parseWords(words: string, engine: Pick<CryptoEngine, 'secret' | 'wipe'> = PLAIN): Uint8Array {
  const list = words.normalize('NFKD').toLowerCase().split(/\s+/u).filter(Boolean)
  if (list.length !== SEED_WORDS) {
    throw new CryptoError(
      'WORDS_COUNT',
      `you gave ${list.length} ${list.length === 1 ? 'word' : 'words'}; there are ${SEED_WORDS} recovery words`,
    )
  }
  const unknownAt = list.findIndex((word) => !INDEX.has(word))
  if (unknownAt >= 0) {
    throw new CryptoError(
      'WORDS_UNKNOWN',
      `word ${unknownAt + 1} is not in the list of recovery words; check its spelling`,
    )
  }
  const seed = engine.secret(SEED_BYTES)
  let checksum = 0
  for (const [i, word] of list.entries()) {
    const index = INDEX.get(word)!
    for (let bit = 0; bit < WORD_BITS; bit++) {
      const [at, value] = [i * WORD_BITS + bit, (index >> (WORD_BITS - 1 - bit)) & 1]
      if (at < ENTROPY_BITS) seed[at >> 3]! |= value << (7 - (at & 7))
      else checksum = (checksum << 1) | value
    }
  }
  if (checksum === checksumOf(seed)) return seed
  engine.wipe(seed)
  throw new CryptoError('WORDS_CHECKSUM', 'these words do not fit together; one is wrong or in the wrong place')
}

/** OpenSSL wipes its state at the end, and the hash itself tells nothing of the seed that the words do not. */
function checksumOf(seed: Uint8Array): number {
  return createHash('sha256').update(seed).digest()[0]! >> (8 - CHECKSUM_BITS)
}

/** @param at 0 for the highest bit */
function bitAt(byte: number, at: number): number {
  return (byte >> (7 - at)) & 1
}
