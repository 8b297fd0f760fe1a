/** Judges again what a device shows by a short status, once it is known which persona that names (docs/announce.md, section 10). Inside of a change. */
import { formatShort } from '../../core/announce/short.ts'
import type { VerifiedBlob } from '../../core/verify.ts'
import { headOf } from '../personas/heads.ts'
import type { OwnHeads } from '../personas/own-sight.ts'
import type { State } from '../state/state.ts'
import { observe } from './observe.ts'
import { chainOf, headShownBy, isOwnOf, noteShort, shortOfRecord } from './short.ts'

/**
 * The device counts as showing the head since it was last seen with the short status. A blob that does not list the device changes nothing:
 * then the short status is somebody else's.
 * @param found the best blob of the chain that the short status names, if it was looked up; null to ask only the records
 * @returns whether the device counts as showing the head
 */
export function settleShort(key: string, found: VerifiedBlob | null, own: OwnHeads, state: State): boolean {
  const record = state.records.shorts.get(key)
  if (record === undefined) return false
  const short = shortOfRecord(record)
  const { source, atSec, name } = record
  const named = headShownBy(key, short, state) ?? newcomer(key, found, state)
  if (named !== null) {
    const params = { from: key, text: formatShort(short, state.engine), seenAtSec: atSec }
    observe(name === '' ? params : { ...params, name }, source, own, state, false, named)
    return true
  }
  // If that persona is known, nobody needs to look the short status up any more.
  if (found !== null) noteShort({ ...record, key }, short, chainOf(found), state)
  return false
}

/** The head of the persona that was found, or the blob itself for a persona that is not known, if the device is one of it. */
function newcomer(key: string, found: VerifiedBlob | null, state: State): VerifiedBlob | null {
  if (found === null) return null
  const { personaId, root } = chainOf(found)
  const persona = state.persona(personaId)
  const head = persona === undefined ? found : persona.root === root ? headOf(persona, state) : null
  return head !== null && isOwnOf(key, head, state) ? head : null
}
