/** Reads a watched profile if it can be trusted, and reports what its friends showed, without delaying other work. */
import { createHash } from 'node:crypto'
import { stat } from 'node:fs/promises'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { formatHex } from '../../core/encoding/bytes.ts'
import type { CryptoEngine } from '../../crypto/engine.ts'
import type { ObservationParams, ObserveResult } from '../../ipc/shapes/judged.ts'
import { ToxError } from '../../tox/save/errors.ts'
import { readProfile, type ProfileAccess, type ToxProfile } from '../../tox/profile/profile-file.ts'
import { confirmedStatuses, type FriendStatus } from '../../tox/save/scan.ts'

/**
 * Reads a profile, with the passphrase if it is encrypted.
 * @throws {ToxError} those of readProfile; TOX_FILE_UNREADABLE if somebody else could have written it
 */
export async function readGuarded(
  path: string,
  engine: CryptoEngine,
  passphraseOf: () => Promise<string | null>,
): Promise<{ profile: ToxProfile; access: ProfileAccess }> {
  await checkGuarded(path)
  const read = await readWith(path, engine, passphraseOf)
  // Stat the open file: another file may have this name by now.
  checkOwner(path, read.profile.owner.uid)
  return read
}

async function readWith(
  path: string,
  engine: CryptoEngine,
  passphraseOf: () => Promise<string | null>,
): Promise<{ profile: ToxProfile; access: ProfileAccess }> {
  try {
    return { profile: await readProfile(path, { engine }), access: { engine } }
  } catch (error) {
    if (!(error instanceof ToxError) || error.code !== 'TOX_ENCRYPTED') throw error
    const passphrase = await passphraseOf()
    if (passphrase === null) throw error
    const access = { engine, passphrase }
    return { profile: await readProfile(path, access), access }
  }
}

/**
 * The daemon believes what a profile reports about devices. A user who can write the file could confirm devices of their own.
 * @throws {ToxError} TOX_FILE_UNREADABLE | TOX_FILE_MISSING
 */
async function checkGuarded(path: string): Promise<void> {
  const stats = await stat(path).catch(() => null)
  if (stats === null) throw new ToxError('TOX_FILE_MISSING', `${path} is gone`)
  checkOwner(path, stats.uid)
  if ((stats.mode & 0o002) !== 0) {
    throw new ToxError('TOX_FILE_UNREADABLE', `everybody can write ${path}: run "chmod o-w" on it`)
  }
}

function checkOwner(path: string, uid: number): void {
  if (uid === process.geteuid?.() || uid === 0) return
  throw new ToxError('TOX_FILE_UNREADABLE', `${path} belongs to user ${uid}, so it is not trusted: it must be yours`)
}

/** The last report of each friend, by ToxPk. With it, a client that saves every minute costs almost nothing. */
export type ReportedFriends = ReadonlyMap<string, string>

/**
 * Reports the changes since the last scan in batches, with other work in between, so that a list of 10 000 delays nobody.
 * @param before the result of the last scan of this profile
 * @param isStopped called between two batches. Once it returns true, the rest is skipped and `before` is returned
 * @throws {ToxError} TOX_FRIENDS_NOT_WHOLE | TOX_NO_KEYS | TOX_BAD_KEYS @throws {StoreError}
 */
export async function reportFriends(
  profile: ToxProfile,
  source: string,
  before: ReportedFriends,
  keeper: { observe(observations: readonly ObservationParams[], source: string): Promise<ObserveResult[]> },
  isStopped: () => boolean,
): Promise<ReportedFriends> {
  const reported = new Map<string, string>()
  for (const piece of confirmedStatuses(profile.save, profile.fileMtimeSec)) {
    const news: ObservationParams[] = []
    for (const friend of piece) {
      const from = formatHex(friend.publicKey)
      const print = printOf(friend)
      reported.set(from, print)
      if (before.get(from) !== print) news.push(observationOf(from, friend))
    }
    if (news.length > 0) await keeper.observe(news, source)
    await nextTurn()
    if (isStopped()) return before
  }
  return reported
}

function observationOf(from: string, { name, statusText, observedAtSec }: FriendStatus): ObservationParams {
  return { from, text: statusText, ...(name === '' ? {} : { name }), seenAtSec: observedAtSec }
}

/** A short digest of what was seen of a friend. */
function printOf({ statusText, observedAtSec }: FriendStatus): string {
  return `${observedAtSec} ${createHash('sha256').update(statusText).digest('base64')}`
}
