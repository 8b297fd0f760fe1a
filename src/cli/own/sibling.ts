/** `persona sibling sync`: two devices of one owner exchange their tables by a file, or by stdin and stdout. */
import { open, stat, type FileHandle } from 'node:fs/promises'
import { decodeUtf8, encodeUtf8 } from '../../core/encoding/bytes.ts'
import { writeFileDurably } from '../../durable/file.ts'
import type { SyncResult } from '../../ipc/shapes/sibling.ts'
import { withDaemon } from '../io/connect.ts'
import { print, remark, type Context } from '../io/context.ts'
import { CliError, EXIT_DONE, EXIT_FAILED } from '../io/errors.ts'
import { escapeText } from '../io/escape.ts'
import { MAX_TEXT_BYTES, readAtMost, readStdin } from '../io/input.ts'
import { isInteractive } from '../io/prompt.ts'

const NEW_FILE_MODE = 0o600 // sanity: friends may read the table, other users of this machine need not

/** What `--json` prints. */
export interface SyncReport extends SyncResult {
  file: string
  /** False when the file showed this already, or holds what must not be replaced. */
  written: boolean
}

/** @param file read if it is there, then written; `-` for stdin and stdout */
export async function sync(context: Context, file: string): Promise<number> {
  return file === '-' ? await syncStreams(context) : await syncFile(context, file)
}

async function syncStreams(context: Context): Promise<number> {
  if (isInteractive()) process.stderr.write('Paste what your other device printed, then press Enter and Ctrl-D.\n')
  const result = await exchange(context, await readStdin(MAX_TEXT_BYTES))
  print(context, { file: '-', written: mayReplace(result), ...result }, [result.status.token])
  remark(context, `(${told(result)})`)
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
  const wrote = `wrote table ${result.status.table.seq} to ${where}; let your other device do the same with it`
  print(context, report, [told(result), written ? wrote : `${where} was left as it is`])
  return mayReplace(result) ? EXIT_DONE : EXIT_FAILED
}

async function exchange(context: Context, text: string): Promise<SyncResult> {
  return await withDaemon(context, (client) => client.call('sibling.sync', text.trim() === '' ? {} : { text }))
}

/** What could not be taken here another device may be able to take. */
function mayReplace({ verdict }: SyncResult): boolean {
  return verdict !== 'held' && verdict !== 'violation'
}

function told({ verdict, status }: SyncResult): string {
  const now = `your table is ${status.table.seq} of epoch ${status.table.epoch}`
  switch (verdict) {
    case null:
      return `nothing to read yet; ${now}`
    case 'new':
    case 'accept':
      return `took a newer table; ${now}`
    case 'fork':
      return `read a table in the place of this one; ${now}`
    case 'refresh':
      return `read the table that is known; ${now}`
    case 'stale':
      return `read an older table; ${now}`
    case 'held':
      return `read a table too far ahead to be taken, which somebody may have made who has your key; ${now}`
    case 'violation':
      return `read a table of another chain of keys: somebody else has the first key of your persona; ${now}`
  }
}

/** The file's text, or null when there is none. @throws {CliError} SYNC_FILE */
async function readTable(file: string): Promise<string | null> {
  let handle: FileHandle | null = null
  try {
    handle = await open(file, 'r')
    const { buffer, bytesRead } = await readAtMost(handle, MAX_TEXT_BYTES + 1)
    const text = bytesRead > MAX_TEXT_BYTES ? null : decodeUtf8(buffer.subarray(0, bytesRead))
    if (text === null) throw new CliError('SYNC_FILE', `${file} is too long, or no text: no sibling wrote it`)
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
