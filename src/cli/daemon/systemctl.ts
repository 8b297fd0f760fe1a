/** What is asked of the service manager of this user, through its own programs. */
import { execFile } from 'node:child_process'

/** Runs a program of the system; `status` is null when there is no such program, or it did not end in time. */
export type RunProgram = (
  program: string,
  args: readonly string[],
) => Promise<{ status: number | null; output: string }>

const PROGRAM_TIMEOUT_MS = 150_000 // sanity: longer than TimeoutStartSec of the unit, so that systemctl gives the answer

/** Runs systemctl until one command fails; that one and the rest are left to the user. */
export async function runAll(
  run: RunProgram,
  commands: readonly string[][],
): Promise<{ done: string[]; todo: string[] }> {
  const done: string[] = []
  for (const [index, command] of commands.entries()) {
    const { status, output } = await run('systemctl', ['--user', ...command])
    if (status !== 0) {
      const reason = status === null ? 'systemctl is not here' : firstLine(output)
      const left = commands.slice(index).map((words) => `run: systemctl --user ${words.join(' ')}`)
      return { done, todo: [`the service manager did not do its part: ${reason}`, ...left] }
    }
    done.push(`systemctl --user ${command.join(' ')}`)
  }
  return { done, todo: [] }
}

/** Whether the service runs also while the user is not logged in; null when that cannot be found out. */
export async function readLingering(run: RunProgram): Promise<boolean | null> {
  // "self" is the user of the calling session; a user without one is named by the number.
  const user = String(process.getuid?.() ?? 'self')
  const { status, output } = await run('loginctl', ['show-user', user, '--property', 'Linger', '--value'])
  return status === 0 ? output.trim() === 'yes' : null
}

function firstLine(output: string): string {
  return output.trim().split('\n')[0] ?? ''
}

/** {@link RunProgram} for real. */
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
