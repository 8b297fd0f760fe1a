/** Asks the user at the terminal. Questions go to stderr, so that results can be piped. Secrets are typed unseen. */
import { Writable } from 'node:stream'
import { CliError } from './errors.ts'

/** Whether a user can read a question and type an answer. */
export function isInteractive(): boolean {
  return process.stdin.isTTY && process.stderr.isTTY
}

/**
 * Asks for one line.
 * @param signal cancels the question, as Ctrl-C does
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
  checkTerminal()
  const { createInterface } = await import('node:readline')
  // Raw mode in both cases: readline echoes the typed text, not the terminal.
  const reader = createInterface({
    input: process.stdin,
    output: isShown ? process.stderr : silent(),
    prompt: isShown ? question : '',
    terminal: true,
    historySize: 0,
    ...(signal === null ? {} : { signal }),
  })
  // Only after raw mode is on. Otherwise the terminal would echo an answer that is typed at once.
  process.stderr.write(question)
  try {
    return await new Promise((resolve, reject) => {
      const cancel = (): void => reject(new CliError('CANCELLED', 'cancelled'))
      reader.once('line', resolve)
      reader.once('SIGINT', cancel)
      reader.once('close', cancel)
    })
  } finally {
    reader.close()
    if (!isShown) process.stderr.write('\n')
  }
}

/** A question for one line of a longer answer, such as one of 24 words. */
export interface LineQuestion {
  /** The text on the screen while the user types the line. */
  readonly lines: readonly string[]
  readonly question: string
}

/**
 * Asks for several lines on a screen of its own, which is cleared at each Enter and at the end. Lines that are pasted together are read
 * one after the other.
 * @param next takes the line, and returns the next question, or null when nothing more is needed
 * @param complete the words that Tab offers, and the part of the line that they complete
 * @throws {CliError} NO_TERMINAL | CANCELLED
 */
export async function askSecretLines(
  first: LineQuestion,
  next: (line: string) => LineQuestion | null,
  complete: (typed: string) => [string[], string],
): Promise<void> {
  checkTerminal()
  const { createInterface } = await import('node:readline')
  const hasScreen = process.env['TERM'] !== undefined && process.env['TERM'] !== 'dumb'
  const reader = createInterface({
    input: process.stdin,
    output: hasScreen ? process.stderr : silent(),
    terminal: true,
    historySize: 0,
    completer: complete,
  })
  const show = ({ lines, question }: LineQuestion): void => {
    process.stderr.write(`${hasScreen ? SCREEN_CLEAR : ''}${lines.map((line) => `${line}\n`).join('')}`)
    if (!hasScreen) process.stderr.write(question)
    reader.setPrompt(hasScreen ? question : '')
    reader.prompt()
  }
  if (hasScreen) process.stderr.write(SCREEN_BEGIN)
  show(first)
  try {
    await new Promise<void>((resolve, reject) => {
      const cancel = (): void => reject(new CliError('CANCELLED', 'cancelled'))
      let isDone = false
      reader.on('line', (line) => {
        if (isDone) return
        try {
          const question = next(line)
          isDone = question === null
          if (question === null) resolve()
          else show(question)
        } catch (error) {
          isDone = true
          reject(error)
        }
      })
      reader.once('SIGINT', cancel)
      reader.once('close', cancel)
    })
  } finally {
    reader.close()
    process.stderr.write(hasScreen ? SECRET_SCREEN_END : '\n')
  }
}

function checkTerminal(): void {
  if (isInteractive()) return
  throw new CliError('NO_TERMINAL', 'there is no terminal to ask on', { hint: 'run the command on a terminal' })
}

function silent(): Writable {
  return new Writable({ write: (_chunk, _encoding, done) => done() })
}

// The alternate screen leaves no trace on the screen or in the scroll-back. It is cleared before leaving it, for terminals that have no second
// screen.
const SCREEN_CLEAR = '\x1b[2J\x1b[H'
const SCREEN_BEGIN = '\x1b[?1049h'
const SECRET_SCREEN_BEGIN = `${SCREEN_BEGIN}${SCREEN_CLEAR}`
const SECRET_SCREEN_END = '\x1b[2J\x1b[H\x1b[?1049l'

/** Shows secret lines until Enter, then wipes them from the screen. */
export async function showSecretly(lines: readonly string[], question: string): Promise<void> {
  const hasScreen = process.env['TERM'] !== undefined && process.env['TERM'] !== 'dumb'
  process.stderr.write(`${hasScreen ? SECRET_SCREEN_BEGIN : ''}${lines.join('\n')}\n\n`)
  try {
    await askLine(question)
  } finally {
    if (hasScreen) process.stderr.write(SECRET_SCREEN_END)
  }
}
