/** `persona service`: puts the daemon under the care of the user's service manager, and takes it out again. */
import { execFile } from 'node:child_process'
import { lstat, mkdir, readFile, realpath } from 'node:fs/promises'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { removeDurably, writeFileDurably } from '../durable/file.ts'
import { configHome, resolvePaths, type PathsInput } from '../ipc/paths.ts'
import { renderUnit, ServiceError, UNIT_MARKER, unitPathIn } from './service-unit.ts'

/** Runs a program of the system; `status` is null when there is no such program, or it did not end in time. */
export type RunProgram = (
  program: string,
  args: readonly string[],
) => Promise<{ status: number | null; output: string }>

export interface ServiceOptions extends PathsInput {
  readonly run?: RunProgram
  /** Absolute paths of Node and of the launcher; those of this process and this checkout or package when left out. */
  readonly programs?: { readonly nodePath: string; readonly launcherPath: string }
}

export interface ServiceInstall extends ServiceOptions {
  /** Replace a unit that this command did not write. */
  readonly force?: boolean
}

/** What was done and what is left to the user, as lines for a terminal. */
export interface ServiceReport {
  readonly unitPath: string
  readonly done: readonly string[]
  readonly todo: readonly string[]
}

export interface ServiceStatus {
  readonly unitPath: string
  readonly unit: 'ours' | 'foreign' | 'absent'
  /** `active`, `failed`, ... of systemctl; null when no service manager of this user answers. */
  readonly activeState: string | null
  /** `enabled`, `disabled`, ...; null likewise. */
  readonly unitFileState: string | null
  readonly mainPid: number | null
  /** The daemon's own status line. */
  readonly statusText: string | null
  /** Whether the daemon runs also while the user is not logged in; null when that cannot be found out. */
  readonly isLingering: boolean | null
}

export const LINGER_HINT =
  'the service runs while you are logged in; "loginctl enable-linger" lets it run always, from the start of the machine'

const UNIT_NAME = 'personad.service'
const PROGRAM_TIMEOUT_MS = 150_000 // sanity: longer than TimeoutStartSec of the unit, so that systemctl gives the answer
// As seen from src/cli in a checkout and from dist/cli in a package.
const LAUNCHER = new URL('../../src/launch/personad.js', import.meta.url)
const TEMPLATE = new URL('../../systemd/personad.service', import.meta.url)

/**
 * The unit that an install would write.
 * @throws {ServiceError} SERVICE_PATH_UNUSABLE | SERVICE_UNREADABLE
 * @throws {PathsError} HOME_EMPTY | HOME_UNKNOWN
 */
export async function serviceUnit(options: ServiceOptions): Promise<string> {
  const { home, env } = options
  const template = await readFile(TEMPLATE, 'utf8').catch((cause: unknown) => {
    throw new ServiceError('SERVICE_UNREADABLE', `cannot read ${fileURLToPath(TEMPLATE)}: reinstall personad`, {
      cause,
    })
  })
  const programs = options.programs ?? {
    nodePath: await realpath(process.execPath),
    launcherPath: fileURLToPath(LAUNCHER),
  }
  return renderUnit({
    template,
    ...programs,
    paths: resolvePaths(options),
    home,
    env,
  })
}

/**
 * Writes the unit and starts the service. Without a service manager that answers the unit is still written, and the report
 * says what is left to do.
 * @throws {ServiceError} any ServiceErrorCode
 * @throws {DurableError} any DurableErrorCode
 * @throws {PathsError} HOME_EMPTY | HOME_UNKNOWN
 */
export async function installService(options: ServiceInstall): Promise<ServiceReport> {
  const text = await serviceUnit(options)
  const unitPath = unitPathIn(configHome(options.env))
  if (options.force !== true) await refuseForeign(unitPath)
  try {
    await mkdir(dirname(unitPath), { recursive: true, mode: 0o700 })
  } catch (cause) {
    throw new ServiceError('SERVICE_UNWRITABLE', `cannot make the directory ${dirname(unitPath)}`, { cause })
  }
  await writeFileDurably(unitPath, Buffer.from(text), { mode: 0o644 })
  // A restart and not a start: the service may run under an older unit.
  const commands = [['daemon-reload'], ['enable', UNIT_NAME], ['restart', UNIT_NAME]]
  const { done, todo } = await runAll(options.run ?? runProgram, commands)
  if ((await readLingering(options.run ?? runProgram)) !== true) todo.push(LINGER_HINT)
  return { unitPath, done: [`wrote ${unitPath}`, ...done], todo }
}

