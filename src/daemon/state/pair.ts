/** The state of a pair of persona and device as clients see it (docs/format.md, section 10). */
import { pairState, type PairState } from '../../core/consent.ts'
import type { DeviceRecord } from './device-record.ts'

/**
 * Like {@link pairState}, except that only a device bound to the persona is confirmed. A device that consents but is not bound waits for
 * the owner's answer, or showed a key chain that differs from the pinned one.
 * @param listed whether the table that apps see lists the device
 */
export function pairOf(personaId: string, listed: boolean, device: DeviceRecord): PairState | null {
  const state = pairState(personaId, listed, device.bound, device.reports)
  return state === 'confirmed' && device.bound !== personaId ? 'claimed' : state
}
