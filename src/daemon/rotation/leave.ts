/** This device leaves its persona: a last table without it, and then no secret is left here (docs/ipc.md, section 3, persona.leave). */
import type { LeaveResult } from '../../ipc/shapes/rotation.ts'
import { composeStatus } from '../../core/token.ts'
import { OWNER_SOURCE } from '../apps/sessions.ts'
import { isOfHere, isUnlisted } from '../own/notes.ts'
import { KeeperError } from '../state/errors.ts'
import type { Journal } from '../own/journal.ts'
import type { Keeper } from '../keeper/keeper.ts'
import type { OwnHead } from '../own/head.ts'
import { rememberOwnNames } from '../own/table.ts'

const FORMER_NAME = 'my former persona'

/**
 * Signs the last table, if one can be signed, and lets go of the persona: it is a contact like any other from then on. Inside of a change.
 * @throws {KeeperError} NO_PERSONA | LOCKED
 */
export function leaveTable(own: OwnHead, journal: Journal): LeaveResult {
  const { ledger } = own
  const local = own.persona.devices.filter(({ key }) => isOfHere(own.own, key))
  const status = signLast(own)
  const { persona } = own
  for (const intent of journal.live) journal.forget(intent)
  const entry = ledger.entries.make(FORMER_NAME, { kind: 'persona', id: persona.personaId })
  ledger.putPersona({ ...persona, entry })
  own.past.clear()
  ledger.removeOwn()
  ledger.tellContact(persona.personaId, [{ kind: 'created', key: null, name: entry.name }], OWNER_SOURCE)
  const remaining = persona.devices.map((device) => ({ ...device }))
  return { status, local, remaining, personaId: persona.personaId }
}

/** @returns the status message of the table without the devices of this machine; null where another device's word stands already, or may */
function signLast(own: OwnHead): string | null {
  const { persona, head } = own
  const { epoch, restoredSec } = own.own
  if (restoredSec !== null || head.epoch !== epoch || isUnlisted(own.own, persona.devices)) return null
  const devices = persona.devices.filter(({ key }) => !isOfHere(own.own, key))
  if (devices.length < persona.devices.length) {
    const { blob, named } = own.sign(own.draft(devices), true)
    own.put({ named })
    own.letOut({ ...persona, names: rememberOwnNames(devices, persona.names) }, blob, 'remove')
  }
  return composeStatus('', own.head.bytes).text
}

/**
 * Takes this device out of the table and erases the secrets here. The table is on disk before a secret goes.
 * @throws {KeeperError} NO_PERSONA | LOCKED | RECOVERY_UNCONFIRMED @throws {StoreError}
 */
export async function leave(keeper: Keeper): Promise<LeaveResult> {
  return await keeper.keys.inTurn(async () => {
    keeper.table()
    if (keeper.custody.hasSeed) {
      const message = 'the recovery words were never confirmed, so the seed on this device may be the only one there is'
      throw new KeeperError('RECOVERY_UNCONFIRMED', message, 'write them down first: persona recovery show')
    }
    const result = await keeper.commit(() => keeper.own.leave())
    // Crash here: secrets without a persona in the store, which the next start discards.
    await keeper.custody.discard()
    return result
  })
}
