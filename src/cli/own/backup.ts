/** `persona backup`, `persona restore` and `persona reconcile`: writes everything to one sealed file, and reads it back (docs/backup.md). */
import { lstat, open, type FileHandle } from 'node:fs/promises'
import { BOX_BYTES } from '../../core/stream/box-stream.ts'
import { formatBase64url, parseBase64url } from '../../core/encoding/bytes.ts'
import { BACKUP_HEADER_BYTES } from '../../crypto/sealed-stream.ts'
import { writeFileDurably } from '../../durable/file.ts'
import type { Client } from '../../ipc/client.ts'
import { MAX_COPIES, type ReconcileResult, type RestoreResult } from '../../ipc/shapes/backup.ts'
import { withDaemon } from '../io/connect.ts'
import { print, remark, type Context } from '../io/context.ts'
import { checkNoPersona } from './checks.ts'
import { readCopies } from './copies.ts'
import { SHOW_FRIENDS } from '../io/next-steps.ts'
import { CliError, EXIT_DONE, EXIT_FAILED } from '../io/errors.ts'
import { escapeText } from '../io/escape.ts'
import { askNewPassphrase, tryPassphrase } from '../io/passphrase.ts'
import { countOf, tableNumbers } from '../io/layout.ts'
import { profileOpener } from '../tox/open.ts'

export interface BackupOptions {
  readonly force?: true
  readonly passphraseFile?: string
}

/** Writes everything to a file, sealed by a passphrase of that file. */
export async function backup(context: Context, file: string, options: BackupOptions): Promise<number> {
  if (options.force !== true) await checkAbsent(file)
  const passphrase = await askNewPassphrase({ file: options.passphraseFile, option: '--passphrase-file' })
  let bytes = 0
  await withDaemon(context, async (client) => {
    const parts = countedParts(client, passphrase, (length) => (bytes += length))
    const beforeRename = options.force === true ? {} : { beforeRename: () => checkAbsent(file) }
    await writeFileDurably(file, parts, { mode: 0o600, ...beforeRename })
  })
  print(context, { file, bytes }, [
    `wrote the backup to ${escapeText(file)} (${bytes} bytes): everything except the recovery words`,
  ])
  remark(context, 'keep it away from this device; anybody who has the file and its passphrase can sign in your name')
  return EXIT_DONE
}

async function* countedParts(
  client: Client,
  passphrase: string,
  count: (length: number) => void,
): AsyncGenerator<Uint8Array> {
  const { backup: id, header } = await client.call('backup.begin', { passphrase })
  let part = bytesOf(header)
  for (let isLast = false; ;) {
    count(part.length)
    yield part
    if (isLast) return
    const next = await client.call('backup.next', { backup: id })
    part = bytesOf(next.box)
    isLast = next.isLast
  }
}

/** Restores a backup into a daemon without a persona. */
export async function restore(context: Context, file: string, options: BackupOptions): Promise<number> {
  await (await openBackup(file)).close()
  const source = { file: options.passphraseFile, option: '--passphrase-file' }
  const result = await withDaemon(context, async (client) => {
    await checkNoPersona(client)
    return await tryPassphrase(source, 'Passphrase of the backup: ', 'SEAL_WRONG_PASSPHRASE', (passphrase) =>
      sendBackup(client, file, passphrase),
    )
  })
  print(context, result, formatRestored(result))
  return EXIT_DONE
}

async function sendBackup(client: Client, file: string, passphrase: string): Promise<RestoreResult> {
  const handle = await openBackup(file)
  try {
    return await sendParts(client, file, handle, passphrase)
  } finally {
    await handle.close()
  }
}

