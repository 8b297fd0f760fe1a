/**
 * A cursor over things that lie in a folder: the names of those that were read and still lie there. A number would not do: programs that carry
 * files bring a later one before an earlier one.
 */
import { MAX_CURSOR_CHARS } from '../../../channel/carriers/carrier.ts'

/** Things of one reading. Further ones are left out until some are gone. */
export const MAX_THINGS = 224 // sanity: 64 frames in flight, some answers without a number, and an end that moves has two directories

const SEPARATOR = '.'

/** @param names without a dot, at most 17 characters each; the first {@link MAX_THINGS} count */
export function formatSeen(names: Iterable<string>): string {
  return [...names].slice(0, MAX_THINGS).join(SEPARATOR)
}

/** A text that is none names nothing: then all is read again, which is harmless. */
export function parseSeen(cursor: string): Set<string> {
  return new Set(cursor === '' || cursor.length > MAX_CURSOR_CHARS ? [] : cursor.split(SEPARATOR))
}
