/** `persona doctor`: what is not as it should be and what to do about it, with the daemon's own findings when it runs. */
import type { Client } from '../../ipc/client.ts'
import { notice, ok, problem, type Diagnosis, type Finding } from '../../ipc/shapes/doctor.ts'
import { isUnreachable, withDaemon } from '../io/connect.ts'
import { bold, print, type Context } from '../io/context.ts'
import { checkPlaces, checkVersions } from './places.ts'
import { describeFailure, EXIT_DONE, EXIT_FAILED } from '../io/errors.ts'
import { escapeText } from '../io/escape.ts'
import { countOf } from '../io/layout.ts'
import { serviceStatus, type ServiceStatus } from './service.ts'
import { ownVersion } from '../../process/version.ts'

/** Ends with EXIT_FAILED when there is a problem, so that a script can ask. */
export async function doctor(context: Context): Promise<number> {
  const daemon = await checkDaemon(context)
  const isRunning = daemon.some(({ code }) => code === 'DAEMON')
  const findings = [
    ...daemon,
    ...checkService(await serviceStatus({ home: context.home, env: process.env }), isRunning),
    ...checkPlaces(context.paths, isRunning),
    ...checkVersions(),
  ]
  const report: Diagnosis = { findings }
  print(context, report, formatFindings(report))
  return findings.some(({ severity }) => severity === 'problem') ? EXIT_FAILED : EXIT_DONE
}

/** What the daemon says of itself, or that it does not. */
async function checkDaemon(context: Context): Promise<Finding[]> {
  try {
    return await withDaemon(context, askDaemon)
  } catch (error) {
    const { message, code, hint } = describeFailure(error)
    if (isUnreachable(error)) return [problem('DAEMON_STOPPED', message, hint ?? 'start it: personad')]
    return [
      problem('DAEMON_REFUSES', `the daemon does not answer as it should: ${message} (${code})`, hint ?? 'see its log'),
    ]
  }
}

async function askDaemon(client: Client): Promise<Finding[]> {
  const { version, pid } = await client.call('status')
  const { findings } = await client.call('doctor')
  const own = ownVersion()
  const differs = `the daemon is personad ${version}, this is persona ${own}`
  return [
    ok('DAEMON', `personad ${version} runs as process ${pid}`),
    ...(version === own ? [] : [notice('VERSION_DIFFERS', differs, 'restart the daemon')]),
    ...findings,
  ]
}

function checkService({ unit, unitPath, activeState, isLingering }: ServiceStatus, isRunning: boolean): Finding[] {
  if (unit === 'absent') {
    const message = 'the daemon is no service of your systemd, and runs only when it is started by hand'
    return [notice('SERVICE_ABSENT', message, 'persona service install')]
  }
  if (activeState === 'failed')
    return [problem('SERVICE_FAILED', 'the service has failed', 'journalctl --user -u personad says why')]
  const findings = [
    activeState === 'active' || isRunning
      ? ok('SERVICE', `the unit is ${unitPath}${unit === 'foreign' ? ', not written by persona' : ''}`)
      : notice('SERVICE_STOPPED', `the unit ${unitPath} is there, and does not run`, 'systemctl --user start personad'),
  ]
  if (isLingering === false)
    findings.push(notice('SERVICE_NOT_LINGERING', 'the service ends when you log out', 'loginctl enable-linger'))
  return findings
}

const MARKS: Readonly<Record<Finding['severity'], string>> = { ok: 'ok     ', notice: 'notice ', problem: 'PROBLEM' }

export function formatFindings({ findings }: Diagnosis): string[] {
  const problems = findings.filter(({ severity }) => severity === 'problem').length
  const lines = findings.flatMap(({ severity, code, message, hint }) => [
    `${MARKS[severity]}  ${escapeText(message)} (${escapeText(code)})`,
    ...(hint === null ? [] : [`         -> ${escapeText(hint)}`]),
  ])
  return [...lines, '', bold(problems === 0 ? 'no problem was found' : countOf(problems, 'problem'))]
}
