/** The text of the systemd unit for one installation: systemd/personad.service with absolute paths in it. */
import { isAbsolute, join, resolve } from 'node:path'
import type { Paths } from '../ipc/paths.ts'

export type ServiceErrorCode =
  | 'SERVICE_NOT_OURS' // another unit stands under the name
  | 'SERVICE_PATH_UNUSABLE' // a path that a unit cannot name, or that its sandbox hides
  | 'SERVICE_UNREADABLE' // the unit or its template cannot be read
  | 'SERVICE_UNWRITABLE' // the directory of units cannot be made

export class ServiceError extends Error {
  override readonly name = 'ServiceError'
  readonly code: ServiceErrorCode

  constructor(code: ServiceErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** The first line of a unit that `persona service install` wrote, and may replace or remove. */
export const UNIT_MARKER =
  '# Written by "persona service install": change it with "systemctl --user edit personad", not here.'

export interface UnitInput {
  /** systemd/personad.service */
  readonly template: string
  /** Absolute path of the node binary; links resolved, so that a version manager's current link may move on. */
  readonly nodePath: string
  /** Absolute path of the program that starts the daemon. */
  readonly launcherPath: string
  /** As {@link Paths} were resolved: --home, if it was given, and the environment. */
  readonly paths: Paths
  readonly home?: string | undefined
  readonly env: Readonly<Record<string, string | undefined>>
}

/**
 * Renders the unit. The daemon will find the same directories as the caller of this, whatever the service manager's own
 * environment says.
 * @throws {ServiceError} SERVICE_PATH_UNUSABLE | SERVICE_UNREADABLE
 */
export function renderUnit(input: UnitInput): string {
  const { paths, nodePath, launcherPath } = input
  const environment = environmentOf(input)
  // A run directory of XDG_RUNTIME_DIR is made by RuntimeDirectory=; one below --home must be made and opened as the state is.
  const writable = environment.PERSONAD_HOME === undefined ? [paths.stateDir] : [paths.stateDir, paths.runDir]
  for (const path of [nodePath, launcherPath, ...writable, ...Object.values(environment)]) checkPath(path)
  if (/["'\\]/.test(nodePath)) {
    const message = `systemd starts no program with quotes or backslashes in its path: ${nodePath}`
    throw new ServiceError('SERVICE_PATH_UNUSABLE', message)
  }
  const quoted = writable.map((path) => quote(path)).join(' ')
  const assignments = Object.entries(environment).map(([name, value]) => `Environment=${quote(`${name}=${value}`)}`)
  const program = `ExecStart=${quote(nodePath)} ${quoteArgument(launcherPath)}`
  const values: Readonly<Record<string, string>> = {
    'ExecStart=': [program, ...assignments].join('\n'),
    'ExecStartPre=': `ExecStartPre=+/bin/mkdir -p -m 0700 ${writable.map(quoteArgument).join(' ')}`,
    'ReadWritePaths=': `ReadWritePaths=${quoted}`,
  }
  const body = input.template.slice(input.template.indexOf('[Unit]'))
  let lines = body.split('\n')
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

/** Where the unit of a user is read from (systemd.unit(5)). */
export function unitPathIn(configHome: string): string {
  return join(configHome, 'systemd', 'user', 'personad.service')
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
