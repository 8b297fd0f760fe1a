/** Reads texts and secrets from files and stdin, bounded and strictly decoded. Secrets never come from arguments or the environment. */
import { createReadStream } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import { concatBytes, decodeUtf8 } from '../../core/encoding/bytes.ts'
import { CliError } from './errors.ts'
import { isInteractive } from './prompt.ts'

const MAX_PASSPHRASE_CHARS = 1024 // sanity: the daemon's own limit
const MAX_SECRET_FILE_BYTES = 4096 // sanity: 1024 characters of UTF-8; 24 recovery words are far shorter
export const MAX_TEXT_BYTES = 65_536 // sanity: far above any status message, so that an overlong one can still be judged

/**
 * Reads all of stdin as text, without its last line end.
 * @throws {CliError} INPUT_TOO_LONG | INPUT_NOT_UTF8
 */
export async function readStdin(maxBytes: number): Promise<string> {
  const text = decodeUtf8(await readAll(process.stdin as AsyncIterable<Uint8Array>, 'stdin', maxBytes))
  if (text === null) throw new CliError('INPUT_NOT_UTF8', 'stdin is not UTF-8 text')
  return withoutLineEnd(text)
}

/** Reads all of stdin; at a terminal what a person types. @throws {CliError} INPUT_TOO_LONG */
export async function readStdinBytes(maxBytes: number): Promise<Uint8Array> {
  if (isInteractive()) process.stderr.write('Type the text, then press Enter and Ctrl-D.\n')
  return await readAll(process.stdin as AsyncIterable<Uint8Array>, 'stdin', maxBytes)
}

/** Reads a whole file. @throws {CliError} FILE_UNREADABLE | INPUT_TOO_LONG */
export async function readFileBytes(path: string, maxBytes: number): Promise<Uint8Array> {
  try {
    return await readAll(createReadStream(path) as AsyncIterable<Uint8Array>, path, maxBytes)
  } catch (cause) {
    if (cause instanceof CliError) throw cause
    const why = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown error'
    throw new CliError('FILE_UNREADABLE', `cannot read ${path} (${why})`, { cause })
  }
}

const MIB: number = 1 << 20

/** @param name of the source, for the error @throws {CliError} INPUT_TOO_LONG */
async function readAll(source: AsyncIterable<Uint8Array>, name: string, maxBytes: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  let length = 0
  for await (const part of source) {
    length += part.length
    if (length > maxBytes) {
      const most = maxBytes < MIB ? `${maxBytes} bytes` : `${(maxBytes / MIB).toFixed(1).replace('.0', '')} MiB`
      throw new CliError('INPUT_TOO_LONG', `${name} has more than ${most}`, {
        hint: 'give less: this command takes no more',
      })
    }
    parts.push(part)
  }
  return concatBytes(...parts)
}

/** Reads the lines of stdin, without empty ones. */
export async function readStdinLines(maxBytes: number): Promise<string[]> {
  const text = await readStdin(maxBytes)
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
}

/**
 * Reads a passphrase from a file (`-` for stdin), without the line end.
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
 * Reads the recovery words from a file (`-` for stdin), unchanged.
 * @throws {CliError} WORDS_FILE
 */
export async function readWordsFile(path: string): Promise<string> {
  return await readSecretFile(path, WORDS)
}

/**
 * Reads a token from a file (`-` for stdin), without white space around it.
 * @throws {CliError} TOKEN_FILE
 */
export async function readTokenFile(path: string): Promise<string> {
  return (await readSecretFile(path, TOKEN)).trim()
}

/** The secret that a file should hold, for its errors. */
interface SecretFileKind {
  readonly code: 'PASSPHRASE_FILE' | 'WORDS_FILE' | 'TOKEN_FILE'
  readonly name: string
}

const PASSPHRASE: SecretFileKind = {
  code: 'PASSPHRASE_FILE',
  name: 'a passphrase',
}
const WORDS: SecretFileKind = {
  code: 'WORDS_FILE',
  name: 'the recovery words',
}

const TOKEN: SecretFileKind = { code: 'TOKEN_FILE', name: 'a token' }

async function readSecretFile(path: string, kind: SecretFileKind): Promise<string> {
  const text = path === '-' ? await readStdin(MAX_SECRET_FILE_BYTES) : await readTextFile(path, kind)
  if (text === '') throw new CliError(kind.code, `${nameOf(path)} is empty; it should hold ${kind.name}`)
  return text
}

async function readTextFile(path: string, kind: SecretFileKind): Promise<string> {
  let handle: FileHandle | null = null
  try {
    // A pipe also works, such as /dev/fd/3 of a shell's <(...).
    handle = await open(path, 'r')
    const { buffer, bytesRead } = await readAtMost(handle, MAX_SECRET_FILE_BYTES + 1)
    if (bytesRead > MAX_SECRET_FILE_BYTES) {
      throw new CliError(kind.code, `${path} has more than ${MAX_SECRET_FILE_BYTES} bytes, too many for ${kind.name}`)
    }
    const text = decodeUtf8(buffer.subarray(0, bytesRead))
    if (text === null) throw new CliError(kind.code, `${path} is not UTF-8 text`)
    return withoutLineEnd(text)
  } catch (cause) {
    if (cause instanceof CliError) throw cause
    const why = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown error'
    throw new CliError(kind.code, `cannot read ${path} (${why})`, { cause })
  } finally {
    await handle?.close()
  }
}

/** Reads up to `maxBytes` bytes. */
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
