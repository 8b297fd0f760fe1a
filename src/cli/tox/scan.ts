/** `persona tox scan`: reads the status message of every friend from profiles, and reports it to the daemon. */
import { formatHex } from '../../core/encoding/bytes.ts'
import type { Client } from '../../ipc/client.ts'
import { MAX_BATCH } from '../../ipc/shapes/limits.ts'
import type { ObservationParams, ObserveResult } from '../../ipc/shapes/judged.ts'
import { readName, readStatusMessage } from '../../tox/save/savefile.ts'
import { friendStatuses } from '../../tox/save/scan.ts'
import { hasCode, withDaemon } from '../io/connect.ts'
import { print, remark, type Context } from '../io/context.ts'
import { describeFailure, EXIT_DONE, EXIT_FAILED, type Failure } from '../io/errors.ts'
import { escapeText, showName } from '../io/escape.ts'
import { countOf } from '../io/layout.ts'
import { alarmsAfter, formatAlarms } from '../io/needs.ts'
import { profileOpener, type OpenProfile, type ProfileOpener } from './open.ts'
import { Progress } from '../io/progress.ts'

const MAX_CHUNK_CHARS = 262_144 // sanity: of JSON in one call; otherwise texts full of control characters would outgrow a frame

/** Printed by `--json` for one profile. */
export interface ScannedProfile {
  file: string
  /** Source of the observations: `profile:` and the ToxPk of the profile. */
  source: string | null
  /** Friends who accepted; the others have shown nothing yet. */
  friends: number
  results: ObserveResult[]
  /** Records that Tox clients skip silently. */
  skipped: { key: string; problem: string }[]
  /** Why the profile could not be read. */
  error: Failure | null
}

/** The observations in a profile, with its friend count and bad records. */
export interface Observations {
  readonly source: string
  readonly friends: number
  readonly observations: readonly ObservationParams[]
  readonly skipped: readonly { readonly key: string; readonly problem: string }[]
}

/** Scans the other profiles even if one cannot be read. The exit status is then 1. */
export async function scan(
  context: Context,
  files: readonly string[],
  options: { readonly passphraseFile?: string },
): Promise<number> {
  const open = profileOpener({ file: options.passphraseFile, option: '--passphrase-file' })
  const profiles: ScannedProfile[] = []
  const names = new Map<string, string>()
  const { isPending, alarms } = await withDaemon(context, async (client) => {
    for (const file of files) {
      // With one file its error is the error of the command.
      profiles.push(await scanProfile(client, open, file, names, files.length === 1))
    }
    const reported = profiles.flatMap(({ results }) => results)
    return {
      isPending: (await client.call('pending.list', { limit: 1 })).pending.length > 0,
      alarms: context.json ? [] : await alarmsAfter(client, reported, context.nowSec),
    }
  })
  print(context, { profiles }, [
    ...profiles.flatMap((profile) => formatScanned(profile, names)),
    ...formatAlarms(alarms),
  ])
  if (isPending) remark(context, 'a contact change needs your decision: persona pending')
  return profiles.every((profile) => profile.error === null) ? EXIT_DONE : EXIT_FAILED
}

/**
 * Opens one profile and reports what it holds.
 * @param names filled with the names of the friends by ToxPk, for {@link formatScanned}
 * @param isStrict throws if the profile cannot be read; otherwise the result holds the error
 */
export async function scanProfile(
  client: Client,
  open: ProfileOpener,
  file: string,
  names: Map<string, string>,
  isStrict: boolean,
): Promise<ScannedProfile> {
  const ownKeys = await keysOfOwner(client)
  let found: Observations
  try {
    found = readObservations(await open(file), ownKeys)
  } catch (error) {
    if (isStrict) throw error
    return unread(file, describeFailure(error))
  }
  for (const { from, name } of found.observations) if (name !== undefined) names.set(from, name)
  const { source, friends, skipped } = found
  return { file, source, friends, results: await report(client, file, found), skipped: [...skipped], error: null }
}

function unread(file: string, error: Failure): ScannedProfile {
  return { file, source: null, friends: 0, results: [], skipped: [], error }
}

async function keysOfOwner(client: Client): Promise<ReadonlySet<string>> {
  try {
    const table = await client.call('device.list')
    return new Set(table.devices.map((device) => device.key))
  } catch (error) {
    if (hasCode(error, 'NO_PERSONA')) return new Set()
    throw error
  }
}

/**
 * Reads the observations in a profile: each friend's status message, dated by when the friend was last seen. If the profile belongs to
 * a device of the owner, also its own status message, dated by the file. Bytes that are not UTF-8 become U+FFFD; a token hit by that
 * is judged as damaged.
 * @throws {ToxError} TOX_FRIENDS_NOT_WHOLE
 */
