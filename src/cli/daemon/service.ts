/** Installs and removes the daemon as a service of the user's systemd, and reports its status. */
import { lstat, readFile, realpath } from 'node:fs/promises'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { makeDirectories } from '../../durable/directories.ts'
import { removeDurably, writeFileDurably } from '../../durable/file.ts'
import { configHome, resolvePaths, type PathsInput } from '../../ipc/paths.ts'
import { netFlags } from '../../netnode/start.ts'
import { codePaths } from '../../process/small-program.ts'
import {
  marked,
  renderFolders,
  renderNetUnit,
  renderRepairUnit,
  renderUnit,
  ServiceError,
  UNIT_MARKER,
  unitPathIn,
} from './service-unit.ts'
import { readLingering, runAll, runProgram, type RunProgram } from './systemctl.ts'

export interface ServiceOptions extends PathsInput {
  readonly run?: RunProgram
  /** Absolute paths of Node and of the launchers. Default: those of this process and of this checkout or package. */
  readonly programs?: Programs
}

export interface Programs {
  readonly nodePath: string
  readonly launcherPath: string
  readonly commandPath: string
  readonly net: NetProgram
}

/** personad-net: its launcher, the arguments of node before it, and what it reads. */
export interface NetProgram {
  readonly launcherPath: string
  readonly flags: readonly string[]
  readonly readable: readonly string[]
}

export interface ServiceInstall extends ServiceOptions {
  /** Replaces or removes a unit that this program did not write. */
  readonly force?: boolean
  /** Also installs the unit that writes profiles. */
  readonly repair?: boolean
  /** Also installs the drop-in that gives the companion access to the network. */
  readonly tox?: boolean
  /** Also installs the units of personad-net, which reaches the network for the daemon. */
  readonly net?: boolean
  /** Also installs the drop-in by which the daemon writes in these folders, absolute paths, and in no others of before. */
  readonly folders?: readonly string[] | undefined
}

/** Finished steps and steps left to the user, as lines for a terminal. */
export interface ServiceReport {
  readonly unitPath: string
  readonly done: readonly string[]
  readonly todo: readonly string[]
}

type UnitState = 'ours' | 'foreign' | 'absent'

/** The status of one unit. */
export interface UnitStatus {
  readonly unitPath: string
  readonly unit: UnitState
  /** `active`, `failed`, ... of systemctl. Null if the user's systemd does not answer. */
  readonly activeState: string | null
  /** `enabled`, `disabled`, ... Null if the user's systemd does not answer. */
  readonly unitFileState: string | null
  readonly mainPid: number | null
}

export interface ServiceStatus extends UnitStatus {
  /** The status line that the daemon reported. */
  readonly statusText: string | null
  /** The unit that writes profiles. */
  readonly repair: UnitStatus
  /** personad-net: the state of its socket, and the process if somebody is connected. */
  readonly net: UnitStatus
  /** Whether the daemon runs while the user is logged out. Null if unknown. */
  readonly isLingering: boolean | null
}

export const LINGER_HINT =
  'the service runs only while you are logged in; to run it from boot on: loginctl enable-linger'

const UNIT_NAME = 'personad.service'
const REPAIR_NAME = 'personad-repair.service'
const NET_NAME = 'personad-net.service'
const NET_SOCKET_NAME = 'personad-net.socket'
const FOLDERS_NAME = `${UNIT_NAME}.d/folders.conf`
const TOX_TEMPLATE = 'personad-tox.conf'
const TOX_NAME = `${UNIT_NAME}.d/tox.conf` // systemd.unit(5): read after the unit itself
// The same relative paths hold in a checkout (src/) and in a package (dist/).
const LAUNCHER = new URL('../../launch/personad.js', import.meta.url)
const COMMAND = new URL('../../launch/persona.js', import.meta.url)
const NET_LAUNCHER = new URL('../../launch/personad-net.js', import.meta.url)
const TEMPLATES = new URL('../../../systemd/', import.meta.url)

