/** The two sides of a pairing, and the result of a step. */
import { PairingStateError } from './errors.ts'
import type { PairingStep } from '../../ipc/shapes/pairing.ts'

/** One of the two devices. A throw ends the pairing, except PAIRING_ORDER, and PAIRING_HANDSHAKE while there are tries left. */
export interface PairingSide {
  /** Handles a message of the other side, or with null makes the next message. */
  carry(message: Uint8Array | null): Promise<Progress>
  /** The person confirms that both screens show the same words. */
  confirm(): Promise<Progress>
  /** Wipes the secrets that it holds, and discards records that were not imported. */
  close(): Promise<void>
}

/** The result of a step, with `send` as bytes. */
export type Progress = Pick<PairingStep, 'state'> &
  Partial<Pick<PairingStep, 'more' | 'compare' | 'device' | 'persona' | 'table'>> & { send?: Uint8Array }

/** The error for a call that does not fit the state of the pairing. */
export function notNow(call: string): PairingStateError {
  return new PairingStateError(
    'PAIRING_ORDER',
    `${call} does not fit the present state of the pairing`,
    'cancel the pairing on both devices, and begin again',
  )
}
