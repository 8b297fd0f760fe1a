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
  const name = persona.entry?.name ?? OWN_NAME
  const message = `two key chains claim to be ${name}: somebody else has its first key; nothing of the second one was taken`
  alarm(ledger, 'CHAIN_DISPUTED', persona.personaId, null, message)
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
