/** The text of the systemd units for one installation: those of systemd/ with absolute paths in them. */
import { PersonadError } from '../../errors/personad-error.ts'
import { isAbsolute, join, resolve } from 'node:path'
import type { Paths } from '../../ipc/paths.ts'

export type ServiceErrorCode =
  | 'SERVICE_NOT_OURS' // another unit stands under the name
  | 'SERVICE_PATH_UNUSABLE' // a path that a unit cannot name, or that its sandbox hides
  | 'SERVICE_UNREADABLE' // the unit or its template cannot be read
  | 'SERVICE_UNWRITABLE' // the directory of units cannot be made

export class ServiceError extends PersonadError<ServiceErrorCode> {
  override readonly name = 'ServiceError'
}

/** The first line of a unit that `persona service install` wrote, and may replace or remove. */
export const UNIT_MARKER =
  '# Written by "persona service install": change it with "systemctl --user edit personad", not here.'

export interface UnitInput {
  /** systemd/personad.service, or the other one */
  readonly template: string
  /** Absolute path of the node binary; links resolved, so that a version manager's current link may move on. */
  readonly nodePath: string
  /** Absolute path of the file that Node runs. */
  readonly launcherPath: string
  /** As {@link Paths} were resolved: --home, if it was given, and the environment. */
  readonly paths: Paths
  readonly home?: string | undefined
  readonly env: Readonly<Record<string, string | undefined>>
}

/**
 * Renders the daemon's unit. The daemon will find the same directories as the caller of this, whatever the service manager's own
 * environment says.
 * @throws {ServiceError} SERVICE_PATH_UNUSABLE | SERVICE_UNREADABLE
 */
export function renderUnit(input: UnitInput): string {
  const { paths } = input
  // A run directory of XDG_RUNTIME_DIR is made by RuntimeDirectory=; one below --home must be made and opened as the state is.
  const isBelowHome = environmentOf(input).PERSONAD_HOME !== undefined
  const writable = isBelowHome ? [paths.stateDir, paths.runDir] : [paths.stateDir]
  for (const path of writable) checkPath(path)
  return fillIn(input.template, {
    'ExecStart=': startLines(input, []),
    'ExecStartPre=': `ExecStartPre=+/bin/mkdir -p -m 0700 ${writable.map(quoteArgument).join(' ')}`,
    'ReadWritePaths=': `ReadWritePaths=${writable.map((path) => quote(path)).join(' ')}`,
  })
}

/**
 * Renders the unit of `persona tox repair`, which finds the daemon where the caller of this does.
 * @param input its template is systemd/personad-repair.service, its launcher that of the command line
 * @throws {ServiceError} SERVICE_PATH_UNUSABLE | SERVICE_UNREADABLE
 */
export function renderRepairUnit(input: UnitInput): string {
  return fillIn(input.template, { 'ExecStart=': startLines(input, ['tox', 'repair']) })
}

/** The program with its arguments, and the environment that is not the service manager's own. */
function startLines(input: UnitInput, args: readonly string[]): string {
  const { nodePath, launcherPath } = input
  const environment = environmentOf(input)
  for (const path of [nodePath, launcherPath, ...Object.values(environment)]) checkPath(path)
  if (/["'\\]/.test(nodePath)) {
    const message = `systemd starts no program with quotes or backslashes in its path: ${nodePath}`
    throw new ServiceError('SERVICE_PATH_UNUSABLE', message)
  }
  const assignments = Object.entries(environment).map(([name, value]) => `Environment=${quote(`${name}=${value}`)}`)
  const program = [`ExecStart=${quote(nodePath)}`, quoteArgument(launcherPath), ...args].join(' ')
  return [program, ...assignments].join('\n')
}

/** Each value in the place of the one line that begins so. */
function fillIn(template: string, values: Readonly<Record<string, string>>): string {
  let lines = template.slice(template.indexOf('[Unit]')).split('\n')
  for (const [start, value] of Object.entries(values)) {
    if (lines.filter((line) => line.startsWith(start)).length !== 1) {
      throw new ServiceError(
        'SERVICE_UNREADABLE',
        `the unit template has not exactly one line "${start}": reinstall personad`,
      )
    }
    lines = lines.map((line) => (line.startsWith(start) ? value : line))
  }
  return `${UNIT_MARKER}\n\n${lines.join('\n')}`
}

/** Where a unit of a user is read from (systemd.unit(5)). */
export function unitPathIn(configHome: string, name: string): string {
  return join(configHome, 'systemd', 'user', name)
}

/** The user's service manager does not have what a shell profile exports. */
function environmentOf(input: UnitInput): Record<string, string> {
  const { env, home } = input
  const base = home ?? env.PERSONAD_HOME
  if (base !== undefined && base !== '') return { PERSONAD_HOME: resolve(base) }
  const environment: Record<string, string> = {}
  for (const name of ['XDG_STATE_HOME', 'XDG_CONFIG_HOME']) {
    const value = env[name]
    if (value !== undefined && isAbsolute(value)) environment[name] = value
  }
  return environment
}

function checkPath(path: string): void {
  if (/\p{Cc}/u.test(path) || !path.isWellFormed() || path.includes('\u{fffd}')) {
    throw new ServiceError(
      'SERVICE_PATH_UNUSABLE',
      `the path ${JSON.stringify(path)} has characters that a unit cannot name`,
    )
  }
  if (/^(\/var)?\/tmp(\/|$)/.test(path)) {
    const message = `${path} is below a directory for temporary files, which the service does not see: choose another place`
    throw new ServiceError('SERVICE_PATH_UNUSABLE', message)
  }
}

/** One word of a unit file: % begins a specifier, the backslash and the quote are systemd's own (systemd.syntax(7)). */
function quote(word: string): string {
  return `"${word.replaceAll(/[\\"]/g, '\\$&').replaceAll('%', '%%')}"`
}

/** In arguments, unlike in the path of the program, $ names a variable (systemd.service(5)). */
function quoteArgument(word: string): string {
  return quote(word).replaceAll('$', '$$$$')
}
