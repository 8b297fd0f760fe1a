/** What the owner is to know at once, and nothing was changed for: who claims what is another's (docs/format.md, sections 8 and 10). */
import { isContested, pairState } from '../core/trust.ts'
import type { Ledger } from './ledger.ts'
import type { PersonaRecord } from './records.ts'

const OWN_NAME = 'your own persona'

function alarm(ledger: Ledger, code: string, personaId: string, key: string | null, message: string): void {
  ledger.emit({ event: 'alarm', data: { code, personaId, key, message } })
}

/** Two chains for one PersonaID: whoever made the second one holds K_0. */
export function alarmDisputed(persona: PersonaRecord, ledger: Ledger): void {
  const { entry } = persona
  const what = `two key chains claim to be ${entry?.name ?? OWN_NAME}: somebody else has its first key; nothing of the second one was taken`
  const remedy =
    entry === null
      ? 'who knows you already refuses it too; give who meets you now your contact link: persona link'
      : 'ask for a contact link where you know whom you speak to, and take the chain that it names: persona contact add LINK --repin'
  const message = `${what}; ${remedy}`
  alarm(ledger, 'CHAIN_DISPUTED', persona.personaId, null, message)
}

/** The own persona was rotated twice, here and elsewhere, and neither knew of the other. */
export function alarmRival(personaId: string, epoch: number, ledger: Ledger): void {
  const message =
    `your persona was also rotated elsewhere, to epoch ${epoch}, and the rotation made here did not know of it: a device that had the ` +
    'key then still has it. Rotate again: persona rotate'
  alarm(ledger, 'ROTATE_AGAIN', personaId, null, message)
}

/** A sibling's table leaves out the device that this daemon runs for. */
export function alarmUnlisted(personaId: string, ledger: Ledger): void {
  const message =
    'another device took this one out of your table: nothing is signed or shown here until you say who did that; see: persona status'
  alarm(ledger, 'OWN_DEVICE_UNLISTED', personaId, null, message)
}

/** A device that is bound to a persona shows another one. */
export function alarmSwitched(bound: string, shown: string, key: string, ledger: Ledger): void {
  const name = ledger.persona(bound)?.entry?.name ?? OWN_NAME
  const message = `a device of ${name} shows another persona, ${shown}; it is no longer taken for ${name}'s, nor for the other's`
  alarm(ledger, 'PERSONA_SWITCHED', bound, key, message)
}

/** Says that a persona lists a device which is known as somebody else's, if it is. */
export function alarmIfContested(persona: PersonaRecord, key: string, ledger: Ledger): void {
  const { bound, reports, entry } = ledger.device(key)
  const state = pairState(persona.personaId, true, bound, reports)
  if (!isContested(persona.personaId, state, bound, entry !== null, reports)) return
  const name = persona.entry?.name ?? OWN_NAME
  const message = `${name} lists a device that is known as somebody else's; it counts as ${name}'s only once it shows that itself`
  alarm(ledger, 'DEVICE_CONTESTED', persona.personaId, key, message)
}
