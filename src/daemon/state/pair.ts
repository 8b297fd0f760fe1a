/** The state of a pair of persona and device, as apps see it (docs/format.md, section 10). */
import { pairState, type PairState } from '../../core/trust.ts'
import type { DeviceRecord } from './records.ts'

/**
 * As {@link pairState}, but only a bound device is confirmed. A device that consents and is not bound waits for the owner's answer, or
 * showed another chain than the pinned one.
 * @param listed the table that apps see lists the device
 */
export function pairOf(personaId: string, listed: boolean, device: DeviceRecord): PairState | null {
  const state = pairState(personaId, listed, device.bound, device.reports)
  return state === 'confirmed' && device.bound !== personaId ? 'claimed' : state
}
