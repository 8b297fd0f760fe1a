/** `persona service`: puts the daemon under the care of the user's service manager, and takes it out again. */
import { lstat, mkdir, readFile, realpath } from 'node:fs/promises'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { removeDurably, writeFileDurably } from '../../durable/file.ts'
import { configHome, resolvePaths, type PathsInput } from '../../ipc/paths.ts'
import { renderRepairUnit, renderUnit, ServiceError, UNIT_MARKER, unitPathIn } from './service-unit.ts'
import { readLingering, runAll, runProgram, type RunProgram } from './systemctl.ts'

export interface ServiceOptions extends PathsInput {
  readonly run?: RunProgram
  /** Absolute paths of Node and of the launchers; those of this process and this checkout or package when left out. */
  readonly programs?: { readonly nodePath: string; readonly launcherPath: string; readonly commandPath: string }
}

export interface ServiceInstall extends ServiceOptions {
  /** Replace or remove a unit that this command did not write. */
  readonly force?: boolean
  /** Also the unit that writes profiles. */
  readonly repair?: boolean
  /** Also what gives the companion a network. */
  readonly tox?: boolean
}

/** What was done and what is left to the user, as lines for a terminal. */
export interface ServiceReport {
  readonly unitPath: string
  readonly done: readonly string[]
  readonly todo: readonly string[]
}

type UnitState = 'ours' | 'foreign' | 'absent'

/** How one unit does. */
export interface UnitStatus {
  readonly unitPath: string
  readonly unit: UnitState
  /** `active`, `failed`, ... of systemctl; null when no service manager of this user answers. */
  readonly activeState: string | null
  /** `enabled`, `disabled`, ...; null likewise. */
  readonly unitFileState: string | null
  readonly mainPid: number | null
}

export interface ServiceStatus extends UnitStatus {
  /** The daemon's own status line. */
  readonly statusText: string | null
  /** Of the unit that writes profiles. */
  readonly repair: UnitStatus
  /** Whether the daemon runs also while the user is not logged in; null when that cannot be found out. */
  readonly isLingering: boolean | null
}

export const LINGER_HINT =
  'the service runs while you are logged in; "loginctl enable-linger" lets it run always, from the start of the machine'

const UNIT_NAME = 'personad.service'
const REPAIR_NAME = 'personad-repair.service'
const TOX_TEMPLATE = 'personad-tox.conf'
const TOX_NAME = `${UNIT_NAME}.d/tox.conf` // systemd.unit(5): read after the unit itself
// As seen from src/cli in a checkout and from dist/cli in a package.
const LAUNCHER = new URL('../../launch/personad.js', import.meta.url)
const COMMAND = new URL('../../launch/persona.js', import.meta.url)
const TEMPLATES = new URL('../../../systemd/', import.meta.url)

/**
 * The units that an install would write.
 * @throws {ServiceError} SERVICE_PATH_UNUSABLE | SERVICE_UNREADABLE
 * @throws {PathsError} HOME_EMPTY | HOME_UNKNOWN
 */
export async function serviceUnits(options: ServiceOptions): Promise<{ daemon: string; repair: string }> {
  const { home, env } = options
  const { nodePath, launcherPath, commandPath } = options.programs ?? {
    nodePath: await realpath(process.execPath),
    launcherPath: fileURLToPath(LAUNCHER),
    commandPath: fileURLToPath(COMMAND),
  }
  const common = { nodePath, paths: resolvePaths(options), home, env }
  const [daemon, repair] = [await readTemplate(UNIT_NAME), await readTemplate(REPAIR_NAME)]
  return {
    daemon: renderUnit({ ...common, template: daemon, launcherPath }),
    repair: renderRepairUnit({ ...common, template: repair, launcherPath: commandPath }),
  }
}

async function readTemplate(name: string): Promise<string> {
  const file = new URL(name, TEMPLATES)
  return await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new ServiceError('SERVICE_UNREADABLE', `cannot read ${fileURLToPath(file)}: reinstall personad`, { cause })
  })
}

/**
 * Writes the unit and starts the service; with `repair` also that which writes profiles. Without a service manager that answers the
 * units are still written, and the report says what is left to do.
 * @throws {ServiceError} any ServiceErrorCode
 * @throws {DurableError} any DurableErrorCode
 * @throws {PathsError} HOME_EMPTY | HOME_UNKNOWN
 */
