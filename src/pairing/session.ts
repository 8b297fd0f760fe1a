/**
 * The session after the handshake: the words that both screens show, and sealed messages in strict order
 * (docs/pairing.md, section 3).
 */
import type Noise from 'noise-handshake'
import Cipher from 'noise-handshake/cipher.js'
import { wordlist } from '@scure/bip39/wordlists/english.js'
import { hkdfSync } from 'node:crypto'
import { LABEL_PAIR_WORDS } from '../core/labels.ts'
import { PairingError } from './errors.ts'

const TAG_BYTES = 16 // format: ChaCha20-Poly1305
export const MAX_NOISE_BYTES = 65_535 // format: Noise, section 3
export const MAX_MESSAGE_BYTES: number = MAX_NOISE_BYTES - TAG_BYTES
/**
 * format: 66 bits. An attacker who knows the code and relays between the two devices would have to find a second key
 * pair with the same words while people are comparing them. No greeting of the answer is in the hash, so nothing
 * cheaper than a key pair can be varied.
 */
export const COMPARED_WORDS = 6
const WORD_BITS = 11 // format: BIP-39
// sanity: about 1 GiB. The library keeps the nonce in 32 bits and would wrap around to 0.
export const MAX_MESSAGES = 16_384

export interface Session {
  /** COMPARED_WORDS words, the same on both sides unless somebody sits between them. */
  readonly words: readonly string[]
  /** Seals one message. @param message 0..MAX_MESSAGE_BYTES bytes @throws {PairingError} PAIRING_TOO_LARGE */
  seal(message: Uint8Array): Uint8Array
  /**
   * Opens the other side's next message. A refusal closes the session.
   * @throws {PairingError} PAIRING_MESSAGE | PAIRING_TOO_LARGE
   */
  open(sealed: Uint8Array): Uint8Array
  /** Wipes the keys. Later messages are refused. */
  close(): void
}

/** Opens a session with the keys of a complete handshake. */
export function openSession(noise: Noise): Session {
  const { tx, rx, hash } = noise
  const sealing = new Cipher(tx)
  const opening = new Cipher(rx)
  let sealed = 0
  let opened = 0
  let isOpen = true
  const close = (): void => {
    isOpen = false
    for (const key of [tx, rx, noise.s?.secretKey]) key?.fill(0)
  }
  return {
    words: comparedWords(hash),
    seal: (message) => {
      if (!isOpen) throw notAuthentic()
      if (message.length > MAX_MESSAGE_BYTES || ++sealed > MAX_MESSAGES) throw tooLarge()
      return sealing.encrypt(message)
    },
    open: (message) => {
      if (!isOpen) throw notAuthentic()
      if (++opened > MAX_MESSAGES) throw tooLarge()
      try {
        if (message.length < TAG_BYTES || message.length > MAX_NOISE_BYTES)
          throw new Error('no message has this length')
        return opening.decrypt(message)
      } catch {
        close()
        throw notAuthentic()
      }
    },
    close,
  }
}

/** The first 66 bits of HKDF-SHA-512(h, no salt, LABEL_PAIR_WORDS), 11 bits a word. */
function comparedWords(hash: Uint8Array): string[] {
  const bytes = new Uint8Array(hkdfSync('sha512', hash, new Uint8Array(0), LABEL_PAIR_WORDS, 9))
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('')
  return Array.from({ length: COMPARED_WORDS }, (_, i) => {
    return wordlist[Number.parseInt(bits.slice(i * WORD_BITS, (i + 1) * WORD_BITS), 2)]!
  })
}

function notAuthentic(): PairingError {
  const hint = 'nothing was imported; start again with `persona pair`'
  return new PairingError('PAIRING_MESSAGE', 'a pairing message is altered, repeated or out of order', { hint })
}

function tooLarge(): PairingError {
  return new PairingError('PAIRING_TOO_LARGE', 'this is more data than one pairing may move')
}
