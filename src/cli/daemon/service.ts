/** Installs and removes the daemon as a service of the user's systemd. */
import { readFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { makeDirectories } from '../../durable/directories.ts'
import { removeDurably, writeFileDurably } from '../../durable/file.ts'
import {
  NET_NAME,
  NET_SOCKET_NAME,
  readUnit,
  refuseForeign,
  REPAIR_NAME,
  RTC_NAME,
  RTC_SOCKET_NAME,
  serviceUnits,
  toxDropIn,
  UNIT_NAME,
  unitPaths,
  type ServiceOptions,
} from './service-files.ts'
import { renderFolders, ServiceError } from './service-unit.ts'
import { readLingering, runAll, runProgram } from './systemctl.ts'

export interface ServiceInstall extends ServiceOptions {
  /** Replaces or removes a unit that this program did not write. */
  readonly force?: boolean
  /** Also installs the unit that writes profiles. */
  readonly repair?: boolean
  /** Also installs the drop-in that gives the companion access to the network. */
  readonly tox?: boolean
  /** Also installs the units of personad-net and personad-rtc, which reach the network for the daemon. */
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

export const LINGER_HINT =
  'the service runs only while you are logged in; to run it from boot on: loginctl enable-linger'

/**
 * Writes the unit and starts the service, and with `repair` and `net` also the other units. If systemd does not answer, it still writes
 * the units, and the report lists the remaining steps.
 * @throws {ServiceError} any ServiceErrorCode
 * @throws {DurableError} any DurableErrorCode
 * @throws {PathsError} HOME_EMPTY | HOME_UNKNOWN
 */
export async function installService(options: ServiceInstall): Promise<ServiceReport> {
  const units = await serviceUnits(options)
  const { unitPath, repairPath, toxPath, foldersPath, netPath, netSocketPath, rtcPath, rtcSocketPath } =
    unitPaths(options)
  const written: [string, string][] = [[unitPath, units.daemon]]
  if (options.repair === true) written.push([repairPath, units.repair])
  if (options.tox === true) written.push([toxPath, await toxDropIn()])
  if (options.folders !== undefined) written.push([foldersPath, renderFolders(options.folders)])
  const sockets: [string, string][] = []
  if (options.net === true) {
    written.push([netSocketPath, units.netSocket], [netPath, units.netService])
    sockets.push([NET_SOCKET_NAME, NET_NAME])
    if (units.rtcService !== null) {
      written.push([rtcSocketPath, units.rtcSocket], [rtcPath, units.rtcService])
      sockets.push([RTC_SOCKET_NAME, RTC_NAME])
    }
  }
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
  for (const [socket, program] of sockets) commands.push(['stop', program], ['enable', socket], ['restart', socket])
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
  const { unitPath, repairPath, toxPath, foldersPath, netPath, netSocketPath, rtcPath, rtcSocketPath } =
    unitPaths(options)
  const run = options.run ?? runProgram
  const units: [string, string][] = []
  for (const [path, name] of [
    [repairPath, REPAIR_NAME],
    [unitPath, UNIT_NAME],
    [netSocketPath, NET_SOCKET_NAME],
    [netPath, NET_NAME],
    [rtcSocketPath, RTC_SOCKET_NAME],
    [rtcPath, RTC_NAME],
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
