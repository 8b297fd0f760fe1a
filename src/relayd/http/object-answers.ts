/** The answers about objects (docs/relay.md, "Objects"): statuses of HTTP, as those of cards. */
import { formatBase64url } from '../../core/encoding/bytes.ts'
import type { DeviceRefusal } from '../cards/devices.ts'
import type { Busy, FindObject, FoundObject, PutObject, ReadObject, RemoveObject } from '../objects/object-service.ts'
import type { RemovePersona } from '../personas/persona-service.ts'
import { jsonAnswer, type Answer } from './answers.ts'
import { deviceRefusal, refusal, tooOften } from './refusals.ts'

/** SHA-256 of an object, as a header has it. */
export function etagOf({ hash }: Pick<FoundObject, 'hash'>): string {
  return `"${formatBase64url(hash)}"`
}

/** @param maxBytes of one object */
export function answerToPutObject(put: Exclude<PutObject, { readonly outcome: 'gone' }>, maxBytes: number): Answer {
  switch (put.outcome) {
    case 'kept':
      return jsonAnswer({ ok: true }, 201, ['ETag', etagOf(put)])
    case 'there':
      return refusal(412, 'There', {}, ['ETag', etagOf(put)])
    case 'coming':
      return refusal(409, 'Busy')
    case 'much':
      return refusal(403, 'Too much')
    case 'full':
      return refusal(507, 'Full')
    case 'too big':
      return refusal(413, 'Too big', { bytes: maxBytes })
    case 'empty':
      return refusal(400, 'Bad request')
    case 'guest':
      return refusal(401, 'Token')
    case 'busy':
    case 'token':
    case 'request':
    case 'card':
    case 'clock':
      return refusalOfCaller(put)
  }
}

/** The refusal of one who looks for an object. */
export function answerToMissing(missing: Exclude<FindObject | ReadObject, { outcome: 'found' | 'reading' }>): Answer {
  return missing.outcome === 'none' ? refusal(404, 'No such object') : tooOften(missing.retryAfterSec)
}

/** @param bytes of the whole object */
export function noSuchRange(bytes: number): Answer {
  return refusal(416, 'Bad range', { bytes }, ['Content-Range', `bytes */${bytes}`])
}

export function answerToRemovePersona(removed: RemovePersona): Answer {
  switch (removed.outcome) {
    case 'removed':
      return jsonAnswer({ ok: true })
    case 'full':
      return refusal(507, 'Full')
    case 'busy':
    case 'token':
    case 'request':
    case 'card':
    case 'clock':
      return refusalOfCaller(removed)
  }
}

export function answerToRemoveObject(removed: RemoveObject): Answer {
  switch (removed.outcome) {
    case 'removed':
      return jsonAnswer({ ok: true })
    case 'none':
      return refusal(404, 'No such object')
    case 'busy':
    case 'token':
    case 'request':
    case 'card':
    case 'clock':
      return refusalOfCaller(removed)
  }
}

function refusalOfCaller(refused: DeviceRefusal | Busy): Answer {
  return refused.outcome === 'busy' ? tooOften(refused.retryAfterSec) : deviceRefusal(refused)
}
