/** What comes in through files and stdin: texts and passphrases, bounded and strictly decoded. Never through argv or the environment. */
import { open, type FileHandle } from 'node:fs/promises'
import { concatBytes, decodeUtf8 } from '../../core/encoding/bytes.ts'
import { CliError } from './errors.ts'
import { askSecret, isInteractive } from './prompt.ts'

const MAX_PASSPHRASE_CHARS = 1024 // sanity: what the daemon takes
const MAX_SECRET_FILE_BYTES = 4096 // sanity: as many characters of UTF-8; 24 recovery words have far fewer
export const MAX_TEXT_BYTES = 65_536 // sanity: far over any status message, so that also an overlong one is judged

/**
 * The whole of stdin as text, one line end at its end taken off.
 * @throws {CliError} INPUT_TOO_LONG | INPUT_NOT_UTF8
 */
export async function readStdin(maxBytes: number): Promise<string> {
  const parts: Uint8Array[] = []
  let length = 0
  for await (const part of process.stdin as AsyncIterable<Uint8Array>) {
    length += part.length
    if (length > maxBytes) throw new CliError('INPUT_TOO_LONG', `more than ${maxBytes} bytes come in on stdin`)
    parts.push(part)
  }
  const text = decodeUtf8(concatBytes(...parts))
  if (text === null) throw new CliError('INPUT_NOT_UTF8', 'what comes in on stdin is not UTF-8')
  return withoutLineEnd(text)
}

/** The lines of stdin, without empty ones. */
export async function readStdinLines(maxBytes: number): Promise<string[]> {
  const text = await readStdin(maxBytes)
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
}

/**
 * A passphrase from a file, `-` for stdin, without the line end.
 * @throws {CliError} PASSPHRASE_FILE
 */
export async function readPassphraseFile(path: string): Promise<string> {
  const text = await readSecretFile(path, PASSPHRASE)
  if (text.length > MAX_PASSPHRASE_CHARS) {
    throw new CliError(
      'PASSPHRASE_FILE',
      `the passphrase in ${nameOf(path)} has more than ${MAX_PASSPHRASE_CHARS} characters`,
    )
  }
  return text
}

/**
 * The recovery words from a file, `-` for stdin, as they stand there.
 * @throws {CliError} WORDS_FILE
 */
export async function readWordsFile(path: string): Promise<string> {
  return await readSecretFile(path, WORDS)
}

/** What a file is to hold, so that a refusal speaks of that. */
interface SecretFileKind {
  readonly code: 'PASSPHRASE_FILE' | 'WORDS_FILE'
  readonly absent: string
  readonly present: string
}

const PASSPHRASE: SecretFileKind = {
  code: 'PASSPHRASE_FILE',
  absent: 'there is no passphrase',
  present: 'the passphrase',
}
const WORDS: SecretFileKind = {
  code: 'WORDS_FILE',
  absent: 'there are no recovery words',
  present: 'what should be recovery words',
}

async function readSecretFile(path: string, kind: SecretFileKind): Promise<string> {
  const text = path === '-' ? await readStdin(MAX_SECRET_FILE_BYTES) : await readTextFile(path, kind)
  if (text === '') throw new CliError(kind.code, `${kind.absent} in ${nameOf(path)}`)
  return text
}

/** Where a passphrase comes from: `file` when given, else the terminal. */
export interface PassphraseSource {
  readonly file: string | undefined
  /** The option that names such a file, for the hint. */
  readonly option: string
}

/**
 * A passphrase, from its file or asked for.
 * @param question such as `Passphrase of bob.tox: `
 * @throws {CliError} PASSPHRASE_FILE | NO_TERMINAL | CANCELLED
 */
export async function obtainPassphrase(source: PassphraseSource, question: string): Promise<string> {
  if (source.file !== undefined) return await readPassphraseFile(source.file)
  if (!isInteractive()) {
    throw new CliError('NO_TERMINAL', 'a passphrase is needed, and there is no terminal to ask for it', {
      hint: `give it with ${source.option} FILE (- for stdin)`,
    })
  }
  return await askSecret(question)
}

/**
 * A new passphrase, typed twice.
 * @throws {CliError} NO_TERMINAL | CANCELLED | PASSPHRASE_DIFFERS | PASSPHRASE_FILE when it is empty
 */
export async function askNewPassphrase(source: PassphraseSource): Promise<string> {
  const first = await obtainPassphrase(source, 'New passphrase: ')
  if (source.file !== undefined) return first
  if (first === '')
    throw new CliError('PASSPHRASE_FILE', 'an empty passphrase protects nothing', { hint: 'type one, or do without' })
  const second = await askSecret('The same again: ')
  if (first !== second) throw new CliError('PASSPHRASE_DIFFERS', 'the two are not the same: nothing was done')
  return first
}

async function readTextFile(path: string, kind: SecretFileKind): Promise<string> {
  let handle: FileHandle | null = null
  try {
    // A pipe, such as /dev/fd/3 of a shell's <(...), is as good as a file.
    handle = await open(path, 'r')
    const { buffer, bytesRead } = await readAtMost(handle, MAX_SECRET_FILE_BYTES + 1)
    if (bytesRead > MAX_SECRET_FILE_BYTES) {
      throw new CliError(kind.code, `${kind.absent} in ${path}: it has more than ${MAX_SECRET_FILE_BYTES} bytes`)
    }
    const text = decodeUtf8(buffer.subarray(0, bytesRead))
    if (text === null) throw new CliError(kind.code, `${kind.present} in ${path} is not UTF-8`)
    return withoutLineEnd(text)
  } catch (cause) {
    if (cause instanceof CliError) throw cause
    const why = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown error'
    throw new CliError(kind.code, `cannot read ${path} (${why})`, { cause })
  } finally {
    await handle?.close()
  }
}

/** As many bytes as there are, up to a bound. */
export async function readAtMost(
  handle: FileHandle,
  maxBytes: number,
): Promise<{ buffer: Uint8Array; bytesRead: number }> {
  const buffer = new Uint8Array(maxBytes)
  let at = 0
  while (at < maxBytes) {
    const { bytesRead } = await handle.read(buffer, at, maxBytes - at)
    if (bytesRead === 0) break
    at += bytesRead
  }
  return { buffer, bytesRead: at }
}

function withoutLineEnd(text: string): string {
  return text.replace(/\r?\n$/, '')
}

function nameOf(path: string): string {
  return path === '-' ? 'stdin' : path
}
