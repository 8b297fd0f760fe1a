/** `persona tox watch`: lists the profiles that the daemon watches. With paths, it watches those itself. */
import { resolve } from 'node:path'
import type { Client } from '../../ipc/client.ts'
import type { ProfileList, WatchedProfile } from '../../ipc/shapes/profiles.ts'
import { ProfileWatch } from '../../tox/profile/watch.ts'
import { withDaemon } from '../io/connect.ts'
import { print, remark, type Context } from '../io/context.ts'
import { describeFailure, EXIT_DONE } from '../io/errors.ts'
import { escapeText, showName } from '../io/escape.ts'
import { interrupted } from '../io/interrupts.ts'
import { countOf, formatTime, tableNumbers, two } from '../io/layout.ts'
import { profileOpener } from './open.ts'
import { formatScanned, scanProfile, type ScannedProfile } from './scan.ts'

/** Printed by `--json` when paths are given, one a line. */
export type WatchLine =
  | { readonly event: 'scanned'; readonly profile: ScannedProfile }
  | { readonly event: 'gone'; readonly file: string }
  | { readonly event: 'trouble'; readonly message: string }

export async function profileWatch(
  context: Context,
  paths: readonly string[],
  options: { readonly passphraseFile?: string },
): Promise<number> {
  return paths.length === 0 ? await listWatched(context) : await watchHere(context, paths, options.passphraseFile)
}

async function listWatched(context: Context): Promise<number> {
  const list = await withDaemon(context, (client) => client.call('profile.list'))
  print(context, list, formatWatched(list, context.nowSec, context.verbose))
  return EXIT_DONE
}

/** Until Ctrl-C, or until the daemon goes away. */
async function watchHere(context: Context, paths: readonly string[], passphraseFile?: string): Promise<number> {
  return await withDaemon(context, async (client) => {
    const stopped = interrupted()
    const watch = watchOf(context, client, paths, passphraseFile)
    await watch.start()
    remark(context, `watching ${countOf(paths.length, 'path')}; press Ctrl-C to stop`)
    const reason = await Promise.race([stopped, client.closed])
    await watch.close()
    if (reason !== null) throw reason
    return EXIT_DONE
  })
}

function watchOf(
  context: Context,
  client: Client,
  paths: readonly string[],
  passphraseFile: string | undefined,
): ProfileWatch {
  const open = profileOpener({ file: passphraseFile, option: '--passphrase-file' })
  const report = (line: WatchLine, lines: readonly string[]): void => {
    print(
      context,
      line,
      lines.map((text) => `${clock()} ${text}`),
    )
  }
  return new ProfileWatch({
    places: paths.map((path) => resolve(path)),
    onProfile: async (path) => {
      const names = new Map<string, string>()
      try {
        const profile = await scanProfile(client, open, path, names, false)
        report({ event: 'scanned', profile }, formatScanned(profile, names))
      } catch (error) {
        // If the daemon goes away, the command ends by itself. All other errors concern only this profile.
        const { message, code } = describeFailure(error)
        report({ event: 'trouble', message: `${path}: ${message} (${code})` }, [
          escapeText(`${path}: ${message} (${code})`),
        ])
      }
    },
    onGone: (path) => report({ event: 'gone', file: path }, [`${escapeText(path)} no longer exists`]),
    onTrouble: (message) => report({ event: 'trouble', message }, [escapeText(message)]),
  })
}

function clock(): string {
  const now = new Date()
  return [now.getHours(), now.getMinutes(), now.getSeconds()].map(two).join(':')
}

export function formatWatched({ profiles, troubles }: ProfileList, nowSec: number, verbose = false): string[] {
  const remarks = troubles.map(escapeText)
  if (profiles.length > 0) {
    return [...profiles.flatMap((profile) => formatProfile(profile, nowSec, verbose)), ...remarks]
  }
  return [
    'the daemon watches no profiles; set watch.profiles in its configuration, or give files and directories here',
    ...remarks,
  ]
}

function formatProfile(profile: WatchedProfile, nowSec: number, verbose: boolean): string[] {
  const { path, key, device, problem, client, repair, encrypted } = profile
  const owner =
    key === null ? 'cannot be read' : device === null ? 'not in your table' : `your ${showName(device, key)}`
  const lines = [`${escapeText(path)}: ${owner}${encrypted ? ', encrypted' : ''}`]
  if (problem !== null) lines.push(`  problem:  ${escapeText(problem.message)} (${escapeText(problem.code)})`)
  else if (profile.shows !== null) lines.push(`  shows:    ${describeShown(profile.shows, verbose)}`)
  if (client !== null) lines.push(`  client:   ${escapeText(client)} has it open`)
  if (repair !== null) lines.push(`  repair:   not yet: ${escapeText(repair)}`)
  return [...lines, `  checked:  ${formatTime(profile.checkedAtSec, nowSec)}`]
}

function describeShown(shown: NonNullable<WatchedProfile['shows']>, verbose: boolean): string {
  return `${SHOWN[shown.state]}${tableNumbers(verbose, shown)}`
}

const SHOWN: Readonly<Record<NonNullable<WatchedProfile['shows']>['state'], string>> = {
  current: 'your current table',
  older: 'an older table of yours',
  newer: 'a newer table of yours than this daemon accepts',
  other: 'another persona',
  none: 'no persona',
  damaged: 'a damaged table: a client cut or altered it',
  unread: 'unknown',
}
