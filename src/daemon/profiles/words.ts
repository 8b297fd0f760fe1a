/** The owner's words that a profile had to give up, because they do not fit beside the token. The next writing puts them back. */
import { ownWords } from '../../core/token.ts'
import { kind, type Kind } from '../state/kind.ts'
import type { KnownProfile, ProfileKeeper } from './known.ts'

/** The id is the ToxPk of an own device. */
export const LEFT_OUT: Kind<{ readonly words: string }> = kind('leftout', { travels: 'never' })

/** The words that an earlier writing left out; empty if there are none. */
export function wordsLeftOut(key: string, keeper: ProfileKeeper): string {
  return keeper.onDisk.of(LEFT_OUT).get(key)?.words ?? ''
}

/** The words to write into a profile: those that stand there, or those that an earlier writing left out. */
export function wordsOf({ words, view }: KnownProfile, keeper: ProfileKeeper): string {
  return words === '' && view.key !== null ? wordsLeftOut(view.key, keeper) : words
}

/** Keeps words durably; empty words forget the kept ones. */
export async function keepWords(key: string, words: string, keeper: ProfileKeeper): Promise<void> {
  if (words === wordsLeftOut(key, keeper)) return
  const { state } = keeper
  await keeper.change(() => {
    const kept = state.of(LEFT_OUT)
    state.stage(words === '' ? kept.remove(key) : kept.put(key, { words }))
  })
}

/**
 * The words to keep after a text was written because it was due.
 * @param before the words that stood there
 * @returns null to leave the kept ones as they are
 */
export function wordsToKeepAfter(text: string, before: string): string | null {
  if (ownWords(text) !== '') return ''
  return before === '' ? null : before
}
