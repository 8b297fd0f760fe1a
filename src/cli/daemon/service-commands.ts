/** `persona service ...`: runs service.ts and prints its reports. */
import { resolve } from 'node:path'
import { print, type Context } from '../io/context.ts'
import { EXIT_DONE, EXIT_FAILED } from '../io/errors.ts'
import { escapeText } from '../io/escape.ts'
import { serviceStatus, type ServiceStatus, type UnitStatus } from './service-status.ts'
import { installService, LINGER_HINT, uninstallService, type ServiceReport } from './service.ts'

export interface ServiceCommandOptions {
  /** Replaces or removes a unit that this program did not write. */
  readonly force?: true
  /** Also installs the unit that writes profiles. */
  readonly repair?: true
  /** Also gives the companion access to the network. */
  readonly tox?: true
  /** Also installs the units of personad-net and personad-rtc. */
  readonly net?: true
  /** Also opens the sandbox for these folders. */
  readonly folder?: string[]
}

export async function install(context: Context, options: ServiceCommandOptions): Promise<number> {
  const { force = false, repair = false, tox = false, net = false, folder } = options
  const wanted = { force, repair, tox, net, folders: folder?.map((path) => resolve(path)) }
  return printReport(context, await installService({ ...placesOf(context), ...wanted }))
}

export async function uninstall(context: Context, options: ServiceCommandOptions): Promise<number> {
  return printReport(context, await uninstallService({ ...placesOf(context), force: options.force === true }))
}

export async function status(context: Context): Promise<number> {
  const report = await serviceStatus(placesOf(context))
  print(context, report, formatServiceStatus(report))
  return EXIT_DONE
}

function placesOf(context: Context): { home: string | undefined; env: NodeJS.ProcessEnv } {
  return { home: context.home, env: process.env }
}

/** Steps that the service manager refused are left to the user; for scripts they are a failure. */
function printReport(context: Context, report: ServiceReport): number {
  const done = report.done.map((line) => (line.startsWith('systemctl ') ? `ran ${escapeText(line)}` : escapeText(line)))
  const lines = [...done, ...report.todo.map(escapeText)]
  print(context, report, lines.length === 0 ? ['nothing to do'] : lines)
  return report.todo.every((line) => line === LINGER_HINT) ? EXIT_DONE : EXIT_FAILED
}

const UNIT: Readonly<Record<ServiceStatus['unit'], string>> = {
  ours: 'installed',
  foreign: 'installed, but not by persona',
  absent: 'not installed; run: persona service install',
}

export function formatServiceStatus(status: ServiceStatus): string[] {
  const { repair, net, rtc } = status
  const how = repair.activeState === null ? '' : `, ${escapeText(repair.activeState)}`
  const lines = [
    status.unit === 'absent'
      ? `unit:     ${UNIT.absent}`
      : `unit:     ${escapeText(status.unitPath)}, ${UNIT[status.unit]}`,
    repair.unit === 'absent'
      ? 'repair:   not installed; to write your table back into Tox profiles: persona service install --repair'
      : `repair:   ${escapeText(repair.unitPath)}, ${UNIT[repair.unit]}${how}`,
    programLine('network', net, 'to let the daemon reach the network'),
    programLine('direct', rtc, 'to let channels go directly, by node-datachannel'),
  ]
  if (status.activeState === null) return [...lines, 'service:  the systemd of your user does not answer']
  const process = status.mainPid === null ? '' : `, process ${status.mainPid}`
  lines.push(
    `service:  ${escapeText(status.activeState)}${process}, ${escapeText(status.unitFileState ?? 'not enabled')}`,
  )
  if (status.statusText !== null) lines.push(`status:   ${escapeText(status.statusText)}`)
  if (status.isLingering === false) lines.push(`          ${LINGER_HINT}`)
  return lines
}

function programLine(label: string, { unit, unitPath, mainPid }: UnitStatus, purpose: string): string {
  const start = `${label}:`.padEnd(10)
  if (unit === 'absent') return `${start}not installed; ${purpose}: persona service install --net`
  return `${start}${escapeText(unitPath)}, ${UNIT[unit]}${mainPid === null ? '' : `, process ${mainPid}`}`
}