async function sendParts(client: Client, file: string, handle: FileHandle, passphrase: string): Promise<RestoreResult> {
  const header = await readFully(file, handle, BACKUP_HEADER_BYTES)
  // Checks the length here, so that a file cut at any byte is reported as cut.
  let box = await readFully(file, handle, BOX_BYTES)
  if (box.length === 0) {
    throw new CliError('BACKUP_FILE', `${file} is not a backup or was cut: it has ${header.length} bytes`)
  }
  const { restore: id } = await client.call('restore.begin', { header: formatBase64url(header), passphrase })
  for (;;) {
    const next = await readFully(file, handle, BOX_BYTES)
    const isLast = next.length === 0
    const result = await client.call('restore.put', { restore: id, box: formatBase64url(box), isLast })
    if (isLast) return result
    box = next
  }
}

/** Reads `length` bytes, fewer only at the end of the file. */
async function readFully(file: string, handle: FileHandle, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length)
  let at = 0
  while (at < length) {
    const { bytesRead } = await handle.read(bytes, at, length - at).catch((cause: unknown) => {
      throw unreadable(file, cause)
    })
    if (bytesRead === 0) break
    at += bytesRead
  }
  return bytes.slice(0, at)
}

async function openBackup(file: string): Promise<FileHandle> {
  try {
    return await open(file, 'r')
  } catch (cause) {
    throw unreadable(file, cause)
  }
}

function unreadable(file: string, cause: unknown): CliError {
  const errno = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown error'
  return new CliError('BACKUP_FILE', `cannot read ${file} (${errno})`, { cause })
}

/** @throws {CliError} FILE_EXISTS */
async function checkAbsent(file: string): Promise<void> {
  const found = await lstat(file).catch(() => null)
  if (found === null) return
  throw new CliError('FILE_EXISTS', `${file} already exists`, {
    hint: 'choose another name, or replace it with --force',
  })
}

function formatRestored({ table, contacts }: RestoreResult): string[] {
  if (table === null) return []
  return [
    `restored persona ${table.personaId} with ${countOf(table.devices.length, 'device')} and ${countOf(contacts, 'contact')}`,
    'the passphrase of the backup now seals its signing key',
    'The backup may be older than your last table. So the daemon signs and publishes nothing until it has',
    'read a copy of your table from another of your devices or from a friend:',
    '  persona reconcile FILE       FILE is a Tox profile, or a text with your status message',
    '  persona reconcile --force    if there is no copy anywhere',
  ]
}

export interface ReconcileOptions {
  readonly force?: true
  readonly passphraseFile?: string
}

/** Reads copies of the own status message after a restore, or goes on without any. */
export async function reconcile(
  context: Context,
  files: readonly string[],
  options: ReconcileOptions,
): Promise<number> {
  const copies = await readCopies(files, profileOpener({ file: options.passphraseFile, option: '--passphrase-file' }))
  const result = await withDaemon(context, (client) => sendCopies(client, copies, options.force === true))
  print(context, result, formatReconciled(result, context.verbose))
  return result.waiting ? EXIT_FAILED : EXIT_DONE
}

async function sendCopies(client: Client, copies: readonly string[], force: boolean): Promise<ReconcileResult> {
  let found = 0
  for (let at = 0; at + MAX_COPIES < copies.length; at += MAX_COPIES) {
    const result = await client.call('persona.reconcile', { copies: copies.slice(at, at + MAX_COPIES) })
    found += result.copies
  }
  const last = copies.slice(Math.floor(Math.max(0, copies.length - 1) / MAX_COPIES) * MAX_COPIES)
  const result = await client.call('persona.reconcile', { copies: last, ...(force ? { force } : {}) })
  return { ...result, copies: found + result.copies }
}

function formatReconciled({ waiting, copies, table }: ReconcileResult, verbose: boolean): string[] {
  const read = `read ${countOf(copies, 'copy', 'copies')} of your table`
  if (!waiting) return [`${read}; you can edit your table again${tableNumbers(verbose, table)}`, SHOW_FRIENDS]
  const problem =
    copies === 0 ? 'it needs a copy from another device or a friend' : 'every copy is older than your table here'
  return [`${read}; the daemon still signs nothing: ${problem}`, 'if there is no other copy: persona reconcile --force']
}

/** The shape of the answer allows only base64url. */
function bytesOf(text: string): Uint8Array {
  return parseBase64url(text) ?? new Uint8Array(0)
}
