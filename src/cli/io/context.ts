/**
 * The user interface of `persona`. Every command gets a {@link Context} and prints through this file, by these rules:
 *
 * - Results go to stdout and nothing else does, so that they can be piped. With --json a result is one line of JSON.
 * - Questions, progress and remarks go to stderr. --json silences remarks; without a terminal there is no progress.
 * - A question that was cancelled ends the command with one sentence, such as `Cancelled.`
 * - A failure is one line `persona: error: ... (CODE)`. If there is something to do, a line `persona: hint: ...` follows.
 *   Both start in lower case and have no final dot. A message says what happened to what; a hint says what to do now.
 * - Questions start with a capital and end in `: `. Ctrl-C, Ctrl-D and any answer but the expected one change nothing.
 * - Secrets are never arguments: they come from a file, from stdin, or are typed. Passphrases are typed unseen. The recovery words are
 *   typed on a screen of their own, which is cleared at each Enter. A wrong passphrase can be typed again, three times in all.
 * - A command checks before it asks and before it writes. A locked key is unlocked in place, and the command goes on.
 * - Lines for people are broken at the width of the terminal (lines.ts). Colours are decoration: NO_COLOR and --color decide (style.ts).
 * - Texts of others are escaped (escape.ts), and the end of the key stands beside every name, because anybody chooses their own name.
 * - People read *trusted* and *unconfirmed*. Epoch, seq and similar details appear only with -v and in JSON.
 * - Exit status: 0 done, 1 failed or a plain no, 2 wrong usage, 3 the daemon does not run.
 */
import { resolvePaths, type Paths } from '../../ipc/paths.ts'
import { describeFailure, exitStatus } from './errors.ts'
import { escapeText, formatJson } from './escape.ts'
import { withHome, wrapLine } from './lines.ts'
import { red } from './style.ts'

export interface Context {
  /** Print results as one JSON value, for programs. */
  readonly json: boolean
  /** Show people more (`-v`): epoch, seq and other details. JSON stays the same. */
  readonly verbose: boolean
  /** The value of --home, unchanged. */
  readonly home: string | undefined
  readonly paths: Paths
  readonly nowSec: number
}

/** The context of a command that begins now. @param home the value of --home @throws {PathsError} */
export function contextOf(home: string | undefined, json: boolean, verbose: boolean): Context {
  const paths = resolvePaths({ home, env: process.env })
  return { json, verbose, home, paths, nowSec: Math.floor(Date.now() / 1000) }
}

/** Prints the result of a command: the value as one line of JSON, or the lines for people. */
export function print(context: Context, value: unknown, lines: readonly string[]): void {
  if (context.json) process.stdout.write(`${formatJson(value)}\n`)
  else if (lines.length > 0) process.stdout.write(fitted(lines, context.home, process.stdout))
}

/** Prints a text as it is, for another program or a clipboard: no line of it is wrapped, and no command completed. */
export function printText(context: Context, value: unknown, text: string): void {
  process.stdout.write(`${context.json ? formatJson(value) : text}\n`)
}

/** Prints a remark for people, on stderr. */
export function remark(context: Context, line: string): void {
  if (!context.json) process.stderr.write(fitted([line], context.home, process.stderr))
}

/** Explains a question that follows, on stderr. The caller asked at a terminal. @param text lines, with a line end after each */
export function tell(text: string): void {
  process.stderr.write(fitted(text.replace(/\n$/, '').split('\n'), undefined, process.stderr))
}

/** Lines as their stream shows them: broken at the width of a terminal, with the --home of this command in the commands. */
function fitted(
  lines: readonly string[],
  home: string | undefined,
  { isTTY, columns }: { readonly isTTY?: boolean; readonly columns?: number },
): string {
  const shown = lines.flatMap((line) => wrapLine(withHome(line, home), isTTY === true ? columns : undefined))
  return `${shown.join('\n')}\n`
}

/** Makes a message a sentence of its own. */
export function sentence(message: string): string {
  return `${message.charAt(0).toUpperCase()}${message.slice(1)}.`
}

/** Prints a failure on stderr, as text or as one line of JSON. @returns the exit status */
export function printFailure(json: boolean, error: unknown, home?: string): number {
  const failure = describeFailure(error)
  if (json) process.stderr.write(`${formatJson({ error: failure })}\n`)
  else {
    if (failure.code === 'CANCELLED') {
      process.stderr.write(`${sentence(escapeText(failure.message))}\n`)
      return exitStatus(failure.code)
    }
    const label = red('persona: error:', process.stderr)
    const lines = [`${label} ${escapeText(failure.message)} (${failure.code})`]
    if (failure.hint !== null) lines.push(`persona: hint: ${escapeText(failure.hint)}`)
    process.stderr.write(fitted(lines, home, process.stderr))
  }
  return exitStatus(failure.code)
}
