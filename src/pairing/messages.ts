/** The messages after the handshake: a kind, then its body (docs/pairing.md, section 3). */
import type { CryptoEngine } from '../crypto/engine.ts'
import { PairingError } from './errors.ts'
import { MAX_MESSAGE_BYTES } from './session.ts'

const SEED_BYTES = 32 // format: Ed25519
const KEY_MESSAGE_BYTES: number = 2 + SEED_BYTES
/** The most state that fits one message, in bytes. */
export const MAX_PIECE_BYTES: number = MAX_MESSAGE_BYTES - 1

export type MessageKind = 'confirmed' | 'state' | 'key' | 'done'
const KIND_BYTE: Readonly<Record<MessageKind, number>> = { confirmed: 1, state: 2, key: 3, done: 4 }

/** The signing key of one epoch. */
export interface MovedKey {
  readonly epoch: number
  /** 32 bytes, in secret memory */
  readonly seed: Uint8Array
}

/** Encodes one message. @param body for `state` only */
export function encodeMessage(kind: Exclude<MessageKind, 'key'>, body: Uint8Array = new Uint8Array(0)): Uint8Array {
  const message = new Uint8Array(1 + body.length)
  message[0] = KIND_BYTE[kind]
  message.set(body, 1)
  return message
}

/**
 * Returns the body of a message of the expected kind. Only `state` may have a body.
 * @throws {PairingError} PAIRING_MESSAGE
 */
export function decodeMessage(kind: Exclude<MessageKind, 'key'>, message: Uint8Array): Uint8Array {
  const isWhole = kind === 'state' ? message.length > 1 : message.length === 1
  if (message[0] !== KIND_BYTE[kind] || !isWhole) throw unexpected()
  return message.subarray(1)
}

/** Whether this is the last message, which holds the key. */
export function isKeyMessage(message: Uint8Array): boolean {
  return message[0] === KIND_BYTE.key
}

/** Encodes the message with the signing key. @returns secret memory; the caller wipes it */
export function encodeKeyMessage({ epoch, seed }: MovedKey, engine: Pick<CryptoEngine, 'secret'>): Uint8Array {
  const message = engine.secret(KEY_MESSAGE_BYTES)
  message.set([KIND_BYTE.key, epoch])
  message.set(seed, 2)
  return message
}

/**
 * Decodes the message with the signing key, and wipes the message.
 * @returns the seed in secret memory; the caller wipes it
 * @throws {PairingError} PAIRING_MESSAGE
 */
export function decodeKeyMessage(message: Uint8Array, engine: Pick<CryptoEngine, 'secret' | 'wipe'>): MovedKey {
  try {
    if (message.length !== KEY_MESSAGE_BYTES || !isKeyMessage(message)) throw unexpected()
    const seed = engine.secret(SEED_BYTES)
    seed.set(message.subarray(2))
    return { epoch: message[1]!, seed }
  } finally {
    engine.wipe(message)
  }
}

function unexpected(): PairingError {
  const hint = 'nothing was imported; check that both devices run the same version'
  return new PairingError('PAIRING_MESSAGE', 'the other side sent an unexpected message', { hint })
}
