/** A word of a command that a person is to type: nicknames may have spaces. */

/** As the shell takes it for one word. */
export function quoteWord(word: string): string {
  return /^[\w.-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`
}
