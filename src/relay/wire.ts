/** The words of a relay's boxes, as both sides write them (docs/relay.md; Connectoid 0.1 by Denis Ryzhkov). */

/** The reasons for which a relay refuses a request. They are the text of the member `error`. */
export const BOX_ERRORS = [
  'Too often', // the caller, the box or the disk has no room now; try again later
  'Too big', // the data, or the body
  'Used', // the owner has retired the box
  'Wrong answer', // also the answer for a box that does not exist
  'Bad request',
  'Bad at',
  'Bad ext', // the relay asks for a token, and ext proves none
] as const
export type BoxError = (typeof BOX_ERRORS)[number]

/** The reasons for which a relay refuses a card, or a question for one. */
export const CARD_ERRORS = [
  'No such card',
  'Newer', // the relay has a card that comes after this one
  'Held', // its seq is too far above that of the card there
  'Disputed', // the relay has a card of another chain of this persona
  'Ended', // the relay has seen a later epoch of this persona
  'Bad card', // its form, its keys, its signature or its chain
  'Bad at', // the place is not that of this card
  'Expired',
  'Too big',
  'Too often', // the caller, or the address as a guest, has no room now
  'Too many apps',
  'Full', // the relay's disk, or the part of it that it may use
  'Token', // the relay asks for a token, or the device token is none
  'Clock', // it is not the time of the device token
  'Request', // the device token is for another request
  'Card', // the card does not list the device
] as const
export type CardError = (typeof CARD_ERRORS)[number]

/** The reasons for which a relay refuses an entry, or a call of the inbox's owner. */
export const INBOX_ERRORS = [
  'No such inbox', // the relay has no card by right of this persona for this app
  'No strangers', // the owner takes entries only of senders whom they allowed
  'Inbox full', // the inbox, or its part for strangers, has no room now
  'Too many senders', // the inbox would know more of them than the relay allows
  'Bad request',
  'Too big',
  'Too often', // the caller or the sender has no room now
  'Full', // the relay's disk, or the part of it that it may use
  'Token', // there is no device token, or the card of the owner is here without a right
  'Clock', // it is not the time of the device token
  'Request', // the device token is for another request
  'Card', // the relay has no card that lists the device
] as const
export type InboxError = (typeof INBOX_ERRORS)[number]

/** One entry of an inbox, as its owner gets it. */
export interface InboxEntry {
  /** The entry's number: microseconds since 1970, strictly rising in an inbox, below 2^53. */
  readonly n: number
  /** PersonaID of the sender in upper-case hex. */
  readonly from: string
  readonly app: string
  /** The key of the device that posted it, in base64url. */
  readonly kid: string
  /** The card of the sender lies here under this place. */
  readonly at: string
  /** Sealed to the owner's devices, in base64url. */
  readonly encId: string
}

/** The reasons for which a relay refuses an object, or a request about one. */
export const OBJECT_ERRORS = [
  'No such object',
  'There', // an object with this id is there; objects never change
  'Busy', // another request sends an object with this id
  'Bad request', // the object has no bytes
  'Bad range', // no byte of the range is there
  'Too big',
  'Too much', // the persona has no room for it
  'Too often', // the caller asks too often, or too many objects travel
  'Full', // the relay's disk, or the part of it that it may use
  'Token', // there is no device token, or the card of the device is here without a right
  'Clock', // it is not the time of the device token
  'Request', // the device token is for another request, or for another body
  'Card', // the relay has no card that lists the device
] as const
export type ObjectError = (typeof OBJECT_ERRORS)[number]

export interface Refused {
  readonly ok: false
  readonly error: BoxError
  /** Seconds after which a repeat has a chance; only beside `Too often`. */
  readonly retryAfter?: number
}

/** One message as a box gives it out. */
export interface BoxMessage {
  /** Microseconds since 1970: strictly rising in a box, below 2^53. */
  readonly at: number
  /** base64url without padding. */
  readonly data: string
}

interface Addressed {
  /** The key of the box in base64url: X25519 of 32 bytes, or P-384 of 49, 97 or 120 bytes (docs/relay.md, "Keys"). */
  readonly pub: string
  /** The right to send here, in base64url; null where the relay asks for none. */
  readonly ext: string | null
}

export interface SendRequest extends Addressed {
  readonly action: 'send'
  readonly data: string
}

export interface CheckRequest extends Addressed {
  readonly action: 'check'
  /** The messages up to this moment were processed; a number or decimal text. */
  readonly at: number
  /** Asks for a question also when the box is empty. */
  readonly ask?: boolean
}

export interface ReceiveRequest extends Addressed {
  readonly action: 'receive'
  readonly answer: string
  readonly at: number
  readonly limit: number
  /** The name of a stream that waits for this box: from now on it gives the messages themselves. */
  readonly stream?: string
}

export interface RetireRequest extends Addressed {
  readonly action: 'retire'
  readonly answer: string
}

export type BoxRequest = SendRequest | CheckRequest | ReceiveRequest | RetireRequest

export type SendAnswer = { readonly ok: true } | Refused
export type CheckAnswer =
  | { readonly ok: true; readonly found: false }
  | { readonly ok: true; readonly found: boolean; readonly question: string }
  | Refused
export type ReceiveAnswer =
  | {
      readonly ok: true
      readonly at: number
      readonly data: string | null
      /** All messages, the first included; only where `limit` is above 1. */
      readonly messages?: readonly BoxMessage[]
    }
  | Refused
export type RetireAnswer = { readonly ok: true } | Refused
export type BoxAnswer = SendAnswer | CheckAnswer | ReceiveAnswer | RetireAnswer

/** One event of `POST /wait`: there are messages after the `at` that the waiting client named. */
export interface WaitEvent {
  readonly pub: string
  readonly found: boolean
  /** As `check` gives it. */
  readonly question?: string
}

/** One message of a box whose owner has named the stream in a `receive`. */
export interface GivenEvent extends BoxMessage {
  readonly pub: string
  readonly found: true
  /** The moment after which this message is the first one. */
  readonly after: number
}

export const MAX_STREAM_NAME_CHARS = 64 // sanity: 16 bytes in base64url take 22
