/** Where the daemon and its clients meet: the state, config and run directories of one user (docs/ipc.md, section 1). */
import { PersonadError } from '../errors/personad-error.ts'
import { userInfo } from 'node:os'
import { isAbsolute, join, resolve } from 'node:path'

export interface Paths {
  /** Store, secrets and lock; 0700, and the daemon's alone. */
  readonly stateDir: string
  readonly configFile: string
  /** 0700; whoever may enter it may speak to the daemon. */
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
  /** The value of --home; it wins over PERSONAD_HOME. */
  readonly home?: string | undefined
  readonly env: Readonly<Record<string, string | undefined>>
}

/**
 * Says where everything is, touching nothing. One directory below --home or PERSONAD_HOME when either is given (relative to
 * the working directory), else the places of the XDG Base Directory Specification, version 0.8.
 * @throws {PathsError} HOME_EMPTY | HOME_UNKNOWN
 */
export function resolvePaths(input: PathsInput): Paths {
  const { home, env } = input
  // `--home "$DIR"` with DIR unset would otherwise put a store into the working directory.
  if (home === '') throw new PathsError('HOME_EMPTY', '--home is empty: give it a directory, or leave it out')
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
    // A container may run under a user id that has no entry.
    return undefined
  }
}

function unknownHome(): never {
  throw new PathsError(
    'HOME_UNKNOWN',
    'the home directory of this user is not known: set HOME, or give --home DIRECTORY',
  )
}
