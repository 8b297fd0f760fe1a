/** The state of a pair of persona and device as it is told: what the device said, and whether the owner has yet to answer (docs/format.md, section 10). */
import { pairState, type PairState } from '../core/trust.ts'
import type { DeviceRecord } from './records.ts'

/**
 * As {@link pairState} has it, but for a friend whom the policy of the entry keeps by himself until the owner answers: he is no device of
 * the persona until then, whatever he shows.
 * @param listed what apps see of the persona lists the device
 */
export function pairOf(personaId: string, listed: boolean, device: DeviceRecord): PairState | null {
  const state = pairState(personaId, listed, device.bound, device.reports)
  return state === 'confirmed' && device.bound === null && device.pending !== null ? 'claimed' : state
}
