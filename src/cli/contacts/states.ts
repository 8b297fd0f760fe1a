/** The words that people see for the states of contacts and devices (docs/format.md, section 10). */
import type { Contact, ContactDevice } from '../../ipc/shapes/contact.ts'

export const DEVICE_STATES: Readonly<Record<ContactDevice['state'], string>> = {
  confirmed: 'trusted',
  claimed: 'unconfirmed',
  asserted: 'unconfirmed',
  former: 'removed',
  provisional: 'no persona yet',
}

/** The most urgent state comes first. */
export function contactState(contact: Contact, hasAlarm = false): string {
  if (hasAlarm) return 'ALARM'
  if (contact.kind === 'own') return 'you'
  if (contact.blocked) return 'blocked'
  if (contact.pending) return 'needs your decision'
  if (contact.personaId === null) return 'no persona yet'
  if (contact.epoch === null) return 'no device seen yet'
  if (contact.devices.length > 0) return contact.verifiedAtSec === null ? 'trusted' : 'trusted, verified'
  return contact.claims.length > 0 ? 'unconfirmed' : 'no devices'
}
