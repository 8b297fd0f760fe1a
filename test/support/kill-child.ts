/** A child of a test that is killed while it works. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { expect, onTestFinished } from 'vitest'

/** Runs a program until it has printed so many lines, and kills it. @param note gets each line, also those that came before the end was seen */
export async function killAfterLines(
  program: string,
  args: readonly string[],
  lines: number,
  note: (line: string) => void,
): Promise<void> {
  const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  const closed = once(child, 'close')
  let count = 0
  createInterface({ input: child.stdout }).on('line', (line) => {
    note(line)
    if (++count === lines) child.kill('SIGKILL')
  })
  await closed
  expect(child.signalCode).toBe('SIGKILL')
}
