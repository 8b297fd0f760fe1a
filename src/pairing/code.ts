/**
 * The one-time code of a pairing: 128 random bits as twelve words or in a URI, and the keys derived from it
 * (docs/pairing.md, section 1).
 */
import { entropyToMnemonic, mnemonicToEntropy } from '@scure/bip39'
import { wordlist } from '@scure/bip39/wordlists/english.js'
import { hkdfSync } from 'node:crypto'
import { formatBase64url, parseBase64url } from '../core/encoding/bytes.ts'
import { formatHostPort } from '../core/encoding/host-port.ts'
import { LABEL_PAIR_ANNOUNCE, LABEL_PAIR_PSK } from '../core/labels.ts'
import type { CryptoEngine } from '../crypto/engine.ts'
import { parseAddress, type Address } from './address.ts'
import { PairingError } from './errors.ts'

export const CODE_BYTES = 16 // format: too many codes to search, so we need neither a slow hash nor a PAKE
export const CODE_WORDS = 12 // format: 128 bits and a checksum of 4, at 11 bits a word
const KEY_BYTES = 32 // format: Noise, section 9

const SCHEME = 'persona-pair:'
const CODE_CHARS = 22 // format: base64url of CODE_BYTES
const MAX_ADDRESSES = 16 // sanity: a machine has a few; more would not fit a QR code in a terminal
const MAX_URI_CHARS = 1024 // sanity: bounds the work of parsing

const WORDS: ReadonlySet<string> = new Set(wordlist)

/** A code as a person types or scans it, with the addresses where the other device listens if it is a URI. */
export interface PairingCode {
  /** CODE_BYTES bytes */
  readonly code: Uint8Array
  readonly addresses: readonly Address[]
}

/** Draws a new code: CODE_BYTES random bytes. */
export function drawCode(engine: Pick<CryptoEngine, 'randomBytes'>): Uint8Array {
  return engine.randomBytes(CODE_BYTES)
}

/** Formats a code as twelve words of BIP-39's English list. */
export function formatCodeWords(code: Uint8Array): string[] {
  return entropyToMnemonic(code, wordlist).split(' ')
}

/**
 * Formats a code as a URI for a QR code: `persona-pair:` code `?at=` address `&at=` address, with at most
 * MAX_ADDRESSES addresses.
 */
export function formatPairingUri({ code, addresses }: PairingCode): string {
  const places = addresses.slice(0, MAX_ADDRESSES).map((address) => `at=${formatHostPort(address)}`)
  return `${SCHEME}${formatBase64url(code)}${places.length === 0 ? '' : `?${places.join('&')}`}`
}

/**
 * Parses twelve words, in any case and with any white space between them, or the URI. An error names the position of
 * a word, never the word: the other eleven are right.
 * @throws {PairingError} PAIRING_CODE_LENGTH | PAIRING_CODE_UNKNOWN_WORD | PAIRING_CODE_CHECKSUM | PAIRING_URI
 */
export function parseCode(text: string): PairingCode {
  const trimmed = text.trim()
  return trimmed.startsWith(SCHEME) ? parseUri(trimmed) : { code: parseWords(trimmed), addresses: [] }
}

function parseWords(text: string): Uint8Array {
  const list = text.normalize('NFKD').toLowerCase().split(/\s+/u).filter(Boolean)
  if (list.length !== CODE_WORDS) {
    const message = `${list.length} ${list.length === 1 ? 'word was' : 'words were'} given; a pairing code has ${CODE_WORDS}`
    throw new PairingError('PAIRING_CODE_LENGTH', message, { hint: 'type the words that `persona pair` shows' })
  }
  const unknownAt = list.findIndex((word) => !WORDS.has(word))
  if (unknownAt >= 0) {
    const message = `word ${unknownAt + 1} is not a word of any pairing code`
    throw new PairingError('PAIRING_CODE_UNKNOWN_WORD', message, { hint: 'check its spelling' })
  }
  try {
    return mnemonicToEntropy(list.join(' '), wordlist)
  } catch {
    // Leave out the cause: it may quote the words.
    const message = 'these words are not a pairing code; one of them is wrong or in the wrong place'
    throw new PairingError('PAIRING_CODE_CHECKSUM', message, { hint: 'compare them with the other screen' })
  }
}

function parseUri(text: string): PairingCode {
  const [path, query, ...more] = text.slice(SCHEME.length).split('?')
  const code = path?.length === CODE_CHARS ? parseBase64url(path) : null
  const places = query === undefined ? [] : query.split('&')
  const addresses = places.map((place) => (place.startsWith('at=') ? parseAddress(place.slice('at='.length)) : null))
  const isWhole = text.length <= MAX_URI_CHARS && more.length === 0 && addresses.length <= MAX_ADDRESSES
  if (code === null || !isWhole || addresses.includes(null)) {
    const hint = 'scan it again, or type the twelve words'
    throw new PairingError('PAIRING_URI', 'the pairing URI is cut short or altered', { hint })
  }
  return { code, addresses: addresses.filter((address) => address !== null) }
}

/**
 * Derives the pre-shared key of the handshake: HKDF-SHA-512(code, no salt, LABEL_PAIR_PSK). @returns 32 bytes in
 * secret memory; the caller wipes them
 */
export function derivePsk(code: Uint8Array, engine: Pick<CryptoEngine, 'secret' | 'wipe'>): Uint8Array {
  const derived = expand(code, LABEL_PAIR_PSK)
  const psk = engine.secret(KEY_BYTES)
  psk.set(derived)
  engine.wipe(derived)
  return psk
}

/**
 * Derives the key that recognises announcements of this code: HKDF-SHA-512(code, no salt, LABEL_PAIR_ANNOUNCE), 32
 * bytes.
 */
export function deriveAnnounceKey(code: Uint8Array): Uint8Array {
  return expand(code, LABEL_PAIR_ANNOUNCE)
}

function expand(code: Uint8Array, label: Uint8Array): Uint8Array {
  return new Uint8Array(hkdfSync('sha512', code, new Uint8Array(0), label, KEY_BYTES))
}