export async function installService(options: ServiceInstall): Promise<ServiceReport> {
  const units = await serviceUnits(options)
  const { unitPath, repairPath, toxPath } = unitPaths(options)
  const written: [string, string][] = [[unitPath, units.daemon]]
  if (options.repair === true) written.push([repairPath, units.repair])
  if (options.tox === true) written.push([toxPath, `${UNIT_MARKER}\n${await readTemplate(TOX_TEMPLATE)}`])
  if (options.force !== true) for (const [path] of written) await refuseForeign(path)
  // Where only the second unit is new the daemon goes on, with its key open.
  const goesOn =
    options.repair === true &&
    options.tox !== true &&
    (await readFile(unitPath, 'utf8').catch(() => null)) === units.daemon
  for (const [path] of written) await makeDirectory(dirname(path))
  for (const [path, text] of written) await writeFileDurably(path, Buffer.from(text), { mode: 0o644 })
  // A restart and not a start: the service may run under an older unit.
  const commands = [['daemon-reload'], ['enable', UNIT_NAME], [goesOn ? 'start' : 'restart', UNIT_NAME]]
  if (options.repair === true) commands.push(['enable', REPAIR_NAME], ['restart', REPAIR_NAME])
  const { done, todo } = await runAll(options.run ?? runProgram, commands)
  if ((await readLingering(options.run ?? runProgram)) !== true) todo.push(LINGER_HINT)
  return { unitPath, done: [...written.map(([path]) => `wrote ${path}`), ...done], todo }
}

async function makeDirectory(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 })
  } catch (cause) {
    throw new ServiceError('SERVICE_UNWRITABLE', `cannot make the directory ${path}`, { cause })
  }
}

/**
 * Stops the services and removes the units. State and configuration stay where they are.
 * @throws {ServiceError} SERVICE_NOT_OURS | SERVICE_UNREADABLE
 * @throws {DurableError} any DurableErrorCode but DURABLE_DISK_FULL
 * @throws {PathsError} HOME_UNKNOWN
 */
export async function uninstallService(options: ServiceInstall): Promise<ServiceReport> {
  const { unitPath, repairPath, toxPath } = unitPaths(options)
  const run = options.run ?? runProgram
  const units: [string, string][] = []
  for (const [path, name] of [
    [repairPath, REPAIR_NAME],
    [unitPath, UNIT_NAME],
  ] as const) {
    if (options.force !== true) await refuseForeign(path)
    if ((await readUnit(path)) !== 'absent') units.push([path, name])
  }
  if (units.length === 0) return { unitPath, done: [], todo: [] }
  const stopped = await runAll(
    run,
    units.map(([, name]) => ['disable', '--now', name]),
  )
  const paths = units.map(([path]) => path)
  if ((await readUnit(toxPath)) === 'ours') paths.push(toxPath)
  for (const path of paths) await removeDurably(path)
  const reloaded = await runAll(run, [['daemon-reload']])
  const done = [...stopped.done, ...paths.map((path) => `removed ${path}`), ...reloaded.done]
  return { unitPath, done, todo: [...stopped.todo, ...reloaded.todo] }
}

/**
 * Tells whether the units are in place and how the services do.
 * @throws {ServiceError} SERVICE_UNREADABLE
 * @throws {PathsError} HOME_UNKNOWN
 */
export async function serviceStatus(options: ServiceOptions): Promise<ServiceStatus> {
  const run = options.run ?? runProgram
  const { unitPath, repairPath } = unitPaths(options)
  const daemon = await show(run, UNIT_NAME)
  const repair = await show(run, REPAIR_NAME)
  return {
    unitPath,
    unit: await readUnit(unitPath),
    activeState: daemon.get('ActiveState') ?? null,
    unitFileState: daemon.get('UnitFileState') ?? null,
    mainPid: pidOf(daemon),
    statusText: daemon.get('StatusText') ?? null,
    repair: {
      unitPath: repairPath,
      unit: await readUnit(repairPath),
      activeState: repair.get('ActiveState') ?? null,
      unitFileState: repair.get('UnitFileState') ?? null,
      mainPid: pidOf(repair),
    },
    isLingering: await readLingering(run),
  }
}

function unitPaths({ env }: ServiceOptions): { unitPath: string; repairPath: string; toxPath: string } {
  const home = configHome(env)
  const [unitPath, repairPath, toxPath] = [UNIT_NAME, REPAIR_NAME, TOX_NAME].map((name) => unitPathIn(home, name))
  return { unitPath: unitPath!, repairPath: repairPath!, toxPath: toxPath! }
}

async function show(run: RunProgram, name: string): Promise<ReadonlyMap<string, string | null>> {
  const properties = 'ActiveState,UnitFileState,MainPID,StatusText'
  const { status, output } = await run('systemctl', ['--user', 'show', name, '--property', properties])
  return new Map(status === 0 ? output.split('\n').map(splitProperty) : [])
}

function pidOf(values: ReadonlyMap<string, string | null>): number | null {
  const pid = Number(values.get('MainPID') ?? 0)
  return Number.isSafeInteger(pid) && pid > 0 ? pid : null
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
async function readUnit(unitPath: string): Promise<UnitState> {
  try {
    if (!(await lstat(unitPath)).isFile()) return 'foreign'
    return (await readFile(unitPath, 'utf8')).startsWith(`${UNIT_MARKER}\n`) ? 'ours' : 'foreign'
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return 'absent'
    throw new ServiceError('SERVICE_UNREADABLE', `cannot read ${unitPath}`, { cause })
  }
}
