/**
 * A proposal at the daemon that has the source channel, where another daemon of the same persona has the target app (docs/links.md, section 5). Values in,
 * values out: whom the other daemon may have, what it says, and the withdrawal of what is not provided any more.
 */
import { formatText, type ProposalText, type Saying } from './text.ts'
import type { ContactWord } from './word.ts'

export const MAX_LEAP: number = 366 * 86_400 // format: a clock that is a year ahead; so no daemon uses up the numbers above its own, which a withdrawal needs

/** The other daemon knows this of the contact. */
export type Told = Pick<ContactWord, 'channel' | 'name' | 'isProvided'>

/** A text, without what belongs to the word that it says. */
export interface Said {
  readonly n: number
  readonly seen: number
  readonly says: Saying['says']
}

export interface Passed {
  /** Null before the other daemon knows anything. */
  readonly told: Told | null
  /** The newest text that has gone over the source channel; null for none. */
  readonly said: Said | null
  /** A newer one, which has not gone yet. */
  readonly next: (Said & { readonly text: Uint8Array }) | null
}

export const NOTHING_PASSED: Passed = { told: null, said: null, next: null }

/** The contact is not provided to the other daemon now: nothing stays of its offers, and an open channel goes on. */
export function stopped(passed: Passed, app: string, nowSec: number): Passed {
  const { said, next } = passed
  const newest = next ?? said
  if (newest === null || newest.says === 'open' || newest.says === 'withdraw') return passed
  if (said === null) return { ...passed, next: null }
  const n = Math.max(newest.n + 1, nowSec)
  const { seen } = newest
  const text = formatText({ app, n, seen, saying: { says: 'withdraw' } })
  return { ...passed, next: { n, seen, says: 'withdraw', text } }
}

/** The word that the other daemon lacks; null if it knows all. */
export function lacking(
  { told, said, next }: Passed,
  now: Told,
): Omit<ContactWord, 'kind' | 'persona' | 'device'> | null {
  // Nobody is told of somebody who is not provided.
  if (told === null && !now.isProvided) return null
  const isSame =
    told !== null && told.isProvided === now.isProvided && told.channel === now.channel && told.name === now.name
  return isSame ? null : { ...now, n: (next ?? said)?.n ?? 0 }
}

/**
 * The other daemon has a text for the source channel. It may say the newest one once more. An older one, one whose number leaps, or one that it may not
 * say now, changes nothing.
 */
export function spoke(
  passed: Passed,
  { n, seen, saying: { says } }: ProposalText,
  text: Uint8Array,
  nowSec: number,
): Passed {
  const { told, said, next } = passed
  const lastN = (next ?? said)?.n ?? 0
  const isNext = n >= lastN && n <= Math.max(lastN, nowSec) + MAX_LEAP
  // A channel comes of an offer that the contact has got.
  const mayNow = told?.isProvided === true || (says === 'open' && said !== null)
  if (!isNext || !mayNow) return passed
  return { ...passed, next: { n, seen, says, text } }
}

/** The text that waited has gone. */
export function gone(passed: Passed): Passed {
  const { next } = passed
  if (next === null) return passed
  const { text: _, ...said } = next
  return { ...passed, said, next: null }
}
