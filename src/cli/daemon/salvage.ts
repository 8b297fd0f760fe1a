/** `persona store salvage`: rescues what verifies in a damaged store into a new state directory, and says what is lost. */
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { decodeUtf8 } from '../../core/encoding/bytes.ts'
import { kindOf, salvage, type SalvageReport } from '../../store/salvage/salvage.ts'
import { print, type Context } from '../io/context.ts'
import { EXIT_DONE } from '../io/errors.ts'
import { escapeText } from '../io/escape.ts'
import { countOf } from '../io/layout.ts'

/** Kinds of records, as people know them. The daemon rebuilds the kinds in {@link REBUILT} from these. */
const NOUNS: Readonly<Record<string, readonly [one: string, many: string]>> = {
  own: ['record of your persona', 'records of your persona'],
  persona: ['persona', 'personas'],
  forgotten: ['forgotten contact', 'forgotten contacts'],
  device: ['device', 'devices'],
  past: ['earlier table of yours', 'earlier tables of yours'],
  intent: ['edit of yours', 'edits of yours'],
  app: ['app', 'apps'],
  alarm: ['alarm', 'alarms'],
  history: ['entry of the history', 'entries of the history'],
  sealed: ['sealed record of an app', 'sealed records of apps'],
  peer: ['friend of the companion', 'friends of the companion'],
}
const REBUILT = new Set(['name', 'counts', 'pending', 'tip', 'clock', 'place'])

// A revoked token must not work again, and an import that was under way cannot be finished with half of its records.
const NEVER_OLDER = ['app', 'import', 'arrival']

// Without the signing key the daemon refuses to start with these. Without them it can recover the persona from the words.
const NEED_SECRETS = ['own', 'past', 'intent']

// Nothing else opens these.
const NEED_APPS = ['sealed']

const FILES: Readonly<Record<SalvageReport['lostSecrets'][number], string>> = {
  secrets: 'secrets, with your signing key',
  seed: 'seed, with your recovery words',
  seedNext: 'seed.next, with your recovery words',
  apps: 'apps, with the key of what apps kept',
  companion: 'companion, with the key of the companion',
}

const MAX_SHOWN = 12 // sanity: lines of one list; --json has all

/** @throws {StoreError} */
export async function salvageStore(context: Context, directory: string): Promise<number> {
  const { stateDir } = context.paths
  const report = await salvage({
    from: stateDir,
    to: directory,
    neverOlder: NEVER_OLDER,
    needSecrets: NEED_SECRETS,
    needApps: NEED_APPS,
  })
  const personaIsLost = existsSync(join(directory, 'secrets')) && !hasOwnTable(report.records)
  const { damage, lostCommits, mayBeOlder, leftOut, lostSecrets } = report
  const answer = {
    directory: resolve(directory),
    records: report.records.size,
    lost: report.lost.map(({ key, isOlder }) => ({ kind: kindOf(key), key, isOlder })),
    unreadable: damage.filter(({ key }) => key === null).map(({ file, at }) => ({ file, at })),
    lostCommits,
    mayBeOlder,
    leftOut,
    lostSecrets,
    personaIsLost,
  }
  print(context, answer, [
    ...describeReport(report),
    ...describeUse(stateDir, resolve(directory), personaIsLost, lostSecrets),
  ])
  return EXIT_DONE
}

/** Whether the owner's record and the record of their persona are both there. */
function hasOwnTable(records: ReadonlyMap<string, Uint8Array>): boolean {
  const own = records.get('own/own')
  if (own === undefined) return false
  // The first byte is the version of the record.
  const { personaId } = JSON.parse(decodeUtf8(own.subarray(1)) ?? '{}') as { personaId?: unknown }
  return typeof personaId === 'string' && records.has(`persona/${personaId}`)
}

function describeReport({ records, lost, damage, lostCommits, leftOut }: SalvageReport): string[] {
  const gone = lost.filter(({ key, isOlder }) => !isOlder && !REBUILT.has(kindOf(key)))
  const older = lost.filter(({ key, isOlder }) => isOlder && !REBUILT.has(kindOf(key)))
  const places = damage.filter(({ key }) => key === null)
  return [
    `${countOf(records.size, 'record')} saved`,
    ...lines(
      'lost',
      gone.map(({ key }) => key),
    ),
    ...lines(
      'saved as they were before',
      older.map(({ key }) => key),
    ),
    ...lines('left out, because they may have been removed since', leftOut),
    ...(places.length === 0
      ? []
      : [
          'places that cannot be read, with an unknown number of records:',
          ...shorten(places.map(({ file, at }) => `  ${escapeText(file)}, byte ${at}`)),
        ]),
    ...(lostCommits === 0
      ? []
      : [
          lostCommits === null
            ? 'nothing shows whether the last changes are there'
            : `${countOf(lostCommits, 'change')} of the daemon could not be read`,
        ]),
  ]
}

/** The number of records by kind, then the records. */
function lines(title: string, keys: readonly string[]): string[] {
  if (keys.length === 0) return []
  const byKind = Map.groupBy(keys, kindOf)
  const counts = Array.from(byKind, ([kind, { length }]) => countOf(length, ...(NOUNS[kind] ?? [kind, `${kind}s`])))
  return [`${title}: ${counts.join(', ')}`, ...shorten(keys.map((key) => `  ${escapeText(key)}`))]
}

function shorten(list: readonly string[]): string[] {
  if (list.length <= MAX_SHOWN) return [...list]
  return [...list.slice(0, MAX_SHOWN), `  and ${list.length - MAX_SHOWN} more`]
}

function describeUse(
  from: string,
  to: string,
  personaIsLost: boolean,
  lostSecrets: SalvageReport['lostSecrets'],
): string[] {
  const steps = [
    '',
    `the new state directory is ${escapeText(to)}; nothing was changed in ${escapeText(from)}`,
    `to use it: move ${escapeText(from)} away, move the new one there, and start the daemon`,
  ]
  if (lostSecrets.includes('secrets'))
    return [
      ...steps,
      'the file "secrets" with your signing key cannot be read, so your persona is left out of the new directory',
      'restore a backup instead; or start the daemon with the new directory, and run: persona recover',
    ]
  if (lostSecrets.length > 0)
    steps.push(`these files cannot be read, and are left out: ${lostSecrets.map((name) => FILES[name]).join(', ')}`)
  if (!personaIsLost)
    return [...steps, 'the daemon signs nothing until it has read your current table: persona reconcile FILE']
  return [
    ...steps,
    'the table of your persona is lost, so the daemon refuses to start with the keys that are in the file "secrets"',
    'restore a backup instead; or move "secrets" out of the new directory, start the daemon, and run: persona recover',
  ]
}
