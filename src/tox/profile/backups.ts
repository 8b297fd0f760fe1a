/** Dated backups beside a profile, made before each change. A lost profile cannot be recreated. */
import { readdir } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { equalBytes } from '../../core/encoding/bytes.ts'
import { removeDurably, writeFileDurably, type DurableWriteOptions } from '../../durable/file.ts'
import { readBoundedFile } from './read-file.ts'
import { MAX_PROFILE_BYTES } from '../save/savefile.ts'

export const BACKUPS_KEPT = 5 // sanity: enough to undo a few changes, without piling up copies of a secret key; the oldest is one of them

const DATE = /(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z(?:-\d+)?$/

/**
 * Writes a backup with mode 0600. Its name does not end in .tox, or qTox would list it as a profile. If the newest
 * backup already holds the same bytes, returns that one, so that failed attempts do not push out older backups.
 * @param path the profile
 * @param bytes its current content
 * @returns the path of the backup
 * @throws {DurableError}
 */
export async function backUp(
  path: string,
  bytes: Uint8Array,
  nowSec: number,
  options: DurableWriteOptions,
): Promise<string> {
  const backups = await backupsOf(path)
  const newest = backups.at(-1)
  if (newest !== undefined && (await holds(newest, bytes))) return newest
  const date = dateName(laterThanOldest(nowSec, backups))
  let backup = `${path}.backup-${date}`
  for (let count = 2; backups.includes(backup); count++) backup = `${path}.backup-${date}-${count}`
  await writeFileDurably(backup, bytes, options)
  return backup
}

/**
 * Removes backups beyond BACKUPS_KEPT. The oldest stays for ever: it is the profile before the first change, the one thing that nobody
 * can make again. So do the newest and the one just made, even if the clock was set back.
 */
export async function pruneBackups(path: string, justMade: string): Promise<void> {
  const others = (await backupsOf(path)).filter((backup) => backup !== justMade)
  const newest = others.slice(1).slice(-(BACKUPS_KEPT - 2))
  for (const backup of others.slice(1)) if (!newest.includes(backup)) await removeDurably(backup)
}

/**
 * A clock that was set back before the oldest backup would give the new one an earlier date, and the oldest would be removed in its place.
 * Then the order in which they are made counts.
 */
function laterThanOldest(nowSec: number, backups: readonly string[]): number {
  const [oldest, newest] = [backups.at(0), backups.at(-1)].map((backup) =>
    backup === undefined ? 0 : secondsOf(backup),
  )
  return nowSec < oldest! ? newest! + 1 : nowSec
}

function dateName(sec: number): string {
  return new Date(sec * 1000).toISOString().replace(/[-:]|\.\d+/g, '')
}

function secondsOf(backup: string): number {
  const [, year, month, day, hour, minute, second] = DATE.exec(backup) ?? []
  return Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`) / 1000
}

/** Backups of the profile, oldest first by the date in the name. */
async function backupsOf(path: string): Promise<string[]> {
  const prefix = `${basename(path)}.backup-`
  const names = await readdir(dirname(path)).catch(() => [])
  return names
    .filter((name) => name.startsWith(prefix) && DATE.exec(name)?.index === prefix.length)
    .toSorted()
    .map((name) => join(dirname(path), name))
}

async function holds(backup: string, bytes: Uint8Array): Promise<boolean> {
  const kept = await readBoundedFile(backup, MAX_PROFILE_BYTES).catch(() => null)
  return kept !== null && equalBytes(kept.bytes, bytes)
}
