/** One of the two devices of a pairing: what each does, and what a step of it comes to. */
import { PairingStateError } from './errors.ts'
import type { PairingStep } from '../../ipc/shapes/pairing.ts'

/** One of the two devices. A throw ends the pairing, but PAIRING_HANDSHAKE while there are tries left, and PAIRING_ORDER. */
export interface PairingSide {
  /** Takes a message of the other side, or with null goes on by itself. */
  carry(message: Uint8Array | null): Promise<Progress>
  /** The person says that both screens show the same words. */
  confirm(): Promise<Progress>
  /** Wipes what it holds, and throws away what came in and was not confirmed. */
  close(): Promise<void>
}

/** What a step came to; `send` as bytes. */
export type Progress = Pick<PairingStep, 'state'> &
  Partial<Pick<PairingStep, 'more' | 'compare' | 'device' | 'persona' | 'table'>> & { send?: Uint8Array }

/** What a side throws when it is not the time for what was asked. */
export function notNow(what: string): PairingStateError {
  return new PairingStateError(
    'PAIRING_ORDER',
    `${what} has no place in this state of the pairing`,
    'see docs/pairing.md',
  )
}
