/** `persona doctor`: finds problems and says how to fix them. Asks the daemon for its findings too, if it runs. */
import { adviceOf } from '../io/next-steps.ts'
import type { Client } from '../../ipc/client.ts'
import { notice, ok, problem, type Diagnosis, type Finding } from '../../ipc/shapes/doctor.ts'
import { isUnreachable, withDaemon } from '../io/connect.ts'
import { print, type Context } from '../io/context.ts'
import { bold, green, red, yellow } from '../io/style.ts'
import { existsSync } from 'node:fs'
import { checkConfigFile } from './config-check.ts'
import { checkPlaces, checkVersions } from './places.ts'
import { describeFailure, EXIT_DONE, EXIT_FAILED } from '../io/errors.ts'
import { escapeText } from '../io/escape.ts'
import { statePaths } from '../../store/state-dir.ts'
import { countOf } from '../io/layout.ts'
import { serviceStatus, type ServiceStatus } from './service-status.ts'
import { ownVersion } from '../../process/version.ts'

/** Returns EXIT_FAILED if there is a problem, for scripts. */
export async function doctor(context: Context): Promise<number> {
  const daemon = await checkDaemon(context)
  const isRunning = daemon.some(({ code }) => code === 'DAEMON')
  const findings = [
    ...daemon,
    ...checkService(await serviceStatus({ home: context.home, env: process.env }), isRunning),
    ...checkPlaces(context.paths, isRunning),
    ...(await checkConfig(context.paths.configFile)),
    ...checkVersions(),
  ]
  if (isStopped(daemon)) findings.push(...(await checkStoppedState(context.paths.stateDir)))
  const report: Diagnosis = { findings }
  print(context, report, formatFindings(report, context.verbose))
  return findings.some(({ severity }) => severity === 'problem') ? EXIT_FAILED : EXIT_DONE
}

/** The daemon read the file when it started. Somebody may have changed it since, and only the next start would tell. */
async function checkConfig(file: string): Promise<Finding[]> {
  const fault = existsSync(file) ? (await checkConfigFile(file)).fault : null
  if (fault === null) return []
  return [
    problem(
      'CONFIG_INVALID',
      `the daemon will not start again: ${fault.message} (${fault.code})`,
      'run: persona config edit',
    ),
  ]
}

/** The findings of the daemon, or a problem because it does not answer. */
async function checkDaemon(context: Context): Promise<Finding[]> {
  try {
    return await withDaemon(context, askDaemon)
  } catch (error) {
    const { message, code, hint } = describeFailure(error)
    if (isUnreachable(error)) return [problem('DAEMON_STOPPED', message, hint ?? 'run: personad')]
    return [
      problem('DAEMON_REFUSES', `the daemon does not answer correctly: ${message} (${code})`, hint ?? 'read its log'),
    ]
  }
}

function isStopped(findings: readonly Finding[]): boolean {
  return findings.some(({ code }) => code === 'DAEMON_STOPPED')
}

/** The refusals of a start that concern the state directory. */
async function checkStoppedState(stateDir: string): Promise<Finding[]> {
  const { checkStateFiles } = await import('../../store/state-files.ts')
  try {
    await checkStateFiles(statePaths(stateDir), process.getuid?.())
  } catch (error) {
    const { message, code } = describeFailure(error)
    return [problem(code, `the daemon will not start: ${message}`, 'after that, start the daemon again')]
  }
  return await checkStoppedStore(stateDir)
}

/** The files of the store, which no daemon has open. Each damaged one is named, with what is lost. */
async function checkStoppedStore(stateDir: string): Promise<Finding[]> {
  const { examineStore } = await import('./examine-store.ts')
  try {
    const faults = await examineStore(stateDir)
    if (faults === null) return []
    if (faults.length === 0) return [ok('STORE', 'the files of the store are whole')]
    return faults.map(({ code, file, message, loss }) =>
      problem(code, `${message}; lost: ${loss}`, code === 'SECRETS_MISSING' ? SECRETS_HINT : STORE_HINT, {
        path: file,
      }),
    )
  } catch (error) {
    const { message, code } = describeFailure(error)
    return [notice(code, `the store was not examined: ${message}`, null)]
  }
}

const STORE_HINT = 'restore a backup, or rescue what is whole into a new directory'
const SECRETS_HINT = 'put the file back from where it was kept; or move the state directory away, and restore a backup'

async function askDaemon(client: Client): Promise<Finding[]> {
  const { version, pid } = await client.call('status')
  const { findings } = await client.call('doctor')
  const own = ownVersion()
  const differs = `the daemon is version ${version}, but this command is version ${own}`
  return [
    ok('DAEMON', `personad ${version} runs as process ${pid}`),
    ...(version === own ? [] : [notice('VERSION_DIFFERS', differs, 'restart the daemon')]),
    ...findings,
  ]
}

function checkService({ unit, unitPath, activeState, isLingering }: ServiceStatus, isRunning: boolean): Finding[] {
  if (unit === 'absent') {
    const message = 'the daemon is not a service, so it runs only while you start it yourself'
    return [notice('SERVICE_ABSENT', message, 'run: persona service install')]
  }
  if (activeState === 'failed')
    return [problem('SERVICE_FAILED', 'the service failed', 'for the reason, run: journalctl --user -u personad')]
  const findings = [
    activeState === 'active' || isRunning
      ? ok('SERVICE', `the service is installed: ${unitPath}${unit === 'foreign' ? ', not written by persona' : ''}`)
      : notice(
          'SERVICE_STOPPED',
          `the service is installed, but does not run: ${unitPath}`,
          'run: systemctl --user start personad',
        ),
  ]
  if (isLingering === false)
    findings.push(
      notice(
        'SERVICE_NOT_LINGERING',
        'the service stops when you log out',
        'to keep it running: loginctl enable-linger',
      ),
    )
  return findings
}

const STYLES = { ok: green, notice: yellow, problem: red } as const
const MARKS: Readonly<Record<Finding['severity'], string>> = { ok: 'ok     ', notice: 'notice ', problem: 'PROBLEM' }

export function formatFindings({ findings }: Diagnosis, verbose = false): string[] {
  const problems = findings.filter(({ severity }) => severity === 'problem').length
  const lines = findings.flatMap(({ severity, code, message, hint, about }) => [
    `${STYLES[severity](MARKS[severity])}  ${escapeText(message)}${verbose ? numbersIn(about) : ''} (${escapeText(code)})`,
    ...adviceLines(adviceOf(code, hint, about)),
  ])
  return [...lines, '', bold(problems === 0 ? 'no problems found' : countOf(problems, 'problem'))]
}

/** The numbers of the table that a finding is about; empty without one. */
function numbersIn({ epoch, seq }: Readonly<Record<string, string>> = {}): string {
  return epoch === undefined || seq === undefined ? '' : ` (epoch ${escapeText(epoch)}, seq ${escapeText(seq)})`
}

function adviceLines(advice: string | null): string[] {
  return advice === null ? [] : [`         -> ${escapeText(advice)}`]
}
