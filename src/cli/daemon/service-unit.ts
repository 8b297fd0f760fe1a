/** The systemd units of one installation: the templates in systemd/, with absolute paths. */
import { PersonadError } from '../../errors/personad-error.ts'
import { isAbsolute, join, resolve } from 'node:path'
import type { Paths } from '../../ipc/paths.ts'

export type ServiceErrorCode =
  | 'SERVICE_NOT_OURS' // somebody else wrote a unit of that name
  | 'SERVICE_PATH_UNUSABLE' // a unit cannot name the path, or its sandbox hides it
  | 'SERVICE_UNREADABLE' // the unit or its template cannot be read
  | 'SERVICE_UNWRITABLE' // the directory of units cannot be created

export class ServiceError extends PersonadError<ServiceErrorCode> {
  override readonly name = 'ServiceError'
}

/** The first line of every unit that `persona service install` wrote and may replace or remove. */
export const UNIT_MARKER =
  '# Written by "persona service install": change it with "systemctl --user edit personad", not here.'

export interface UnitInput {
  /** The text of a unit in systemd/. */
  readonly template: string
  /** Absolute path of the node binary, without links: a version manager may move its "current" link. */
  readonly nodePath: string
  /** Absolute path of the script that Node runs. */
  readonly launcherPath: string
  /** Resolved from `home` and `env`. */
  readonly paths: Paths
  readonly home?: string | undefined
  readonly env: Readonly<Record<string, string | undefined>>
}

/**
 * Renders the daemon's unit. The daemon finds the same directories as the caller, whatever the environment of the service manager.
 * @throws {ServiceError} SERVICE_PATH_UNUSABLE | SERVICE_UNREADABLE
 */
export function renderUnit(input: UnitInput): string {
  const { paths } = input
  // RuntimeDirectory= creates the run directory in XDG_RUNTIME_DIR. Below --home the unit must create it and make it writable, like the state.
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
 * Renders the unit of `persona tox repair`, which finds the same daemon as the caller.
 * @param input the template is systemd/personad-repair.service, the launcher that of the command line
 * @throws {ServiceError} SERVICE_PATH_UNUSABLE | SERVICE_UNREADABLE
 */
export function renderRepairUnit(input: UnitInput): string {
  return fillIn(input.template, { 'ExecStart=': startLines(input, ['tox', 'repair']) })
}

/** The input of {@link renderConfinedUnit}. */
export interface ConfinedUnitInput extends UnitInput {
  /** Arguments of node before the launcher. */
  readonly flags: readonly string[]
  /** Files and folders that the program reads, absolute. */
  readonly readable: readonly string[]
}

/**
 * Renders the unit of personad-net or personad-rtc. Home directories are hidden from it, except for Node and its own code. So are the state and the
 * sockets of the daemon, wherever they are.
 * @param input the template is systemd/personad-net.service or systemd/personad-rtc.service
 * @throws {ServiceError} SERVICE_PATH_UNUSABLE | SERVICE_UNREADABLE
 */
export function renderConfinedUnit(input: ConfinedUnitInput): string {
  const { nodePath, launcherPath, flags, readable, paths } = input
  for (const path of [nodePath, launcherPath, ...readable, paths.stateDir, paths.runDir]) checkPath(path)
  checkProgram(nodePath)
  const start = [quote(nodePath), ...[...flags, launcherPath].map(quoteArgument)].join(' ')
  const shown = [nodePath, ...readable].map((path) => `BindReadOnlyPaths=${quote(bindable(path))}`)
  const hidden = [paths.stateDir, paths.runDir].map((path) => `InaccessiblePaths=${quote(`-${path}`)}`)
  return fillIn(input.template, {
    'ExecStart=': `ExecStart=${start}`,
    'ProtectHome=': ['ProtectHome=tmpfs', ...shown, ...hidden].join('\n'),
  })
}

/**
 * Renders the drop-in that opens the daemon's sandbox for folders of channels. One that is away does not keep the service from starting.
 * @param folders absolute paths
 * @throws {ServiceError} SERVICE_PATH_UNUSABLE
 */
export function renderFolders(folders: readonly string[]): string {
  for (const path of folders) checkPath(path)
  const writable = folders.map((path) => `ReadWritePaths=${quote(`-${path}`)}`)
  return [UNIT_MARKER, '', '[Service]', ...writable, ''].join('\n')
}

/** Writes the marker above a unit that needs no path. */
export function marked(template: string): string {
  return fillIn(template, {})
}

/** The lines that start the program, with the environment that the service manager lacks. */
function startLines(input: UnitInput, args: readonly string[]): string {
  const { nodePath, launcherPath } = input
  const environment = environmentOf(input)
  for (const path of [nodePath, launcherPath, ...Object.values(environment)]) checkPath(path)
  checkProgram(nodePath)
  const assignments = Object.entries(environment).map(([name, value]) => `Environment=${quote(`${name}=${value}`)}`)
  const program = [`ExecStart=${quote(nodePath)}`, quoteArgument(launcherPath), ...args].join(' ')
  return [program, ...assignments].join('\n')
}

/** Replaces the one line that begins with each key. */
function fillIn(template: string, values: Readonly<Record<string, string>>): string {
  let lines = template.slice(template.indexOf('[Unit]')).split('\n')
  for (const [start, value] of Object.entries(values)) {
    if (lines.filter((line) => line.startsWith(start)).length !== 1) {
      throw new ServiceError(
        'SERVICE_UNREADABLE',
        `the unit template does not have exactly one line "${start}"; reinstall personad`,
      )
    }
    lines = lines.map((line) => (line.startsWith(start) ? value : line))
  }
  return `${UNIT_MARKER}\n\n${lines.join('\n')}`
}

/** The path of a user unit (systemd.unit(5)). */
export function unitPathIn(configHome: string, name: string): string {
  return join(configHome, 'systemd', 'user', name)
}

/** The service manager does not know the variables that a shell profile exports. */
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
    const message = `${path} is in a directory for temporary files, which the service cannot see; choose another place`
    throw new ServiceError('SERVICE_PATH_UNUSABLE', message)
  }
}

/** A colon would begin the second path of a bind (systemd.exec(5)). */
function bindable(path: string): string {
  if (!path.includes(':')) return path
  throw new ServiceError('SERVICE_PATH_UNUSABLE', `a unit cannot show its program a path with a colon: ${path}`)
}

function checkProgram(nodePath: string): void {
  if (!/["'\\]/.test(nodePath)) return
  const message = `systemd cannot start a program with quotes or backslashes in its path: ${nodePath}`
  throw new ServiceError('SERVICE_PATH_UNUSABLE', message)
}

/** Quotes one word of a unit file: % begins a specifier, and systemd interprets backslash and quote (systemd.syntax(7)). */
function quote(word: string): string {
  return `"${word.replaceAll(/[\\"]/g, '\\$&').replaceAll('%', '%%')}"`
}

/** In arguments $ begins a variable, but not in the path of the program (systemd.service(5)). */
function quoteArgument(word: string): string {
  return quote(word).replaceAll('$', '$$$$')
}
