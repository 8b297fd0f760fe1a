/** What is said behind the handshake: a kind, then its body (docs/pairing.md, section 3). */
import type { CryptoEngine } from '../crypto/engine.ts'
import { PairingError } from './errors.ts'
import { MAX_MESSAGE_BYTES } from './session.ts'

const SEED_BYTES = 32 // format: Ed25519
const KEY_MESSAGE_BYTES: number = 2 + SEED_BYTES
/** The longest piece of the state in one message. */
export const MAX_PIECE_BYTES: number = MAX_MESSAGE_BYTES - 1

export type MessageKind = 'confirmed' | 'state' | 'key' | 'done'
const KIND_BYTE: Readonly<Record<MessageKind, number>> = { confirmed: 1, state: 2, key: 3, done: 4 }

/** The signing key of one epoch. */
export interface MovedKey {
  readonly epoch: number
  /** 32 bytes, in secret memory */
  readonly seed: Uint8Array
}

/** One message. @param body for `state` only */
export function encodeMessage(kind: Exclude<MessageKind, 'key'>, body: Uint8Array = new Uint8Array(0)): Uint8Array {
  const message = new Uint8Array(1 + body.length)
  message[0] = KIND_BYTE[kind]
  message.set(body, 1)
  return message
}

/**
 * The body of a message that must be of a kind; what has no body must have none.
 * @throws {PairingError} PAIRING_MESSAGE
 */
export function decodeMessage(kind: Exclude<MessageKind, 'key'>, message: Uint8Array): Uint8Array {
  const isWhole = kind === 'state' ? message.length > 1 : message.length === 1
  if (message[0] !== KIND_BYTE[kind] || !isWhole) throw unexpected()
  return message.subarray(1)
}

/** Whether it is the last one, which holds the key. */
export function isKeyMessage(message: Uint8Array): boolean {
  return message[0] === KIND_BYTE.key
}

/** The message with the signing key, in secret memory: the caller wipes it. */
export function encodeKeyMessage({ epoch, seed }: MovedKey, engine: Pick<CryptoEngine, 'secret'>): Uint8Array {
  const message = engine.secret(KEY_MESSAGE_BYTES)
  message.set([KIND_BYTE.key, epoch])
  message.set(seed, 2)
  return message
}

/**
 * The signing key out of its message, which is wiped.
 * @returns the seed in secret memory: the caller wipes it
 * @throws {PairingError} PAIRING_MESSAGE
 */
export function takeKeyMessage(message: Uint8Array, engine: Pick<CryptoEngine, 'secret' | 'wipe'>): MovedKey {
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
  const hint = 'nothing of it was taken; see that both devices run the same version'
  return new PairingError('PAIRING_MESSAGE', 'the other side sends a message that has no place here', { hint })
}
