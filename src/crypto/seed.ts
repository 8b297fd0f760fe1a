/** Converts between the 24 recovery words and the seed, and derives the signing keys from the seed (docs/format.md, section 4). */
import { entropyToMnemonic, mnemonicToEntropy } from '@scure/bip39'
import { wordlist } from '@scure/bip39/wordlists/english.js'
import { hkdfSync } from 'node:crypto'
import { concatBytes, encodeUtf8, u32be } from '../core/encoding/bytes.ts'
import { MAX_EPOCH } from '../core/limits.ts'
import { checkLength } from './arguments.ts'
import type { CryptoEngine } from './engine.ts'
import { CryptoError } from './errors.ts'

export const SEED_BYTES = 32 // format: entropy of 24 words
export const SEED_WORDS = 24 // format: 256 bits and 8 bits of checksum, 11 bits per word

/** The only label without a zero byte at its end. The epoch follows, always 4 bytes. */
export const LABEL_SIGN: Uint8Array = encodeUtf8('personad/v1/sign')

const WORDS: ReadonlySet<string> = new Set(wordlist)

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
 * so call this only to show the words.
 * @param seed 32 bytes
 * @throws {CryptoError} ARGUMENT_LENGTH
 */
export function formatWords(seed: Uint8Array): string[] {
  checkLength('the seed of a persona', seed, SEED_BYTES)
  return entropyToMnemonic(seed, wordlist).split(' ')
}

/**
 * The seed of 24 words, in any case and with any white space between them. An error gives the position of a word, never the
 * word itself: errors reach logs, and most of the other words are right.
 * @returns 32 bytes; the caller moves them to secret memory and wipes these
 * @throws {CryptoError} WORDS_COUNT | WORDS_UNKNOWN | WORDS_CHECKSUM
 */
export function parseWords(words: string): Uint8Array {
  const list = words.normalize('NFKD').toLowerCase().split(/\s+/u).filter(Boolean)
  if (list.length !== SEED_WORDS) {
    throw new CryptoError(
      'WORDS_COUNT',
      `you gave ${list.length} ${list.length === 1 ? 'word' : 'words'}; there are ${SEED_WORDS} recovery words`,
    )
  }
  const unknownAt = list.findIndex((word) => !WORDS.has(word))
  if (unknownAt >= 0) {
    throw new CryptoError(
      'WORDS_UNKNOWN',
      `word ${unknownAt + 1} is not in the list of recovery words; check its spelling`,
    )
  }
  try {
    return mnemonicToEntropy(list.join(' '), wordlist)
  } catch {
    // No cause attached: only the checksum can fail here, and the library's errors may quote words.
    throw new CryptoError('WORDS_CHECKSUM', 'these words do not fit together; one is wrong or in the wrong place')
  }
}