export function readObservations({ profile, key }: OpenProfile, ownKeys: ReadonlySet<string>): Observations {
  const { save, fileMtimeSec } = profile
  const { statuses, problems } = friendStatuses(save, fileMtimeSec)
  // A friend who has not accepted yet has shown nothing.
  const confirmed = statuses.filter(({ isConfirmed }) => isConfirmed)
  const observations: ObservationParams[] = []
  if (ownKeys.has(key)) {
    observations.push(observation(key, readName(save).text, readStatusMessage(save).text, fileMtimeSec))
  }
  for (const { publicKey, name, statusText, observedAtSec } of confirmed)
    observations.push(observation(formatHex(publicKey), name, statusText, observedAtSec))
  const skipped = problems.map(({ publicKey, problem }) => ({ key: formatHex(publicKey), problem }))
  return { source: `profile:${key}`, friends: confirmed.length, observations, skipped }
}

function observation(from: string, name: string, text: string, seenAtSec: number): ObservationParams {
  return { from, text, ...(name === '' ? {} : { name }), seenAtSec }
}

async function report(client: Client, file: string, found: Observations): Promise<ObserveResult[]> {
  const results: ObserveResult[] = []
  const progress = new Progress(escapeText(file), found.observations.length)
  for (const observations of chunksOf(found.observations, MAX_BATCH)) {
    const answer = await client.call('observe.batch', { source: found.source, observations })
    results.push(...answer.results)
    progress.show(results.length)
  }
  progress.end()
  return results
}

/** Cuts a list into calls with at most `maxCount` observations and MAX_CHUNK_CHARS of JSON each. */
export function chunksOf(observations: readonly ObservationParams[], maxCount: number): ObservationParams[][] {
  const chunks: ObservationParams[][] = []
  let chars = 0
  for (const one of observations) {
    const size = JSON.stringify(one).length
    const last = chunks.at(-1)
    if (last === undefined || last.length === maxCount || chars + size > MAX_CHUNK_CHARS) {
      chunks.push([one])
      chars = size
    } else {
      last.push(one)
      chars += size
    }
  }
  return chunks
}

/** One line for people, and one for each refused friend. */
export function formatScanned(profile: ScannedProfile, names: ReadonlyMap<string, string>): string[] {
  const file = escapeText(profile.file)
  if (profile.error !== null) return [`${file}: ${escapeText(profile.error.message)} (${profile.error.code})`]
  const { results } = profile
  const count = (wanted: (result: ObserveResult) => boolean): number => results.filter(wanted).length
  const isOwn = (result: ObserveResult): boolean => profile.source === `profile:${result.from}`
  const shown = count((result) => result.shown === 'valid' && !isOwn(result))
  const unknown = count((result) => result.shown === 'short')
  const readOwn = count((result) => result.shown === 'valid' && isOwn(result)) > 0
  // A contact counts once, no matter how many of its devices are friends. A new contact does not also count as changed.
  // A persona that needs the owner's decision is not a contact yet.
  const created = contactsOf(results, (result) => result.verdict === 'new' && result.changes.length > 0)
  const changed = contactsOf(results, (result) => result.changes.length > 0).difference(created)
  const refused = results.filter(isRefused)
  const summary = [
    countOf(profile.friends, 'friend'),
    ...(shown + unknown + refused.length === 0
      ? profile.friends === 0
        ? []
        : ['no friend shows a persona yet']
      : [`${shown} ${shown === 1 ? 'shows' : 'show'} a persona`, countOf(created.size, 'new contact')]),
    ...(changed.size === 0 ? [] : [`${changed.size} changed`]),
    ...(unknown === 0
      ? []
      : [`${countOf(unknown, 'short status', 'short statuses')} of a persona that is not known here yet`]),
    ...(refused.length === 0 ? [] : [`${refused.length} refused`]),
    ...(readOwn ? ['read your own table'] : []),
  ]
  return [
    `${file}: ${summary.join(', ')}`,
    ...refused.map(
      (result) => `  refused: ${showName(names.get(result.from) ?? 'no name', result.from)} (${reasonOf(result)})`,
    ),
    ...profile.skipped.map(({ key, problem }) => `  skipped, as Tox clients do: a record of ${key} (${problem})`),
  ]
}

function contactsOf(results: readonly ObserveResult[], wanted: (result: ObserveResult) => boolean): Set<string | null> {
  return new Set(results.filter(wanted).map((result) => result.personaId))
}

function isRefused(result: ObserveResult): boolean {
  return result.code !== null || result.verdict === 'violation' || result.verdict === 'held'
}

function reasonOf(result: ObserveResult): string {
  if (result.code !== null) return result.code
  return result.verdict === 'held'
    ? 'its table is too far ahead of the last one'
    : 'its table contradicts the known chain of keys'
}
