/**
 * Forgets contacts (docs/format.md, section 13). The pin and head of a persona stay out of sight, so that an older table or another chain
 * cannot fool the owner later. Names, policy, block and everything seen of its devices go.
 */
import { forgetPersona } from '../../core/consent.ts'
import { decide, type Known } from '../personas/decide.ts'
import { recordOnly, type Outcome } from '../personas/outcome.ts'
import { headOf } from '../personas/heads.ts'
import { withoutElsewhere } from '../state/elsewhere.ts'
import type { State } from '../state/state.ts'
import { NEW_DEVICE } from '../state/device-record.ts'
import type { PersonaRecord } from '../state/persona-record.ts'
import { dropShort } from './short.ts'

/** A contact with a persona. Inside of a change. */
export function forgetContact(persona: PersonaRecord, state: State): void {
  const { personaId, entry } = persona
  for (const key of new Set([...persona.devices.map((device) => device.key), ...persona.others])) {
    dropShort(key, state)
    const device = state.device(key)
    const claimedBy = device.claimedBy.filter((id) => id !== personaId)
    if (device.bound === personaId) state.putDevice(key, { ...NEW_DEVICE, claimedBy })
    else state.putDevice(key, { ...device, claimedBy, reports: forgetPersona(device.reports, personaId) })
  }
  if (entry !== null) state.names.drop(entry)
  state.removePersona(personaId, hide(persona))
  state.emit({ event: 'contact.forgotten', data: { personaId, key: null, name: entry?.name ?? '' } })
}

/** The record that stays out of sight: the pin and the head. */
export function hide(persona: PersonaRecord): PersonaRecord {
  const { successor: _successor, ...rest } = withoutElsewhere(persona)
  return { ...rest, ...OUT_OF_SIGHT }
}

const OUT_OF_SIGHT = {
  devices: [],
  pending: null,
  held: null,
  names: [],
  others: [],
  verifiedAtSec: null,
  entry: null,
} as const

/** A friend without a persona. Inside of a change. */
export function forgetProvisional(key: string, state: State): void {
  const { entry, claimedBy } = state.device(key)
  if (entry === null) return
  dropShort(key, state)
  state.names.drop(entry)
  state.putDevice(key, { ...NEW_DEVICE, claimedBy })
  state.emit({ event: 'contact.forgotten', data: { personaId: null, key, name: entry.name } })
}

/** Decides how the kept record of a forgotten contact comes back, with the devices of its head. Pure: the caller applies it. */
export function restoreContact(forgotten: PersonaRecord, known: Known): Outcome {
  const head = headOf(forgotten, known)
  return head === null
    ? recordOnly(forgotten, forgotten)
    : decide(forgotten, head, { verdict: 'accepted' }, true, known)
}
