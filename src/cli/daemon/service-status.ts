/** Reports the services and their units. */
import {
  NET_NAME,
  NET_SOCKET_NAME,
  readUnit,
  REPAIR_NAME,
  RTC_NAME,
  RTC_SOCKET_NAME,
  UNIT_NAME,
  unitPaths,
  type ServiceOptions,
  type UnitState,
} from './service-files.ts'
import { readLingering, runProgram, type RunProgram } from './systemctl.ts'

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
  /** personad-rtc, in the same way. */
  readonly rtc: UnitStatus
  /** Whether the daemon runs while the user is logged out. Null if unknown. */
  readonly isLingering: boolean | null
}

/**
 * Reports the units and the services.
 * @throws {ServiceError} SERVICE_UNREADABLE
 * @throws {PathsError} HOME_UNKNOWN
 */
export async function serviceStatus(options: ServiceOptions): Promise<ServiceStatus> {
  const run = options.run ?? runProgram
  const { unitPath, repairPath, netPath, rtcPath } = unitPaths(options)
  const daemon = await show(run, UNIT_NAME)
  return {
    ...(await statusOf(unitPath, daemon)),
    statusText: daemon.get('StatusText') ?? null,
    repair: await statusOf(repairPath, await show(run, REPAIR_NAME)),
    net: await statusOf(netPath, await show(run, NET_SOCKET_NAME), await show(run, NET_NAME)),
    rtc: await statusOf(rtcPath, await show(run, RTC_SOCKET_NAME), await show(run, RTC_NAME)),
    isLingering: await readLingering(run),
  }
}

type Properties = ReadonlyMap<string, string | null>

/** @param started the unit that has the process, if another one starts it */
async function statusOf(unitPath: string, unit: Properties, started: Properties = unit): Promise<UnitStatus> {
  return {
    unitPath,
    unit: await readUnit(unitPath),
    activeState: unit.get('ActiveState') ?? null,
    unitFileState: unit.get('UnitFileState') ?? null,
    mainPid: pidOf(started),
  }
}

async function show(run: RunProgram, name: string): Promise<Properties> {
  const properties = 'ActiveState,UnitFileState,MainPID,StatusText'
  const { status, output } = await run('systemctl', ['--user', 'show', name, '--property', properties])
  return new Map(status === 0 ? output.split('\n').map(splitProperty) : [])
}

function pidOf(values: Properties): number | null {
  const pid = Number(values.get('MainPID') ?? 0)
  return Number.isSafeInteger(pid) && pid > 0 ? pid : null
}

function splitProperty(line: string): [string, string | null] {
  const at = line.indexOf('=')
  return [line.slice(0, at), line.slice(at + 1) || null]
}