/** The text of each unit. */
interface Units {
  readonly daemon: string
  readonly repair: string
  readonly netService: string
  readonly netSocket: string
}

/**
 * Renders the units that an install would write.
 * @throws {ServiceError} SERVICE_PATH_UNUSABLE | SERVICE_UNREADABLE
 * @throws {PathsError} HOME_EMPTY | HOME_UNKNOWN
 */
export async function serviceUnits(options: ServiceOptions): Promise<Units> {
  const { home, env } = options
  const { nodePath, launcherPath, commandPath, net } = options.programs ?? {
    nodePath: await realpath(process.execPath),
    launcherPath: fileURLToPath(LAUNCHER),
    commandPath: fileURLToPath(COMMAND),
    net: { launcherPath: fileURLToPath(NET_LAUNCHER), flags: netFlags(), readable: codePaths() },
  }
  const common = { nodePath, paths: resolvePaths(options), home, env }
  const [daemon, repair] = [await readTemplate(UNIT_NAME), await readTemplate(REPAIR_NAME)]
  const [netService, netSocket] = [await readTemplate(NET_NAME), await readTemplate(NET_SOCKET_NAME)]
  return {
    daemon: renderUnit({ ...common, template: daemon, launcherPath }),
    repair: renderRepairUnit({ ...common, template: repair, launcherPath: commandPath }),
    netService: renderNetUnit({ ...common, ...net, template: netService }),
    netSocket: marked(netSocket),
  }
}

async function readTemplate(name: string): Promise<string> {
  const file = new URL(name, TEMPLATES)
  return await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new ServiceError('SERVICE_UNREADABLE', `cannot read ${fileURLToPath(file)}; reinstall personad`, { cause })
  })
}

/**
 * Writes the unit and starts the service, and with `repair` and `net` also the other units. If systemd does not answer, it still writes
 * the units, and the report lists the remaining steps.
 * @throws {ServiceError} any ServiceErrorCode
 * @throws {DurableError} any DurableErrorCode
 * @throws {PathsError} HOME_EMPTY | HOME_UNKNOWN
 */
export async function installService(options: ServiceInstall): Promise<ServiceReport> {
  const units = await serviceUnits(options)
  const { unitPath, repairPath, toxPath, foldersPath, netPath, netSocketPath } = unitPaths(options)
  const written: [string, string][] = [[unitPath, units.daemon]]
  if (options.repair === true) written.push([repairPath, units.repair])
  if (options.tox === true) written.push([toxPath, `${UNIT_MARKER}\n${await readTemplate(TOX_TEMPLATE)}`])
  if (options.folders !== undefined) written.push([foldersPath, renderFolders(options.folders)])
  if (options.net === true) written.push([netSocketPath, units.netSocket], [netPath, units.netService])
  if (options.force !== true) for (const [path] of written) await refuseForeign(path)
  const isAsBefore = (await readFile(unitPath, 'utf8').catch(() => null)) === units.daemon
  const hasDropIn = options.tox === true || options.folders !== undefined
  // If only the other units are new, the daemon keeps running, with its key open.
  const goesOn = (options.repair === true || options.net === true) && !hasDropIn && isAsBefore
  for (const [path] of written) makeDirectory(dirname(path))
  for (const [path, text] of written) await writeFileDurably(path, Buffer.from(text), { mode: 0o644 })
  // Restart instead of start, because the service may run with an older unit.
  const commands = [['daemon-reload']]
  // A socket does not start again while its service runs. It listens before the daemon connects.
  if (options.net === true) commands.push(['stop', NET_NAME], ['enable', NET_SOCKET_NAME], ['restart', NET_SOCKET_NAME])
  commands.push(['enable', UNIT_NAME], [goesOn ? 'start' : 'restart', UNIT_NAME])
  if (options.repair === true) commands.push(['enable', REPAIR_NAME], ['restart', REPAIR_NAME])
  const { done, todo } = await runAll(options.run ?? runProgram, commands)
  if ((await readLingering(options.run ?? runProgram)) !== true) todo.push(LINGER_HINT)
  return { unitPath, done: [...written.map(([path]) => `wrote ${path}`), ...done], todo }
}

