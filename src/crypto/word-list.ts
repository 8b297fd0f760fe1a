/** The list of recovery words, for typing them: completion, and a check of each word (BIP-39, English). */
import { wordlist } from '@scure/bip39/wordlists/english.js'

const ENOUGH_LETTERS = 4 // format: the first 4 letters of each word of the list are its own

/** The words of the list that begin with these letters. */
export function wordsBeginning(letters: string): string[] {
  return letters === '' ? [] : wordlist.filter((word) => word.startsWith(letters))
}

/** The word of the list that is meant: the word itself, or the only one that begins with these 4 letters or more. */
export function meantWord(typed: string): string | null {
  const found = wordsBeginning(typed)
  if (found.includes(typed)) return typed
  return typed.length >= ENOUGH_LETTERS && found.length === 1 ? found[0]! : null
}

/** The word with this index, 0..2047. */
export function wordAt(index: number): string {
  return wordlist[index]!
}
