/** `persona service ...`: what service.ts does, told to the owner. */
import { print, type Context } from '../io/context.ts'
import { EXIT_DONE, EXIT_FAILED } from '../io/errors.ts'
import { escapeText } from '../io/escape.ts'
import {
  installService,
  LINGER_HINT,
  serviceStatus,
  uninstallService,
  type ServiceReport,
  type ServiceStatus,
} from './service.ts'

export interface ServiceCommandOptions {
  /** Replace or remove a unit that this program did not write. */
  readonly force?: true
  /** Also the unit that writes profiles. */
  readonly repair?: true
  /** Also the network of the companion. */
  readonly tox?: true
}

export async function install(context: Context, options: ServiceCommandOptions): Promise<number> {
  const wanted = { force: options.force === true, repair: options.repair === true, tox: options.tox === true }
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

/** What the service manager refused is left to the user, and is a failure for a script. */
function printReport(context: Context, report: ServiceReport): number {
  const todo = report.todo.map((line) => `left to you: ${escapeText(line)}`)
  const done = report.done.length === 0 ? ['there was nothing to do'] : report.done.map(escapeText)
  print(context, report, [...done, ...todo])
  return report.todo.every((line) => line === LINGER_HINT) ? EXIT_DONE : EXIT_FAILED
}

const UNIT: Readonly<Record<ServiceStatus['unit'], string>> = {
  ours: 'in place',
  foreign: 'in place, but not written by persona',
  absent: 'not there: persona service install',
}

export function formatServiceStatus(status: ServiceStatus): string[] {
  const { repair } = status
  const how = repair.activeState === null ? '' : `, ${escapeText(repair.activeState)}`
  const lines = [
    `unit:     ${escapeText(status.unitPath)}, ${UNIT[status.unit]}`,
    repair.unit === 'absent'
      ? 'repair:   not there; it writes your table back into Tox profiles: persona service install --repair'
      : `repair:   ${escapeText(repair.unitPath)}, ${UNIT[repair.unit]}${how}`,
  ]
  if (status.activeState === null) return [...lines, 'service:  no service manager of this user answers']
  const process = status.mainPid === null ? '' : `, process ${status.mainPid}`
  lines.push(
    `service:  ${escapeText(status.activeState)}${process}, ${escapeText(status.unitFileState ?? 'not enabled')}`,
  )
  if (status.statusText !== null) lines.push(`it says:  ${escapeText(status.statusText)}`)
  if (status.isLingering === false) lines.push(`          ${LINGER_HINT}`)
  return lines
}
