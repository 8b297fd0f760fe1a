/** Alarms about the owner's own persona (docs/format.md, sections 4 and 9). */
import type { Forgotten } from './rollback.ts'
import { alarm } from '../personas/alarms.ts'
import type { State } from '../state/state.ts'

/** The own persona was rotated twice, here and elsewhere, and neither knew of the other. */
export function alarmRival(personaId: string, epoch: number, state: State): void {
  const message =
    `your persona was also rotated elsewhere, to epoch ${epoch}, and the rotation made here did not know of it: a device that had the ` +
    'key then still has it. Rotate again: persona rotate'
  alarm(state, 'ROTATE_AGAIN', personaId, null, message)
}

/** A table of the own persona that only this daemon can have signed, or has let out, is not in its store. */
export function alarmForgotten(
  personaId: string,
  { epoch, seq }: { readonly epoch: number; readonly seq: number },
  how: Forgotten,
  from: string,
  state: State,
): void {
  const what = `table ${seq} of epoch ${epoch} of your persona is not in this store`
  const why =
    how === 'sole'
      ? 'though no other device and no backup was given the signing key: either the store was put back to an earlier state, or somebody has a copy of your key'
      : 'though the device of this daemon shows it: the store was put back to an earlier state, unless another machine writes that profile too'
  const remedy =
    'What came between is lost here: contacts, removed devices, what you approved. Look at your table: persona device list. If you did not put anything back: persona rotate'
  alarm(state, 'STORE_ROLLED_BACK', personaId, from === '' ? null : from, `${what}, ${why}. ${remedy}`)
}

/** A sibling's table leaves out the device that this daemon runs for. */
export function alarmUnlisted(personaId: string, state: State): void {
  const message =
    'another device took this one out of your table: nothing is signed or shown here until you say who did that; see: persona status'
  alarm(state, 'OWN_DEVICE_UNLISTED', personaId, null, message)
}
