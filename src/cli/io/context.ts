/** What every command is given, and the one place where results, remarks and failures are printed. */
import type { Paths } from '../../ipc/paths.ts'
import { describeFailure, exitStatus } from './errors.ts'
import { escapeText, formatJson } from './escape.ts'

export interface Context {
  /** Results are printed as one JSON value, for programs. */
  readonly json: boolean
  /** People also see epoch, seq and other details (`-v`). Changes nothing in JSON. */
  readonly verbose: boolean
  /** The value of --home, as it was given. */
  readonly home: string | undefined
  readonly paths: Paths
  readonly nowSec: number
}

/** Prints the result of a command: the value as one line of JSON, or the lines for people. */
export function print(context: Context, value: unknown, lines: readonly string[]): void {
  if (context.json) process.stdout.write(`${formatJson(value)}\n`)
  else if (lines.length > 0) process.stdout.write(`${lines.join('\n')}\n`)
}

/** A remark beside the result, for people only; on stderr, so that the result can be piped. */
export function remark(context: Context, line: string): void {
  if (!context.json) process.stderr.write(`${line}\n`)
}

/** Whether stdout takes bold and dim: a terminal, and nobody said NO_COLOR (no-color.org). */
export function isStyled(): boolean {
  return process.stdout.isTTY && (process.env['NO_COLOR'] ?? '') === '' && process.env['TERM'] !== 'dumb'
}

/** Bold where the terminal takes it, for headings. */
export function bold(text: string): string {
  return isStyled() ? `\x1b[1m${text}\x1b[22m` : text
}

/** Prints a failure on stderr, in words or as one line of JSON, and returns the exit status. */
export function printFailure(json: boolean, error: unknown): number {
  const failure = describeFailure(error)
  if (json) process.stderr.write(`${formatJson({ error: failure })}\n`)
  else {
    process.stderr.write(`persona: error: ${escapeText(failure.message)} (${failure.code})\n`)
    if (failure.hint !== null) process.stderr.write(`persona: hint: ${escapeText(failure.hint)}\n`)
  }
  return exitStatus(failure.code)
}
