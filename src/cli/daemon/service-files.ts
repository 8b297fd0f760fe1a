/** The unit files of the service: their names, their texts for this installation, and who wrote those that are there. */
import { lstat, readFile, realpath } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { configHome, resolvePaths, type PathsInput } from '../../ipc/paths.ts'
import { netFlags } from '../../netnode/start.ts'
import { codePaths } from '../../process/small-program.ts'
import { isLibraryInstalled } from '../../rtcnode/installed.ts'
import { rtcFlags, rtcPaths } from '../../rtcnode/start.ts'
import {
  marked,
  renderConfinedUnit,
  renderRepairUnit,
  renderUnit,
  ServiceError,
  UNIT_MARKER,
  unitPathIn,
} from './service-unit.ts'
import type { RunProgram } from './systemctl.ts'

export interface ServiceOptions extends PathsInput {
  readonly run?: RunProgram
  /** Absolute paths of Node and of the launchers. Default: those of this process and of this checkout or package. */
  readonly programs?: Programs
}

export interface Programs {
  readonly nodePath: string
  readonly launcherPath: string
  readonly commandPath: string
  readonly net: ConfinedProgram
  /** null if node-datachannel is not installed. */
  readonly rtc: ConfinedProgram | null
}

/** personad-net or personad-rtc: its launcher, the arguments of node before it, and what it reads. */
export interface ConfinedProgram {
  readonly launcherPath: string
  readonly flags: readonly string[]
  readonly readable: readonly string[]
}

export const UNIT_NAME = 'personad.service'
export const REPAIR_NAME = 'personad-repair.service'
export const NET_NAME = 'personad-net.service'
export const NET_SOCKET_NAME = 'personad-net.socket'
export const RTC_NAME = 'personad-rtc.service'
export const RTC_SOCKET_NAME = 'personad-rtc.socket'
const FOLDERS_NAME = `${UNIT_NAME}.d/folders.conf`
const TOX_TEMPLATE = 'personad-tox.conf'
const TOX_NAME = `${UNIT_NAME}.d/tox.conf` // systemd.unit(5): read after the unit itself
// The launchers lie in src/ in a package too.
const LAUNCHER = new URL('../../../src/launch/personad.js', import.meta.url)
const COMMAND = new URL('../../../src/launch/persona.js', import.meta.url)
const NET_LAUNCHER = new URL('../../../src/launch/personad-net.js', import.meta.url)
const RTC_LAUNCHER = new URL('../../../src/launch/personad-rtc.js', import.meta.url)
const TEMPLATES = new URL('../../../systemd/', import.meta.url)

/** The text of each unit. */
export interface Units {
  readonly daemon: string
  readonly repair: string
  readonly netService: string
  readonly netSocket: string
  /** null if node-datachannel is not installed. */
  readonly rtcService: string | null
  readonly rtcSocket: string
}

/**
 * Renders the units that an install would write.
 * @throws {ServiceError} SERVICE_PATH_UNUSABLE | SERVICE_UNREADABLE
 * @throws {PathsError} HOME_EMPTY | HOME_UNKNOWN
 */
export async function serviceUnits(options: ServiceOptions): Promise<Units> {
  const { home, env } = options
  const { nodePath, launcherPath, commandPath, net, rtc } = options.programs ?? (await ownPrograms())
  const common = { nodePath, paths: resolvePaths(options), home, env }
  const rtcTemplate = await readTemplate(RTC_NAME)
  return {
    daemon: renderUnit({ ...common, template: await readTemplate(UNIT_NAME), launcherPath }),
    repair: renderRepairUnit({ ...common, template: await readTemplate(REPAIR_NAME), launcherPath: commandPath }),
    netService: renderConfinedUnit({ ...common, ...net, template: await readTemplate(NET_NAME) }),
    netSocket: marked(await readTemplate(NET_SOCKET_NAME)),
    rtcService: rtc === null ? null : renderConfinedUnit({ ...common, ...rtc, template: rtcTemplate }),
    rtcSocket: marked(await readTemplate(RTC_SOCKET_NAME)),
  }
}

async function ownPrograms(): Promise<Programs> {
  return {
    nodePath: await realpath(process.execPath),
    launcherPath: fileURLToPath(LAUNCHER),
    commandPath: fileURLToPath(COMMAND),
    net: { launcherPath: fileURLToPath(NET_LAUNCHER), flags: netFlags(), readable: codePaths() },
    rtc: isLibraryInstalled()
      ? { launcherPath: fileURLToPath(RTC_LAUNCHER), flags: rtcFlags(), readable: rtcPaths() }
      : null,
  }
}

/** The text of the drop-in that gives the companion access to the network. @throws {ServiceError} SERVICE_UNREADABLE */
export async function toxDropIn(): Promise<string> {
  return `${UNIT_MARKER}\n${await readTemplate(TOX_TEMPLATE)}`
}

async function readTemplate(name: string): Promise<string> {
  const file = new URL(name, TEMPLATES)
  return await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new ServiceError('SERVICE_UNREADABLE', `cannot read ${fileURLToPath(file)}; reinstall personad`, { cause })
  })
}

type UnitPaths = Readonly<
  Record<
    'unitPath' | 'repairPath' | 'toxPath' | 'foldersPath' | 'netPath' | 'netSocketPath' | 'rtcPath' | 'rtcSocketPath',
    string
  >
>

export function unitPaths({ env }: ServiceOptions): UnitPaths {
  const home = configHome(env)
  const at = (name: string): string => unitPathIn(home, name)
  return {
    unitPath: at(UNIT_NAME),
    repairPath: at(REPAIR_NAME),
    toxPath: at(TOX_NAME),
    foldersPath: at(FOLDERS_NAME),
    netPath: at(NET_NAME),
    netSocketPath: at(NET_SOCKET_NAME),
    rtcPath: at(RTC_NAME),
    rtcSocketPath: at(RTC_SOCKET_NAME),
  }
}

export type UnitState = 'ours' | 'foreign' | 'absent'

/** @throws {ServiceError} SERVICE_NOT_OURS | SERVICE_UNREADABLE */
export async function refuseForeign(unitPath: string): Promise<void> {
  if ((await readUnit(unitPath)) !== 'foreign') return
  const message = `"persona service install" did not write ${unitPath}; move it away, or add --force`
  throw new ServiceError('SERVICE_NOT_OURS', message)
}

/**
 * A link counts as foreign, even a link to our own unit: somebody put it there on purpose.
 * @throws {ServiceError} SERVICE_UNREADABLE
 */
export async function readUnit(unitPath: string): Promise<UnitState> {
  try {
    if (!(await lstat(unitPath)).isFile()) return 'foreign'
    return (await readFile(unitPath, 'utf8')).startsWith(`${UNIT_MARKER}\n`) ? 'ours' : 'foreign'
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return 'absent'
    throw new ServiceError('SERVICE_UNREADABLE', `cannot read ${unitPath}`, { cause })
  }
}
