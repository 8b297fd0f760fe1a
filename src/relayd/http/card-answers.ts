/** The answers to `PUT` and `GET /card/...` (docs/relay.md, "Cards"): statuses of HTTP, unlike those of boxes. */
import { MAX_CARD_CHARS } from '../../card/card.ts'
import type { GetAnswer, PutAnswer } from '../cards/card-service.ts'
import { jsonAnswer, type Answer } from './answers.ts'
import { deviceRefusal, refusal, tooOften } from './refusals.ts'

const CROWDED_SEC = 3600 // sanity: cards of guests end after days; a client that asks each hour costs nothing

export function answerToGet(got: GetAnswer): Answer {
  switch (got.outcome) {
    case 'found':
      return { status: 200, type: 'application/jose', body: got.card, headers: ['Cache-Control', 'no-store'] }
    case 'none':
      return refusal(404, 'No such card')
    case 'busy':
      return tooOften(got.retryAfterSec)
  }
}

export function answerToPut(put: PutAnswer): Answer {
  switch (put.outcome) {
    case 'kept':
      return jsonAnswer({ ok: true })
    case 'newer':
      return refusal(409, 'Newer', cardOf(put))
    case 'held':
      return refusal(409, 'Held', cardOf(put))
    case 'disputed':
      return refusal(409, 'Disputed', cardOf(put))
    case 'ended':
      return refusal(409, 'Ended', { epoch: put.epoch })
    case 'crowded':
      return tooOften(CROWDED_SEC)
    case 'busy':
      return tooOften(put.retryAfterSec)
    case 'apps':
      return refusal(403, 'Too many apps')
    case 'full':
      return refusal(507, 'Full')
    case 'bad card':
      return put.code === 'CARD_TOO_LARGE'
        ? tooBig()
        : refusal(400, 'Bad card', { code: put.code, message: put.message })
    case 'bad at':
      return refusal(400, 'Bad at')
    case 'expired':
      return refusal(400, 'Expired')
    case 'token':
    case 'request':
    case 'card':
    case 'clock':
      return deviceRefusal(put)
  }
}

/** A card is larger than any. */
export function tooBig(): Answer {
  return refusal(413, 'Too big', { bytes: MAX_CARD_CHARS })
}

function cardOf({ card }: { readonly card: string | null }): { readonly card?: string } {
  return card === null ? {} : { card }
}