/**
 * Stops the service and removes the unit. State and configuration stay where they are.
 * @throws {ServiceError} SERVICE_NOT_OURS | SERVICE_UNREADABLE
 * @throws {DurableError} any DurableErrorCode but DURABLE_DISK_FULL
 * @throws {PathsError} HOME_UNKNOWN
 */
export async function uninstallService(options: ServiceInstall): Promise<ServiceReport> {
  const unitPath = unitPathIn(configHome(options.env))
  const run = options.run ?? runProgram
  if (options.force !== true) await refuseForeign(unitPath)
  if ((await readUnit(unitPath)) === 'absent') return { unitPath, done: [], todo: [] }
  const stopped = await runAll(run, [['disable', '--now', UNIT_NAME]])
  await removeDurably(unitPath)
  const reloaded = await runAll(run, [['daemon-reload']])
  const done = [...stopped.done, `removed ${unitPath}`, ...reloaded.done]
  return { unitPath, done, todo: [...stopped.todo, ...reloaded.todo] }
}

/**
 * Tells whether the unit is in place and how the service does.
 * @throws {ServiceError} SERVICE_UNREADABLE
 * @throws {PathsError} HOME_UNKNOWN
 */
export async function serviceStatus(options: ServiceOptions): Promise<ServiceStatus> {
  const run = options.run ?? runProgram
  const unitPath = unitPathIn(configHome(options.env))
  const properties = 'ActiveState,UnitFileState,MainPID,StatusText'
  const { status, output } = await run('systemctl', ['--user', 'show', UNIT_NAME, '--property', properties])
  const values = new Map(status === 0 ? output.split('\n').map(splitProperty) : [])
  const mainPid = Number(values.get('MainPID') ?? 0)
  return {
    unitPath,
    unit: await readUnit(unitPath),
    activeState: values.get('ActiveState') ?? null,
    unitFileState: values.get('UnitFileState') ?? null,
    mainPid: Number.isSafeInteger(mainPid) && mainPid > 0 ? mainPid : null,
    statusText: values.get('StatusText') ?? null,
    isLingering: await readLingering(run),
  }
}

function splitProperty(line: string): [string, string | null] {
  const at = line.indexOf('=')
  return [line.slice(0, at), line.slice(at + 1) || null]
}

async function refuseForeign(unitPath: string): Promise<void> {
  if ((await readUnit(unitPath)) !== 'foreign') return
  const message = `${unitPath} was not written by "persona service install": move it away, or use --force`
  throw new ServiceError('SERVICE_NOT_OURS', message)
}

/** A link is somebody's own arrangement, also one to a unit of ours. */
async function readUnit(unitPath: string): Promise<'ours' | 'foreign' | 'absent'> {
  try {
    if (!(await lstat(unitPath)).isFile()) return 'foreign'
    return (await readFile(unitPath, 'utf8')).startsWith(`${UNIT_MARKER}\n`) ? 'ours' : 'foreign'
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return 'absent'
    throw new ServiceError('SERVICE_UNREADABLE', `cannot read ${unitPath}`, { cause })
  }
}

/** Runs systemctl until one command fails; that one and the rest are left to the user. */
async function runAll(run: RunProgram, commands: readonly string[][]): Promise<{ done: string[]; todo: string[] }> {
  const done: string[] = []
  for (const [index, command] of commands.entries()) {
    const { status, output } = await run('systemctl', ['--user', ...command])
    if (status !== 0) {
      const reason = status === null ? 'systemctl is not here' : firstLine(output)
      const left = commands.slice(index).map((words) => `run: systemctl --user ${words.join(' ')}`)
      return { done, todo: [`the service manager did not do its part: ${reason}`, ...left] }
    }
    done.push(`systemctl --user ${command.join(' ')}`)
  }
  return { done, todo: [] }
}

async function readLingering(run: RunProgram): Promise<boolean | null> {
  // "self" is the user of the calling session; a user without one is named by the number.
  const user = String(process.getuid?.() ?? 'self')
  const { status, output } = await run('loginctl', ['show-user', user, '--property', 'Linger', '--value'])
  return status === 0 ? output.trim() === 'yes' : null
}

function firstLine(output: string): string {
  return output.trim().split('\n')[0] ?? ''
}

function runProgram(program: string, args: readonly string[]): Promise<{ status: number | null; output: string }> {
  return new Promise((done) => {
    execFile(program, [...args], { timeout: PROGRAM_TIMEOUT_MS, encoding: 'utf8' }, (error, stdout, stderr) => {
      if (error === null) return done({ status: 0, output: stdout })
      done({ status: typeof error.code === 'number' ? error.code : null, output: `${stderr}${stdout}` })
    })
  })
}
