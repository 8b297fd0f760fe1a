/**
 * Decides what of an error may be logged. Our own messages hold no secrets. We log only the kind
 * and place of any other error: such errors quote their input (JSON.parse its text, Node its arguments), and a recovery word must not
 * reach the journal.
 */
import { PersonadError } from '../errors/personad-error.ts'
import type { LogFields } from './log.ts'

/** The command to run, for errors whose own hint names none. The log is all that a failed start shows. */
const COMMAND_HINTS: ReadonlyMap<string, string> = new Map([
  ['STORE_CORRUPT', 'run "persona doctor"'],
  ['STORE_MISSING', 'run "persona doctor"'],
  ['STORE_LOST_WRITES', 'run "persona doctor"'],
])

const MAX_FRAMES = 8 // sanity: enough to show the callers up to the handler
const FRAME = /^ +at (.+:\d+:\d+\)?)$/
const MAX_CAUSES = 4 // sanity: a chain of causes may form a ring

/** Whether this project made the error: its code and message are stable and hold no secrets. */
export function isOwnError(error: unknown): error is PersonadError {
  return error instanceof PersonadError
}

/**
 * The log fields of an error: message, hint and code of our own errors; kind, code and frames of others; and all
 * causes.
 */
export function describeError(error: unknown): LogFields {
  if (!(error instanceof Error)) return { error: `a thrown ${error === null ? 'null' : typeof error}` }
  const causes = causesOf(error).map(kindOf).join(' < ')
  const fields = { error: kindOf(error), ...(causes === '' ? {} : { causes }) }
  if (!isOwnError(error)) return { ...fields, frames: framesOf(error) }
  const hint = error.hint ?? COMMAND_HINTS.get(error.code)
  return { message: error.message, ...(hint === undefined ? {} : { hint }), ...fields }
}

function causesOf(error: Error): Error[] {
  const causes: Error[] = []
  for (let cause = error.cause; cause instanceof Error && causes.length < MAX_CAUSES; cause = cause.cause)
    causes.push(cause)
  return causes
}

/**
 * Class, code and system call, such as `StoreError STORE_LOCKED` or `Error ENOSPC write`. Each of them is a name in
 * some source code.
 */
function kindOf(error: Error): string {
  const parts: unknown[] = [error.name]
  if ('code' in error) parts.push(error.code)
  if ('syscall' in error) parts.push(error.syscall)
  return parts.filter((part) => typeof part === 'string' && /^[\w.-]{1,64}$/.test(part)).join(' ')
}

/**
 * The frame lines of a stack. We skip its head, which repeats the message and may contain lines that look like
 * frames.
 */
function framesOf(error: Error): string {
  const stack = error.stack ?? ''
  const head = stack.indexOf(error.message)
  const lines = head < 0 ? [] : stack.slice(head + error.message.length).split('\n')
  const frames = lines.map((line) => FRAME.exec(line)?.[1]).filter((frame) => frame !== undefined)
  return frames.slice(0, MAX_FRAMES).join(' < ')
}
