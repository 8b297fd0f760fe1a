/** Quotes a word of a command line that a person can copy, since nicknames may have spaces. */

/** Quoted so that the shell reads it as one word. */
export function quoteWord(word: string): string {
  return /^[\w.-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`
}
