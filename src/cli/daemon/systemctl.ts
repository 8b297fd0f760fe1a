/** Runs systemctl and loginctl for the user's service manager. */
import { execFile } from 'node:child_process'

/** Runs a system program. `status` is null if the program is missing or does not end in time. */
export type RunProgram = (
  program: string,
  args: readonly string[],
) => Promise<{ status: number | null; output: string }>

const PROGRAM_TIMEOUT_MS = 150_000 // sanity: longer than TimeoutStartSec of the unit, so that systemctl times out first, with a reason

/** Runs systemctl commands until one fails. That one and the rest are left to the user. */
export async function runAll(
  run: RunProgram,
  commands: readonly string[][],
): Promise<{ done: string[]; todo: string[] }> {
  const done: string[] = []
  for (const [index, command] of commands.entries()) {
    const { status, output } = await run('systemctl', ['--user', ...command])
    if (status !== 0) {
      const reason = status === null ? 'systemctl is missing or does not answer' : firstLine(output)
      const left = commands.slice(index).map((words) => `run: systemctl --user ${words.join(' ')}`)
      return { done, todo: [`systemd failed: ${reason}`, ...left] }
    }
    done.push(`systemctl --user ${command.join(' ')}`)
  }
  return { done, todo: [] }
}

/** Whether the service runs while the user is logged out. Null if unknown. */
export async function readLingering(run: RunProgram): Promise<boolean | null> {
  // By number, because "self" means the user of the calling session, which may not exist.
  const user = String(process.getuid?.() ?? 'self')
  const { status, output } = await run('loginctl', ['show-user', user, '--property', 'Linger', '--value'])
  return status === 0 ? output.trim() === 'yes' : null
}

function firstLine(output: string): string {
  return output.trim().split('\n')[0] ?? ''
}

/** The {@link RunProgram} that really runs programs. */
export function runProgram(
  program: string,
  args: readonly string[],
): Promise<{ status: number | null; output: string }> {
  return new Promise((done) => {
    execFile(program, [...args], { timeout: PROGRAM_TIMEOUT_MS, encoding: 'utf8' }, (error, stdout, stderr) => {
      if (error === null) return done({ status: 0, output: stdout })
      done({ status: typeof error.code === 'number' ? error.code : null, output: `${stderr}${stdout}` })
    })
  })
}
