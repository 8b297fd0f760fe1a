/** Leaving, inside of a change: signs a last table without this device, then the persona is a contact (docs/ipc.md, section 3, persona.leave). */
import { MAX_SEQ } from '../../core/limits.ts'
import { composeStatus } from '../../core/token.ts'
import type { OwnHead } from './sign-table.ts'
import type { Journal } from './journal.ts'
import { isOfHere, isUnlisted } from './notes.ts'
import { rememberOwnNames } from './own-records.ts'
import { OWNER_SOURCE } from '../state/sources.ts'
import type { LeaveResult } from '../../ipc/shapes/rotation.ts'

export const FORMER_NAME = 'my former persona'

/**
 * Signs the last table if it can, and gives up the persona, which becomes a contact like any other. Inside of a change.
 * @throws {KeeperError} NO_PERSONA {CustodyError} LOCKED
 */
export function leaveTable(own: OwnHead, journal: Journal): LeaveResult {
  const { state } = own
  const local = own.persona.devices.filter(({ key }) => isOfHere(own.record, key))
  const status = signLast(own)
  const { persona } = own
  for (const intent of journal.live) journal.forget(intent)
  const entry = state.names.make(FORMER_NAME, { kind: 'persona', id: persona.personaId })
  state.putPersona({ ...persona, entry })
  own.past.clear()
  state.removeOwn()
  state.emitContact(persona.personaId, [{ kind: 'created', key: null, name: entry.name }], OWNER_SOURCE)
  const remaining = persona.devices.map((device) => ({ ...device }))
  return { status, local, remaining, personaId: persona.personaId }
}

/** @returns the status message of the table without the devices of this machine; null if a sibling's table decides, or may decide, instead */
export function signLast(own: OwnHead): string | null {
  const { persona, blob: head } = own
  const { epoch, restoredSec, succeededBy = null } = own.record
  const isOver = head.seq >= MAX_SEQ || succeededBy !== null
  if (isOver || restoredSec !== null || head.epoch !== epoch || isUnlisted(own.record, persona.devices)) return null
  const devices = own.devices.filter(({ key }) => !isOfHere(own.record, key))
  if (devices.length < persona.devices.length) {
    const { blob, named } = own.sign(own.draft(devices), true)
    own.put({ named })
    own.install({ ...persona, names: rememberOwnNames(devices, persona.names) }, blob, 'remove')
  }
  return composeStatus('', own.blob.bytes).text
}
