/** Undoes what one profile reported, such as one that was scanned by mistake: its reports, and the contacts that only it showed. */
import type { Changes } from '../state/changes.ts'
import type { PersonaRecord } from '../state/persona-record.ts'
import type { State } from '../state/state.ts'
import { forgetContact } from './forget.ts'
import { dropReports } from './revoke.ts'

const MAX_NAMES = 64 // sanity: of 64 characters each; people read the first ones
const CONTACTS_A_CHANGE = 100 // sanity: other changes get their turn in between

/**
 * Doing it twice is the same as once, so a crash in between costs nothing but a second call. Contacts that the owner touched stay, and so do
 * those that another source has shown.
 * @returns how many devices the source had reported, how many contacts are forgotten, and the names of the first ones
 */
export async function forgetSource(
  source: string,
  keeper: Changes,
): Promise<{ devices: number; contacts: number; names: string[] }> {
  const shown = await personasOf(source, keeper)
  const devices = await dropReports(source, keeper)
  const names: string[] = []
  let contacts = 0
  for (let at = 0; at < shown.length; at += CONTACTS_A_CHANGE) {
    await keeper.change(() => {
      for (const id of shown.slice(at, at + CONTACTS_A_CHANGE)) {
        const persona = keeper.state.persona(id)
        if (persona?.entry == null || isTouched(persona) || isSeen(persona, keeper.state)) continue
        contacts++
        if (names.length < MAX_NAMES) names.push(persona.entry.name)
        forgetContact(persona, keeper.state)
      }
    })
  }
  return { devices, contacts, names }
}

async function personasOf(source: string, { onDisk }: Changes): Promise<string[]> {
  const ids = new Set<string>()
  for await (const [, { reports, bound }] of onDisk.devices.iterate()) {
    const report = reports.find((one) => one.source === source)
    if (report === undefined) continue
    if (bound !== null) ids.add(bound)
    if (report.token !== null) ids.add(report.token.personaId)
  }
  return [...ids]
}

/** The owner verified, blocked or pinned it, or gave it a policy. */
function isTouched({ verifiedAtSec, minEpoch, entry }: PersonaRecord): boolean {
  if (entry === null || verifiedAtSec !== null || minEpoch > 0) return true
  return entry.policy !== 'auto' || entry.blocked || entry.aliases.length > 0
}

/** Whether any source still shows this persona. */
function isSeen({ personaId, devices, others }: PersonaRecord, state: State): boolean {
  const keys = [...devices.map(({ key }) => key), ...others]
  return keys.some((key) => state.device(key).reports.some(({ token }) => token?.personaId === personaId))
}
