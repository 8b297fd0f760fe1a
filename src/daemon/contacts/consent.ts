/** Consent: devices that show a table which lists them become the contact's, and apps and the owner hear of it (docs/format.md, section 10). */
import { fallbackName } from '../../core/table.ts'
import { consentsToChain, pairState, seenHere, type ContactEntry } from '../../core/consent.ts'
import type { ContactChange } from '../../ipc/shapes/events.ts'
import { alarmIfContested, clearContested, noteClock } from '../personas/alarms.ts'
import { decodeStored } from '../personas/heads.ts'
import type { State } from '../state/state.ts'
import { isJoined } from '../state/joined.ts'
import { pairOf } from '../state/pair.ts'
import { holdUpgrade, emitPending } from './pending.ts'
import { MAX_OTHERS, type PersonaRecord } from '../state/persona-record.ts'
import type { DeviceRecord } from '../state/device-record.ts'

/** Why consent is checked. */
export interface Occasion {
  /** The source that reported it. */
  readonly source: string
  /** The device that showed the table, as it was before; null if the owner's answer is the reason. */
  readonly spoke: { readonly key: string; readonly before: DeviceRecord } | null
  /** The owner accepted that this device joins the contact, whatever the policy of its entry. */
  readonly accepted?: string
}

/**
 * Binds the devices that consent, and emits all changes. Inside of a change.
 * @param before null for a persona that was not known
 * @param persona the record after the outcome was applied; written once more only if consent changes it
 * @returns whether the persona was written, by the outcome or here
 */
export function applyConsent(
  before: PersonaRecord | null,
  persona: PersonaRecord,
  changes: readonly ContactChange[],
  occasion: Occasion,
  state: State,
): { emitted: ContactChange[]; isWritten: boolean } {
  const { spoke } = occasion
  let record = persona
  const emitted = [...changes]
  // Without a change in the table, only the device that spoke can have changed its state.
  const concerned = changes.length > 0 ? persona.devices : persona.devices.filter(({ key }) => key === spoke?.key)
  for (const { key, name } of concerned) {
    const device = state.device(key)
    const wasConfirmed = before !== null && isConfirmed(before, key, key === spoke?.key ? spoke.before : device)
    if (device.bound === null && consentsToChain(seenHere(device.reports), persona.personaId, persona.root)) {
      const wasClaimed = before?.devices.some((listed) => listed.key === key) === true
      const mustAsk = device.entry !== null && (wasClaimed || isJoined(device) || isKnownFriend(key, device.entry))
      record = bindOrHold(record, key, device, mustAsk, occasion, state)
    }
    if (isConfirmed(record, key, state.device(key))) {
      if (!wasConfirmed) {
        emitted.push({ kind: 'confirmed', key, name })
        clearContested(persona.personaId, key, state)
      }
    } else if (changes.some((change) => change.kind === 'added' && change.key === key)) {
      alarmIfContested(record, key, state)
    }
  }
  if (spoke !== null) record = noteAsserted(record, spoke.key, state)
  if (record.head !== before?.head) noteClock(record, state)
  if (record !== persona) state.putPersona(record)
  emitPending(before, record, occasion.source, state)
  state.emitContact(record.personaId, emitted, occasion.source)
  return { emitted, isWritten: record !== before }
}

/** The owner knows the friend by more than a key. */
function isKnownFriend(key: string, { name, aliases, policy, blocked }: ContactEntry): boolean {
  return name !== fallbackName(key) || aliases.length > 0 || policy !== 'auto' || blocked
}

/**
 * Binds a device that consents. A friend who is known under a name, or whom the persona claimed before, waits for the owner under every
 * policy: a quoted token looks like consent, and the name would lead to somebody else. Only the first table of a contact upgrades an entry.
 */
function bindOrHold(
  persona: PersonaRecord,
  key: string,
  device: DeviceRecord,
  mustAsk: boolean,
  { accepted, source }: Occasion,
  state: State,
): PersonaRecord {
  const { entry } = device
  if (mustAsk && accepted !== key) {
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