function makeDirectory(path: string): void {
  try {
    makeDirectories(path, 0o700)
  } catch (cause) {
    throw new ServiceError('SERVICE_UNWRITABLE', `cannot create the directory ${path}`, { cause })
  }
}

/**
 * Stops the services and removes the units. State and configuration stay where they are.
 * @throws {ServiceError} SERVICE_NOT_OURS | SERVICE_UNREADABLE
 * @throws {DurableError} any DurableErrorCode but DURABLE_DISK_FULL
 * @throws {PathsError} HOME_UNKNOWN
 */
export async function uninstallService(options: ServiceInstall): Promise<ServiceReport> {
  const { unitPath, repairPath, toxPath, foldersPath, netPath, netSocketPath } = unitPaths(options)
  const run = options.run ?? runProgram
  const units: [string, string][] = []
  for (const [path, name] of [
    [repairPath, REPAIR_NAME],
    [unitPath, UNIT_NAME],
    [netSocketPath, NET_SOCKET_NAME],
    [netPath, NET_NAME],
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
  for (const path of [toxPath, foldersPath]) if ((await readUnit(path)) === 'ours') paths.push(path)
  for (const path of paths) await removeDurably(path)
  const reloaded = await runAll(run, [['daemon-reload']])
  const done = [...stopped.done, ...paths.map((path) => `removed ${path}`), ...reloaded.done]
  return { unitPath, done, todo: [...stopped.todo, ...reloaded.todo] }
}

/**
 * Reports the units and the services.
 * @throws {ServiceError} SERVICE_UNREADABLE
 * @throws {PathsError} HOME_UNKNOWN
 */
export async function serviceStatus(options: ServiceOptions): Promise<ServiceStatus> {
  const run = options.run ?? runProgram
  const { unitPath, repairPath, netPath } = unitPaths(options)
  const daemon = await show(run, UNIT_NAME)
  const repair = await show(run, REPAIR_NAME)
  const [netSocket, net] = [await show(run, NET_SOCKET_NAME), await show(run, NET_NAME)]
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
    net: {
      unitPath: netPath,
      unit: await readUnit(netPath),
      activeState: netSocket.get('ActiveState') ?? null,
      unitFileState: netSocket.get('UnitFileState') ?? null,
      mainPid: pidOf(net),
    },
    isLingering: await readLingering(run),
  }
}

type UnitPaths = Readonly<
  Record<'unitPath' | 'repairPath' | 'toxPath' | 'foldersPath' | 'netPath' | 'netSocketPath', string>
>

function unitPaths({ env }: ServiceOptions): UnitPaths {
  const home = configHome(env)
  const at = (name: string): string => unitPathIn(home, name)
  return {
    unitPath: at(UNIT_NAME),
    repairPath: at(REPAIR_NAME),
    toxPath: at(TOX_NAME),
    foldersPath: at(FOLDERS_NAME),
    netPath: at(NET_NAME),
    netSocketPath: at(NET_SOCKET_NAME),
  }
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
  const message = `"persona service install" did not write ${unitPath}; move it away, or add --force`
  throw new ServiceError('SERVICE_NOT_OURS', message)
}

/** A link counts as foreign, even a link to our own unit: somebody put it there on purpose. */
async function readUnit(unitPath: string): Promise<UnitState> {
  try {
    if (!(await lstat(unitPath)).isFile()) return 'foreign'
    return (await readFile(unitPath, 'utf8')).startsWith(`${UNIT_MARKER}\n`) ? 'ours' : 'foreign'
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return 'absent'
    throw new ServiceError('SERVICE_UNREADABLE', `cannot read ${unitPath}`, { cause })
  }
}
