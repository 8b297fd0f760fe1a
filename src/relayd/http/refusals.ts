/** Refusals in the statuses of HTTP, for every route of cards and of personas. Boxes answer in the form of their own text. */
import type { CardError, InboxError, ObjectError } from '../../relay/wire.ts'
import type { DeviceRefusal } from '../cards/devices.ts'
import { jsonAnswer, type Answer } from './answers.ts'

const CHALLENGE = ['WWW-Authenticate', 'Bearer'] // format: RFC 9110 wants it beside each 401

export function refusal(
  status: number,
  error: CardError | InboxError | ObjectError,
  members: Readonly<Record<string, unknown>> = {},
  headers: readonly string[] = [],
): Answer {
  const challenge = status === 401 ? CHALLENGE : []
  return jsonAnswer({ ok: false, error, ...members }, status, [...challenge, ...headers])
}

export function tooOften(retryAfterSec: number): Answer {
  return refusal(429, 'Too often', { retryAfter: retryAfterSec }, ['Retry-After', String(retryAfterSec)])
}

/** The answer to a device whose token is not good for its request. */
export function deviceRefusal(refused: DeviceRefusal): Answer {
  switch (refused.outcome) {
    case 'token':
      return refusal(401, 'Token')
    case 'request':
      return refusal(401, 'Request')
    case 'card':
      return refusal(401, 'Card')
    case 'clock':
      return refusal(401, 'Clock', { now: refused.nowSec })
  }
}
