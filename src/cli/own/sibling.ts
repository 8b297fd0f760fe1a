/** `persona sibling sync`: two devices of one owner exchange their tables through a file, or through stdin and stdout. */
import { open, stat, type FileHandle } from 'node:fs/promises'
import { decodeUtf8, encodeUtf8 } from '../../core/encoding/bytes.ts'
import { writeFileDurably } from '../../durable/file.ts'
import type { SyncResult } from '../../ipc/shapes/sibling.ts'
import { withDaemon } from '../io/connect.ts'
import { print, remark, type Context } from '../io/context.ts'
import { CliError, EXIT_DONE, EXIT_FAILED } from '../io/errors.ts'
import { SHOW_FRIENDS } from '../io/next-steps.ts'
import { escapeText } from '../io/escape.ts'
import { MAX_TEXT_BYTES, readAtMost, readStdin } from '../io/input.ts'
import { tableNumbers } from '../io/layout.ts'
import { isInteractive } from '../io/prompt.ts'

const NEW_FILE_MODE = 0o600 // sanity: other users of this machine need not read the table

/** Printed by `--json`. */
export interface SyncReport extends SyncResult {
  file: string
  /** False if the file already held this table, or holds a table that must not be replaced. */
  written: boolean
}

/** @param file read if it exists, then written; `-` for stdin and stdout */
export async function sync(context: Context, file: string): Promise<number> {
  return file === '-' ? await syncStreams(context) : await syncFile(context, file)
}

async function syncStreams(context: Context): Promise<number> {
  if (isInteractive()) process.stderr.write('Paste what your other device printed, then press Enter and Ctrl-D.\n')
  const result = await exchange(context, await readStdin(MAX_TEXT_BYTES))
  print(context, { file: '-', written: mayReplace(result), ...result }, [result.status.token])
  remark(context, `(${describeSync(result, context.verbose)})`)
  if (isChanged(result)) remark(context, SHOW_FRIENDS)
  return mayReplace(result) ? EXIT_DONE : EXIT_FAILED
}

async function syncFile(context: Context, file: string): Promise<number> {
  const before = await readTable(file)
  const result = await exchange(context, before ?? '')
  const after = `${result.status.token}\n`
  const written = mayReplace(result) && after !== before
  if (written) await writeFileDurably(file, encodeUtf8(after), { mode: await modeOf(file) })
  const report: SyncReport = { file, written, ...result }
  const where = escapeText(file)
  const wrote = `wrote your table to ${where}; run the same command with this file on your other device`
  print(context, report, [
    describeSync(result, context.verbose),
    written
      ? wrote
      : `${where} is unchanged: ${mayReplace(result) ? 'it already holds your table' : 'keep it as evidence'}`,
    ...(isChanged(result) ? [SHOW_FRIENDS] : []),
  ])
  return mayReplace(result) ? EXIT_DONE : EXIT_FAILED
}

async function exchange(context: Context, text: string): Promise<SyncResult> {
  return await withDaemon(context, (client) => client.call('sibling.sync', text.trim() === '' ? {} : { text }))
}

/** A table that this device cannot accept stays in the file: another device may accept it. */
function mayReplace({ verdict }: SyncResult): boolean {
  return verdict !== 'held' && verdict !== 'violation'
}

/** The table here is another one than before. */
function isChanged({ verdict }: SyncResult): boolean {
  return verdict === 'new' || verdict === 'accept' || verdict === 'fork'
}

function describeSync({ verdict, status }: SyncResult, verbose: boolean): string {
  return `${verdict === null ? 'there is no table to read yet' : READ[verdict]}${tableNumbers(verbose, status.table)}`
}

const READ: Readonly<Record<NonNullable<SyncResult['verdict']>, string>> = {
  new: 'accepted a newer table',
  accept: 'accepted a newer table',
  fork: 'your other device changed the table at the same time',
  refresh: 'read the same table as here',
  stale: 'read an older table than here',
  held: 'refused a table that is too far ahead: somebody else may have your key',
  violation: 'refused a table of another chain of keys: somebody else has the first key of your persona',
}

/** Returns the text of the file, or null if there is no file. @throws {CliError} SYNC_FILE */
async function readTable(file: string): Promise<string | null> {
  let handle: FileHandle | null = null
  try {
    handle = await open(file, 'r')
    const { buffer, bytesRead } = await readAtMost(handle, MAX_TEXT_BYTES + 1)
    const text = bytesRead > MAX_TEXT_BYTES ? null : decodeUtf8(buffer.subarray(0, bytesRead))
    if (text === null) throw new CliError('SYNC_FILE', `${file} is too long or not text; persona did not write it`)
    return text
  } catch (cause) {
    if (cause instanceof CliError) throw cause
    const why = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown error'
    if (why === 'ENOENT') return null
    throw new CliError('SYNC_FILE', `cannot read ${file} (${why})`, { cause })
  } finally {
    await handle?.close()
  }
}

async function modeOf(file: string): Promise<number> {
  try {
    return (await stat(file)).mode & 0o777
  } catch {
    return NEW_FILE_MODE
  }
}
