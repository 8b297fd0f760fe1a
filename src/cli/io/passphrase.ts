/** Asks for passphrases at the terminal, or reads them from files. A wrong one can be typed again. */
import { tell } from './context.ts'
import { CliError, hasCode } from './errors.ts'
import { readPassphraseFile } from './input.ts'
import { askSecret, isInteractive } from './prompt.ts'

export const MAX_TRIES = 3 // sanity: after that the passphrase is forgotten, and trying again does not help
const SHORT_CHARS = 10 // sanity: a stolen file can be tried some millions of times a day in spite of Argon2id

/** Where a passphrase comes from: `file` if given, otherwise the terminal. */
export interface PassphraseSource {
  readonly file: string | undefined
  /** The option that gives the file, for the hint. */
  readonly option: string
}

/**
 * Reads a passphrase from its file, or asks for it.
 * @param question such as `Passphrase of bob.tox: `
 * @throws {CliError} PASSPHRASE_FILE | NO_TERMINAL | CANCELLED
 */
export async function obtainPassphrase(source: PassphraseSource, question: string): Promise<string> {
  if (source.file !== undefined) return await readPassphraseFile(source.file)
  if (!isInteractive()) {
    throw new CliError('NO_TERMINAL', 'this needs a passphrase, and there is no terminal to ask on', {
      hint: `add ${source.option} FILE (- for stdin)`,
    })
  }
  return await askSecret(question)
}

/**
 * Obtains a passphrase and uses it. At the terminal a wrong one can be typed again, up to {@link MAX_TRIES} times; Enter alone cancels.
 * @param wrong the code of the error for a wrong passphrase
 * @throws {CliError} as {@link obtainPassphrase} @throws whatever `use` throws
 */
export async function tryPassphrase<T>(
  source: PassphraseSource,
  question: string,
  wrong: string,
  use: (passphrase: string) => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    const passphrase = await obtainPassphrase(source, question)
    const isTyped = source.file === undefined
    if (isTyped && passphrase === '') throw new CliError('CANCELLED', 'cancelled')
    try {
      return await use(passphrase)
    } catch (error) {
      if (!isTyped || attempt === MAX_TRIES || !hasCode(error, wrong)) throw error
      tell('That passphrase is wrong. Try again.\n')
    }
  }
}

/**
 * Asks for a new passphrase, twice.
 * @throws {CliError} NO_TERMINAL | CANCELLED | PASSPHRASE_DIFFERS | PASSPHRASE_FILE if a file is empty
 */
export async function askNewPassphrase(source: PassphraseSource): Promise<string> {
  if (source.file !== undefined) return await readPassphraseFile(source.file)
  for (let attempt = 1; ; attempt++) {
    const first = await obtainPassphrase(source, 'New passphrase: ')
    if (first === '') throw new CliError('CANCELLED', 'an empty passphrase protects nothing; nothing changed')
    if (Array.from(first).length < SHORT_CHARS)
      tell('This passphrase is short. Somebody who gets the file can find it by trying; four random words are safer.\n')
    if ((await askSecret('Repeat the passphrase: ')) === first) return first
    if (attempt === MAX_TRIES) throw new CliError('PASSPHRASE_DIFFERS', 'the two passphrases differ; nothing changed')
    tell('The two passphrases differ. Try again.\n')
  }
}
