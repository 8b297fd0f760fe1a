/** What follows from a persona's new table: devices that consent become the contact's, and whoever watches is told (docs/format.md, section 10). */
import { consentsToChain, pairState } from '../../core/trust.ts'
import type { ContactChange } from '../../ipc/shapes/events.ts'
import { alarmIfContested, clearContested } from '../personas/alarms.ts'
import { noteClock, decodeStored } from '../personas/heads.ts'
import type { State } from '../state/state.ts'
import { pairOf } from '../state/pair.ts'
import { holdUpgrade, emitPending } from './pending.ts'
import { MAX_OTHERS, type DeviceRecord, type PersonaRecord } from '../state/records.ts'

/** Why a table is being settled. */
export interface Occasion {
  /** By whose report. */
  readonly source: string
  /** The device that spoke, as it was before; null when the owner's answer is the reason. */
  readonly spoke: { readonly key: string; readonly before: DeviceRecord } | null
  /** The owner accepted that this device becomes part of the contact, whatever the policy of its entry. */
  readonly accepted?: string
}

/**
 * Binds what consents, tells what changed, and writes the record when it did. Inside of a change.
 * @param before null for a persona that was not known
 */
export function applyConsent(
  before: PersonaRecord | null,
  persona: PersonaRecord,
  changes: readonly ContactChange[],
  occasion: Occasion,
  state: State,
): { told: ContactChange[]; isWritten: boolean } {
  const { spoke } = occasion
  let settled = persona
  const told = [...changes]
  // Without a change only the device that spoke can have become something else.
  const concerned = changes.length > 0 ? persona.devices : persona.devices.filter(({ key }) => key === spoke?.key)
  for (const { key, name } of concerned) {
    const device = state.device(key)
    const wasConfirmed = before !== null && isConfirmed(before, key, key === spoke?.key ? spoke.before : device)
    if (device.bound === null && consentsToChain(device.reports, persona.personaId, persona.root)) {
      settled = bindOrHold(settled, key, device, occasion, state)
    }
    if (isConfirmed(settled, key, state.device(key))) {
      if (!wasConfirmed) {
        told.push({ kind: 'confirmed', key, name })
        clearContested(persona.personaId, key, state)
      }
    } else if (changes.some((change) => change.kind === 'added' && change.key === key)) {
      alarmIfContested(settled, key, state)
    }
  }
  if (spoke !== null) settled = noteAsserted(settled, spoke.key, state)
  if (settled.head !== before?.head) noteClock(settled, state)
  const isWritten = settled !== before
  if (isWritten) state.putPersona(settled)
  emitPending(before, settled, occasion.source, state)
  state.emitContact(settled.personaId, told, occasion.source)
  return { told, isWritten }
}

/** The device's own word makes it this persona's; an entry that it had by itself becomes this contact's, once its policy lets it. */
function bindOrHold(
  persona: PersonaRecord,
  key: string,
  device: DeviceRecord,
  { accepted, source }: Occasion,
  state: State,
): PersonaRecord {
  const { entry } = device
  if (entry !== null && entry.policy !== 'auto' && accepted !== key) {
    holdUpgrade(key, decodeStored(persona.head!, state), source, state)
    return persona
  }
  state.putDevice(key, { ...device, bound: persona.personaId, left: null, entry: null, pending: null })
  for (const id of device.claimedBy) {
    const claimant = id === persona.personaId ? undefined : state.persona(id)
    if (claimant !== undefined) alarmIfContested(claimant, key, state)
  }
  if (entry === null || persona.entry === null) return persona
  const leadsTo = { kind: 'persona', id: persona.personaId } as const
  return { ...persona, entry: state.names.join(persona.entry, entry, leadsTo) }
}

function noteAsserted(persona: PersonaRecord, key: string, state: State): PersonaRecord {
  const isListed = persona.devices.some((device) => device.key === key)
  const device = state.device(key)
  const pair = pairState(persona.personaId, isListed, device.bound, device.reports)
  if (pair !== 'asserted' || persona.others.includes(key)) return persona
  return persona.others.length >= MAX_OTHERS ? persona : { ...persona, others: [...persona.others, key] }
}

export function isConfirmed(persona: PersonaRecord, key: string, device: DeviceRecord): boolean {
  const isListed = persona.devices.some((listed) => listed.key === key)
  return pairOf(persona.personaId, isListed, device) === 'confirmed'
}
