/**
 * The part of an error that may be logged. Our own messages hold no secrets. Of all other errors only kind and place are logged: they quote
 * their input, JSON.parse the text and Node's checks the argument, and a recovery word must not reach the journal.
 */
import { PersonadError } from '../errors/personad-error.ts'
import type { LogFields } from './log.ts'

const MAX_FRAMES = 8 // sanity: who called whom, up to the handler
const FRAME = /^ +at (.+:\d+:\d+\)?)$/
const MAX_CAUSES = 4 // sanity: a chain of causes may be a ring

/** True for an error that this project made, whose code and message are stable and hold nothing secret. */
export function isOwnError(error: unknown): error is PersonadError {
  return error instanceof PersonadError
}

/** Fields of a log record that tell of an error: message, hint and code of our own, kind, code and frames of a foreign one, and its causes. */
export function describeError(error: unknown): LogFields {
  if (!(error instanceof Error)) return { error: `a thrown ${error === null ? 'null' : typeof error}` }
  const causes = causesOf(error).map(kindOf).join(' < ')
  const fields = { error: kindOf(error), ...(causes === '' ? {} : { causes }) }
  return isOwnError(error)
    ? { message: error.message, ...(error.hint === null ? {} : { hint: error.hint }), ...fields }
    : { ...fields, frames: framesOf(error) }
}

function causesOf(error: Error): Error[] {
  const causes: Error[] = []
  for (let cause = error.cause; cause instanceof Error && causes.length < MAX_CAUSES; cause = cause.cause)
    causes.push(cause)
  return causes
}

/** `StoreError STORE_LOCKED`, `Error ENOSPC write`: class, code and system call, each of which is a name in some source code. */
function kindOf(error: Error): string {
  const parts: unknown[] = [error.name]
  if ('code' in error) parts.push(error.code)
  if ('syscall' in error) parts.push(error.syscall)
  return parts.filter((part) => typeof part === 'string' && /^[\w.-]{1,64}$/.test(part)).join(' ')
}

/** The lines of a stack that are frames. Its head repeats the message, which may have lines of its own that look like one. */
function framesOf(error: Error): string {
  const stack = error.stack ?? ''
  const head = stack.indexOf(error.message)
  const lines = head < 0 ? [] : stack.slice(head + error.message.length).split('\n')
  const frames = lines.map((line) => FRAME.exec(line)?.[1]).filter((frame) => frame !== undefined)
  return frames.slice(0, MAX_FRAMES).join(' < ')
}
