/** Questions to the person at the terminal. Asked on stderr, so that results can be piped; secrets are typed unseen. */
import { Writable } from 'node:stream'
import { CliError } from './errors.ts'

/** Whether somebody is there to read a question and to type the answer. */
export function isInteractive(): boolean {
  return process.stdin.isTTY && process.stderr.isTTY
}

/**
 * Asks for one line.
 * @param signal takes the question back, as Ctrl-C does
 * @throws {CliError} NO_TERMINAL | CANCELLED
 */
export async function askLine(question: string, signal: AbortSignal | null = null): Promise<string> {
  return await ask(question, true, signal)
}

/**
 * Asks for one line without showing it.
 * @throws {CliError} NO_TERMINAL | CANCELLED
 */
export async function askSecret(question: string): Promise<string> {
  return await ask(question, false, null)
}

async function ask(question: string, isShown: boolean, signal: AbortSignal | null): Promise<string> {
  if (!isInteractive()) throw new CliError('NO_TERMINAL', 'there is no terminal to ask on', { hint: 'run it on one' })
  const { createInterface } = await import('node:readline')
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() })
  // Raw mode in both cases: it is readline that shows what is typed, not the terminal.
  const reader = createInterface({
    input: process.stdin,
    output: isShown ? process.stderr : silent,
    prompt: isShown ? question : '',
    terminal: true,
    historySize: 0,
    ...(signal === null ? {} : { signal }),
  })
  // Only now: what is typed in answer to the question must not meet a terminal that still shows it.
  process.stderr.write(question)
  try {
    return await new Promise((resolve, reject) => {
      const cancel = (): void => reject(new CliError('CANCELLED', 'cancelled: nothing was done'))
      reader.once('line', resolve)
      reader.once('SIGINT', cancel)
      reader.once('close', cancel)
    })
  } finally {
    reader.close()
    if (!isShown) process.stderr.write('\n')
  }
}

// The alternate screen: what was shown on it is neither on the screen nor in the scroll-back afterwards. It is cleared before it is
// left, for terminals that have no second screen.
const SECRET_SCREEN_BEGIN = '\x1b[?1049h\x1b[2J\x1b[H'
const SECRET_SCREEN_END = '\x1b[2J\x1b[H\x1b[?1049l'

/** Shows lines that are to be read and then gone, until Enter. */
export async function showSecretly(lines: readonly string[], question: string): Promise<void> {
  const hasScreen = process.env['TERM'] !== undefined && process.env['TERM'] !== 'dumb'
  process.stderr.write(`${hasScreen ? SECRET_SCREEN_BEGIN : ''}${lines.join('\n')}\n\n`)
  try {
    await askLine(question)
  } finally {
    if (hasScreen) process.stderr.write(SECRET_SCREEN_END)
  }
}
