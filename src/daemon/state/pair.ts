/** The state of a pair of persona and device as it is told: what the device said, and whether the owner has yet to answer (docs/format.md, section 10). */
import { pairState, type PairState } from '../../core/trust.ts'
import type { DeviceRecord } from './records.ts'

/**
 * As {@link pairState} has it, but that only a device which is bound to the persona is confirmed. One that consents and is not bound waits
 * for the owner's answer, or showed another chain of keys than the one that is pinned.
 * @param listed what apps see of the persona lists the device
 */
export function pairOf(personaId: string, listed: boolean, device: DeviceRecord): PairState | null {
  const state = pairState(personaId, listed, device.bound, device.reports)
  return state === 'confirmed' && device.bound !== personaId ? 'claimed' : state
}
