/** The state, config and run directories of one user, for the daemon and its clients (docs/ipc.md, section 1). */
import { PersonadError } from '../errors/personad-error.ts'
import { userInfo } from 'node:os'
import { isAbsolute, join, resolve } from 'node:path'

export interface Paths {
  /** Store, secrets and lock; 0700, only for the daemon. */
  readonly stateDir: string
  readonly configFile: string
  /** 0700; access to it is access to the daemon. */
  readonly runDir: string
  readonly adminDir: string
  readonly appSocket: string
  readonly adminSocket: string
}

export type PathsErrorCode =
  | 'HOME_EMPTY' // --home with an empty text
  | 'HOME_UNKNOWN' // neither $HOME nor the password database gives an absolute path

export class PathsError extends PersonadError<PathsErrorCode> {
  override readonly name = 'PathsError'
}

export interface PathsInput {
  /** The value of --home; it overrides PERSONAD_HOME. */
  readonly home?: string | undefined
  readonly env: Readonly<Record<string, string | undefined>>
}

/**
 * Resolves all paths without touching a file. All are below --home or PERSONAD_HOME if either is given (relative to the
 * working directory), else at the places of the XDG Base Directory Specification, version 0.8.
 * @throws {PathsError} HOME_EMPTY | HOME_UNKNOWN
 */
export function resolvePaths(input: PathsInput): Paths {
  const { home, env } = input
  // Otherwise `--home "$DIR"` with DIR unset would put a store into the working directory.
  if (home === '') throw new PathsError('HOME_EMPTY', '--home needs a directory: name one, or leave the option out')
  const base = home ?? env.PERSONAD_HOME
  if (base !== undefined && base !== '') {
    const root = resolve(base)
    return pathsOf(join(root, 'state'), join(root, 'config', 'personad.yaml'), join(root, 'run'))
  }
  const stateDir = join(absolute(env.XDG_STATE_HOME) ?? join(userHome(env), '.local', 'state'), 'personad')
  const configFile = join(configHome(env), 'personad', 'personad.yaml')
  const runtime = absolute(env.XDG_RUNTIME_DIR)
  return pathsOf(stateDir, configFile, runtime === null ? join(stateDir, 'run') : join(runtime, 'personad'))
}

/**
 * $XDG_CONFIG_HOME, by default ~/.config.
 * @throws {PathsError} HOME_UNKNOWN
 */
export function configHome(env: PathsInput['env']): string {
  return absolute(env.XDG_CONFIG_HOME) ?? join(userHome(env), '.config')
}

function pathsOf(stateDir: string, configFile: string, runDir: string): Paths {
  const adminDir = join(runDir, 'admin')
  const appSocket = join(runDir, 'app.sock')
  return { stateDir, configFile, runDir, adminDir, appSocket, adminSocket: join(adminDir, 'admin.sock') }
}

/** The specification has relative values ignored, and an empty one count as unset. */
function absolute(value: string | undefined): string | null {
  return value !== undefined && isAbsolute(value) ? resolve(value) : null
}

function userHome(env: PathsInput['env']): string {
  return absolute(env.HOME) ?? absolute(passwordHome()) ?? unknownHome()
}

function passwordHome(): string | undefined {
  try {
    return userInfo().homedir
  } catch {
    // A container may run under a user id without an entry.
    return undefined
  }
}

function unknownHome(): never {
  throw new PathsError('HOME_UNKNOWN', 'this user has no home directory: set HOME, or use --home DIRECTORY')
}
