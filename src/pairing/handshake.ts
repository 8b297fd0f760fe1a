/**
 * The handshake of two devices: Noise_NNpsk0_25519_ChaChaPoly_BLAKE2b keyed by the code. The offering device goes
 * first (docs/pairing.md, section 2).
 */
import Noise from 'noise-handshake'
import { concatBytes } from '../core/encoding/bytes.ts'
import { LABEL_PAIR_MEET } from '../core/labels.ts'
import { PairingError } from './errors.ts'
import { openSession, type Session } from './session.ts'

/** Part of the handshake: messages meant for a connection are refused when they come from files, and the reverse. */
export type Carrier = 'connection' | 'files'

const PROTOCOL_VERSION = 2
/** In version 1 the greeting of the answer was part of the handshake hash, so its sender could choose the compared words. */
const REFUSED_VERSION = 1
const CARRIER_BYTE = { connection: 1, files: 2 } as const
const PUBLIC_KEY_BYTES = 32 // format: X25519
const TAG_BYTES = 16 // format: ChaCha20-Poly1305
const EMPTY_LEG_BYTES = PUBLIC_KEY_BYTES + TAG_BYTES
const NO_PAYLOAD = new Uint8Array(0)
export const MAX_GREETING_BYTES = 1024 // sanity: a PersonaID, a nickname and a key; before people have compared the words, each side sends no more

/** The first message of the handshake, sent by us. */
export interface Offer {
  readonly message: Uint8Array
  /**
   * Completes the handshake with the other side's answer. Works once: after a refusal, make a new offer.
   * @throws {PairingError} PAIRING_HANDSHAKE
   */
  receiveAnswer(message: Uint8Array): HandshakeResult
  close(): void
}

/** The first message of the handshake, received and authentic. */
export interface ReceivedOffer {
  readonly greeting: Uint8Array
  /** Makes the answer; call it once. @param greeting 0..MAX_GREETING_BYTES bytes */
  answer(greeting: Uint8Array): HandshakeResult & { readonly message: Uint8Array }
  close(): void
}

export interface HandshakeResult {
  /** The other side's greeting. */
  readonly greeting: Uint8Array
  readonly session: Session
}

/**
 * Starts the handshake as the device that has the persona.
 * @param psk 32 bytes; not kept here, the caller wipes it
 * @param greeting 0..MAX_GREETING_BYTES bytes; only the code protects it, without forward secrecy
 */
export function makeOffer(psk: Uint8Array, carrier: Carrier, greeting: Uint8Array): Offer {
  const noise = beginNoise(true, psk, carrier)
  const message = noise.send(greeting)
  return {
    message,
    receiveAnswer: (answer) => {
      receive(noise, answer.subarray(0, EMPTY_LEG_BYTES))
      const session = openSession(noise)
      return { greeting: openGreeting(session, answer.subarray(EMPTY_LEG_BYTES)), session }
    },
    close: () => wipeNoise(noise),
  }
}

/**
 * Receives the first message as the device that joins.
 * @param psk 32 bytes; not kept here, the caller wipes it
 * @throws {PairingError} PAIRING_HANDSHAKE
 */
export function receiveOffer(psk: Uint8Array, carrier: Carrier, message: Uint8Array): ReceivedOffer {
  const noise = beginNoise(false, psk, carrier)
  const greeting = receive(noise, message)
  return {
    greeting,
    answer: (own) => {
      // Without a payload the handshake hash, and with it the words, depends on nothing that we choose except the key.
      const leg = noise.send(NO_PAYLOAD)
      const session = openSession(noise)
      return { message: concatBytes(leg, session.seal(own)), greeting, session }
    },
    close: () => wipeNoise(noise),
  }
}

/** Whether this is the first message of a device that has the code and speaks the version that we refuse. */
export function isOlderOffer(psk: Uint8Array, carrier: Carrier, message: Uint8Array): boolean {
  const noise = beginNoise(false, psk, carrier, REFUSED_VERSION)
  try {
    receive(noise, message)
    return true
  } catch {
    return false
  } finally {
    wipeNoise(noise)
  }
}

function beginNoise(isInitiator: boolean, psk: Uint8Array, carrier: Carrier, version = PROTOCOL_VERSION): Noise {
  // The library accepts an empty key and would run the pattern without protection.
  if (psk.length !== 32) throw new Error('a pre-shared key must be 32 bytes')
  const noise = new Noise('NNpsk0', isInitiator, null, { psk })
  noise.initialise(concatBytes(LABEL_PAIR_MEET, Uint8Array.of(version, CARRIER_BYTE[carrier])))
  return noise
}

/**
 * Every defect of a message gives the same error: a wrong code, altered bytes, and a point of small order (for which
 * libsodium refuses the Diffie-Hellman). Nobody can tell them apart, not even by the time we take.
 */
function receive(noise: Noise, message: Uint8Array): Uint8Array {
  try {
    const payloadBytes = message.length - EMPTY_LEG_BYTES
    if (payloadBytes < 0 || payloadBytes > MAX_GREETING_BYTES) throw new Error('no handshake message has this length')
    // Pass a copy: the library overwrites parts of its input.
    return noise.recv(Uint8Array.from(message))
  } catch {
    // Leave out the cause: the library's errors reveal the failed step.
    wipeNoise(noise)
    throw notOurs()
  }
}

/** Opens the greeting that follows the answer's handshake message: the first message of the session. */
function openGreeting(session: Session, sealed: Uint8Array): Uint8Array {
  try {
    if (sealed.length > MAX_GREETING_BYTES + TAG_BYTES) throw new Error('no greeting has this length')
    return session.open(sealed)
  } catch {
    session.close()
    throw notOurs()
  }
}

function notOurs(): PairingError {
  const hint = 'compare the twelve words; a new code comes with `persona pair`'
  return new PairingError('PAIRING_HANDSHAKE', 'the other side has a different code, or the message was altered', {
    hint,
  })
}

/** Wipes the secrets that the library keeps in plain memory until the handshake completes. */
function wipeNoise(noise: Noise): void {
  for (const secret of [noise.e?.secretKey, noise.s?.secretKey, noise.key, noise.chainingKey]) secret?.fill(0)
}
