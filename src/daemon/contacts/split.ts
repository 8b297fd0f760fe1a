/** Splits a device from a contact. Only the owner can unbind a device (docs/format.md, section 10). */
import { ContactError } from './errors.ts'
import { pairOf } from '../state/pair.ts'
import { KeeperError } from '../state/errors.ts'
import type { State } from '../state/state.ts'
import type { PersonaRecord } from '../state/persona-record.ts'
import { nameOf } from '../state/view.ts'
import { OWNER_SOURCE } from '../state/sources.ts'
import { isMeant } from '../personas/query.ts'

/**
 * Gives the device an entry of its own, under its own name. The next persona that it shows may bind it again. Inside of a change.
 * @returns its key
 * @throws {KeeperError} NOT_FOUND | AMBIGUOUS {ContactError} DEVICE_CONFIRMED
 */
export function splitDevice(persona: PersonaRecord, query: string, name: string | null, state: State): string {
  const key = boundDevice(persona, query, state)
  const device = state.device(key)
  const isListed = persona.devices.some((listed) => listed.key === key)
  const isOwners = isListed && state.own()?.personaId === persona.personaId
  if (isOwners || pairOf(persona.personaId, isListed, device) === 'confirmed') {
    const message = `${whoIs(persona)} lists the device, and the device itself shows that table, so it belongs there`
    throw new ContactError(
      'DEVICE_CONFIRMED',
      message,
      isOwners ? 'remove the device from your table' : 'block or forget the whole contact',
      { isOwn: isOwners },
    )
  }
  const leadsTo = { kind: 'device', id: key } as const
  if (name !== null) state.names.checkFree(name, leadsTo)
  const entry = state.names.make(name ?? nameOf(persona, key), leadsTo)
  state.putDevice(key, { ...device, bound: null, left: null, entry })
  state.putPersona({ ...persona, others: persona.others.filter((other) => other !== key) })
  state.emitContact(persona.personaId, [{ kind: 'split', key, name: entry.name }], OWNER_SOURCE)
  return key
}

/** Finds the one bound device with this nickname or these first digits. */
function boundDevice(persona: PersonaRecord, query: string, state: State): string {
  const keys = [...persona.devices.map(({ key }) => key), ...persona.others]
  const isBound = (key: string): boolean => state.device(key).bound === persona.personaId
  const found = keys.filter((key) => isMeant(query, { name: nameOf(persona, key), key }) && isBound(key))
  if (found.length > 1) {
    const message = `"${query}" fits more than one device of ${whoIs(persona)}`
    throw new KeeperError('AMBIGUOUS', message, 'give more digits of the key')
  }
  const [key] = found
  if (key !== undefined) return key
  const message = `${whoIs(persona)} has no device "${query}"`
  throw new KeeperError('NOT_FOUND', message, 'look at the contact', { what: 'contact-device' })
}

function whoIs({ entry }: PersonaRecord): string {
  return entry?.name ?? 'your own persona'
}
