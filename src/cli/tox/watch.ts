/** `persona tox watch`: what the daemon watches and what each profile shows; with paths, those are watched from here. */
import { resolve } from 'node:path'
import type { Client } from '../../ipc/client.ts'
import type { ProfileList, WatchedProfile } from '../../ipc/shapes/profiles.ts'
import { ProfileWatch } from '../../tox/profile/watch.ts'
import { withDaemon } from '../io/connect.ts'
import { print, remark, type Context } from '../io/context.ts'
import { describeFailure, EXIT_DONE } from '../io/errors.ts'
import { escapeText, showName } from '../io/escape.ts'
import { interrupted } from '../io/interrupts.ts'
import { countOf, formatTime, two } from '../io/layout.ts'
import { profileOpener } from './open.ts'
import { formatScanned, scanProfile, type ScannedProfile } from './scan.ts'

/** What `--json` prints with paths, a line each. */
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
  print(context, list, formatWatched(list, context.nowSec))
  return EXIT_DONE
}

/** Until Ctrl-C, or until the daemon goes away. */
async function watchHere(context: Context, paths: readonly string[], passphraseFile?: string): Promise<number> {
  return await withDaemon(context, async (client) => {
    const stopped = interrupted()
    const watch = watchOf(context, client, paths, passphraseFile)
    await watch.start()
    remark(context, `watching ${countOf(paths.length, 'place')}; Ctrl-C ends it`)
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
  const say = (line: WatchLine, lines: readonly string[]): void => {
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
        say({ event: 'scanned', profile }, formatScanned(profile, names))
      } catch (error) {
        // A daemon that went away ends the command by itself; what else it refuses concerns this profile.
        const { message, code } = describeFailure(error)
        say({ event: 'trouble', message: `${path}: ${message} (${code})` }, [
          escapeText(`${path}: ${message} (${code})`),
        ])
      }
    },
    onGone: (path) => say({ event: 'gone', file: path }, [`${escapeText(path)} is gone`]),
    onTrouble: (message) => say({ event: 'trouble', message }, [escapeText(message)]),
  })
}

function clock(): string {
  const now = new Date()
  return [now.getHours(), now.getMinutes(), now.getSeconds()].map(two).join(':')
}

export function formatWatched({ profiles, troubles }: ProfileList, nowSec: number): string[] {
  const remarks = troubles.map(escapeText)
  if (profiles.length > 0) return [...profiles.flatMap((profile) => formatProfile(profile, nowSec)), ...remarks]
  return [
    'the daemon watches no profile: set watch.profiles in its configuration, or name files and directories here',
    ...remarks,
  ]
}

function formatProfile(profile: WatchedProfile, nowSec: number): string[] {
  const { path, key, device, problem, client, repair, encrypted } = profile
  const whose = key === null ? 'not read' : device === null ? 'not of your table' : `your ${showName(device, key)}`
  const lines = [`${escapeText(path)}: ${whose}${encrypted ? ', encrypted' : ''}`]
  if (problem !== null) lines.push(`  problem:  ${escapeText(problem.message)} (${escapeText(problem.code)})`)
  else if (profile.shows !== null) lines.push(`  shows:    ${describeShown(profile.shows)}`)
  if (client !== null) lines.push(`  client:   ${escapeText(client)} runs on it`)
  if (repair !== null) lines.push(`  repair:   waits: ${escapeText(repair)}`)
  return [...lines, `  checked:  ${formatTime(profile.checkedAtSec, nowSec)}`]
}

function describeShown({ state, epoch, seq }: NonNullable<WatchedProfile['shows']>): string {
  const table = `table ${seq} of epoch ${epoch}`
  switch (state) {
    case 'current':
      return `${table}, the current one`
    case 'older':
      return `${table}, which is older than the current one`
    case 'newer':
      return `${table}, which is ahead of the one known here`
    case 'other':
      return 'another persona'
    case 'none':
      return 'no table'
    case 'damaged':
      return 'a table that was cut'
    case 'unread':
      return 'not known'
  }
}
