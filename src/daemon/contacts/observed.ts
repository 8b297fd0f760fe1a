/** The answer to an observation: what the device showed, and the contact that it counts as afterwards (docs/ipc.md, section 3). */
import type { OrderVerdict } from '../../core/order.ts'
import type { ChangeKind, ObserveResult } from '../../ipc/shapes/judged.ts'
import { pairOf } from '../state/pair.ts'
import type { DeviceRecord } from '../state/device-record.ts'
import type { State } from '../state/state.ts'
import { joinedHere } from './join.ts'
import type { Shown } from './shown.ts'
import type { Sight } from './report.ts'

export function refusedKey(from: string, code: string): ObserveResult {
  return { from, shown: 'invalid', code, personaId: null, verdict: null, state: null, contact: null, changes: [] }
}

/** @param found the persona whose blob the device shows; null without a valid blob */
export function resultOf(
  shown: Shown,
  { key }: Sight,
  found: { readonly personaId: string; readonly judged: OrderVerdict } | null,
  changes: ChangeKind[],
  state: State,
): ObserveResult {
  const device = state.device(key)
  const of = found?.personaId ?? device.bound
  const persona = of === null ? undefined : state.persona(of)
  const isListed = persona?.devices.some((listed) => listed.key === key) === true
  const pair = of === null ? null : pairOf(of, isListed, device)
  const refusal = found?.judged.verdict === 'refused' ? found.judged.code : null
  return {
    from: key,
    shown: refusal === null ? shown.shown : 'invalid',
    code: refusal ?? ('code' in shown ? shown.code : null),
    personaId: found?.personaId ?? null,
    verdict: found === null || found.judged.verdict === 'refused' ? null : found.judged.verdict,
    state: pair ?? (device.entry === null ? null : 'provisional'),
    contact: holderOf(key, device, state),
    changes,
  }
}

/** The contact that the device counts as. It may show the blob of another. */
function holderOf(key: string, device: DeviceRecord, state: State): string | null {
  if (device.entry !== null) return joinedHere(key, state)[0]!.device.entry.name
  const persona = device.bound === null ? undefined : state.persona(device.bound)
  if (persona === undefined) return null
  const isListed = persona.devices.some((listed) => listed.key === key)
  const pair = pairOf(persona.personaId, isListed, device)
  return pair === 'claimed' ? null : (persona.entry?.name ?? null)
}
