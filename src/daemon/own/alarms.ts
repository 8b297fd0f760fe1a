/** Alarms about the owner's own persona (docs/format.md, sections 4 and 9). */
import { OWN_DEVICE_UNLISTED, PERSONA_SUCCEEDED, ROTATED_OUT_RETURNED } from './conditions.ts'
import type { Forgotten } from './rollback.ts'
import { alarm } from '../personas/alarms.ts'
import type { State } from '../state/state.ts'

/** The own persona was rotated here and elsewhere, and neither rotation knew of the other. */
export function alarmRival(personaId: string, state: State): void {
  const message =
    'another device also rotated your key, without knowing of the rotation made here: a device that had that other key ' +
    'still has it. Rotate the key again'
  alarm(state, 'ROTATE_AGAIN', personaId, null, message)
}

/** A device that a rotation here left out is back in a table of the new key. */
export function alarmReturned(personaId: string, state: State): void {
  const { message, hint } = ROTATED_OUT_RETURNED
  alarm(state, 'ROTATE_AGAIN', personaId, null, `${message}. ${capital(hint)}`)
}

/** A persona is shown that the last key of the own one names. */
export function alarmSucceeded(
  personaId: string,
  successorId: string,
  verdict: 'proven' | 'unproven',
  state: State,
): void {
  const message =
    verdict === 'proven'
      ? `${PERSONA_SUCCEEDED.message}: ${successorId}. ${capital(PERSONA_SUCCEEDED.hint)}`
      : `a persona says that it follows yours, and the last key of yours signed that: ${successorId}. If you did not make it, somebody else has this key, and only a new persona of your own helps`
  alarm(state, 'PERSONA_SUCCEEDED', personaId, null, message)
}

/** The store lacks an own table that only this daemon can have signed or published. */
export function alarmForgotten(
  personaId: string,
  how: Forgotten,
  from: string,
  table: { readonly epoch: number; readonly seq: number },
  state: State,
): void {
  const what = 'a table of your persona is missing from this store'
  const why =
    how === 'sole'
      ? 'though no other device and no backup was given the signing key: either the store was put back to an earlier state, or somebody has a copy of your key'
      : 'though the device of this daemon shows it: the store was put back to an earlier state, unless another machine writes that profile too'
  const remedy =
    'Changes made after that are lost here: contacts, removed devices, approvals. Check your devices. If you put nothing back, rotate the key'
  alarm(state, 'STORE_ROLLED_BACK', personaId, from === '' ? null : from, `${what}, ${why}. ${remedy}`, { table })
}

/** A sibling's table leaves out the device that this daemon runs for. */
export function alarmUnlisted(personaId: string, state: State): void {
  // The alarm stands until it is dismissed, also when the device is listed again.
  const what =
    'another of your devices removed this one from your table; until it is listed again, this device signs and publishes nothing'
  const message = `${what}. ${capital(OWN_DEVICE_UNLISTED.hint)}`
  alarm(state, 'OWN_DEVICE_UNLISTED', personaId, null, message)
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
