/** Two devices meet: Noise_NNpsk0_25519_ChaChaPoly_BLAKE2b with the code as its key, the offering device first (docs/pairing.md, section 2). */
import Noise from 'noise-handshake'
import { concatBytes } from '../core/encoding/bytes.ts'
import { LABEL_PAIR_MEET } from '../core/labels.ts'
import { PairingError } from './errors.ts'
import { openSession, type Session } from './session.ts'

/** Bound into the handshake: what one side means to send over a connection is never taken out of files, and the reverse. */
export type Carrier = 'connection' | 'files'

const PROTOCOL_VERSION = 1
const CARRIER_BYTE = { connection: 1, files: 2 } as const
const PUBLIC_KEY_BYTES = 32 // format: X25519
const TAG_BYTES = 16 // format: ChaCha20-Poly1305
export const MAX_GREETING_BYTES = 1024 // sanity: a PersonaID, a nickname and a key; each side says no more before people have compared

/** The first leg, sent, and what becomes of it. */
export interface Offer {
  readonly message: Uint8Array
  /**
   * Takes the second leg. An offer can be answered once: after a refusal another one has to be made.
   * @throws {PairingError} PAIRING_HANDSHAKE
   */
  takeAnswer(message: Uint8Array): Met
  close(): void
}

/** The first leg, received and authentic. */
export interface ReceivedOffer {
  readonly greeting: Uint8Array
  /** Makes the second leg; once. @param greeting 0..MAX_GREETING_BYTES bytes */
  answer(greeting: Uint8Array): Met & { readonly message: Uint8Array }
  close(): void
}

export interface Met {
  /** What the other side said in its leg. */
  readonly greeting: Uint8Array
  readonly session: Session
}

/**
 * Begins as the device that has the persona.
 * @param psk 32 bytes; not kept by this function, wiped by the caller
 * @param greeting 0..MAX_GREETING_BYTES bytes; protected by the code alone, and without forward secrecy
 */
export function makeOffer(psk: Uint8Array, carrier: Carrier, greeting: Uint8Array): Offer {
  const noise = beginNoise(true, psk, carrier)
  const message = noise.send(greeting)
  return {
    message,
    takeAnswer: (answer) => {
      const greeting = receive(noise, answer)
      return { greeting, session: openSession(noise) }
    },
    close: () => wipeNoise(noise),
  }
}

/**
 * Takes the first leg as the device that joins.
 * @param psk 32 bytes; not kept by this function, wiped by the caller
 * @throws {PairingError} PAIRING_HANDSHAKE
 */
export function receiveOffer(psk: Uint8Array, carrier: Carrier, message: Uint8Array): ReceivedOffer {
  const noise = beginNoise(false, psk, carrier)
  const greeting = receive(noise, message)
  return {
    greeting,
    answer: (own) => {
      const message = noise.send(own)
      return { message, greeting, session: openSession(noise) }
    },
    close: () => wipeNoise(noise),
  }
}

function beginNoise(isInitiator: boolean, psk: Uint8Array, carrier: Carrier): Noise {
  // Without this the library would run the pattern with a key of nothing.
  if (psk.length !== 32) throw new Error('a pre-shared key has 32 bytes')
  const noise = new Noise('NNpsk0', isInitiator, null, { psk })
  noise.initialise(concatBytes(LABEL_PAIR_MEET, Uint8Array.of(PROTOCOL_VERSION, CARRIER_BYTE[carrier])))
  return noise
}

/**
 * One cause for everything that can be wrong with a leg: a wrong code, altered bytes and a point of small order (at which libsodium
 * refuses the Diffie-Hellman) are told apart by nobody, also not by the clock of the other side.
 */
function receive(noise: Noise, message: Uint8Array): Uint8Array {
  try {
    const payloadBytes = message.length - PUBLIC_KEY_BYTES - TAG_BYTES
    if (payloadBytes < 0 || payloadBytes > MAX_GREETING_BYTES) throw new Error('no leg has that length')
    // A copy: the library overwrites parts of what it was given.
    return noise.recv(Uint8Array.from(message))
  } catch {
    // Without the cause: the library's errors say at which step it failed.
    wipeNoise(noise)
    const hint = 'compare the twelve words; a new code comes with `persona pair`'
    throw new PairingError('PAIRING_HANDSHAKE', 'the other side has another code, or the message was altered', { hint })
  }
}

/** What the library keeps in plain memory until a handshake is complete. */
function wipeNoise(noise: Noise): void {
  for (const secret of [noise.e?.secretKey, noise.s?.secretKey, noise.key, noise.chainingKey]) secret?.fill(0)
}
