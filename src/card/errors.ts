/** Error codes of cards and device tokens (docs/card.md, section 7). Each has one cause. */
import { PersonadError } from '../errors/personad-error.ts'

export type CardErrorCode =
  | 'CARD_TOO_LARGE' // over 8 KiB
  | 'CARD_FORM' // not three parts of base64url joined by dots
  | 'CARD_HEADER' // any other header than the one that the form allows
  | 'CARD_NOT_CANONICAL' // the payload is not JSON as RFC 8785 writes it
  | 'CARD_VERSION'
  | 'CARD_MEMBER' // a member is missing, unknown, or of another form
  | 'CARD_KEY' // a key of the persona or of a device is no valid key, or stands twice
  | 'CARD_CHAIN' // the chain contradicts the epoch
  | 'CARD_SIGNATURE'
  | 'CARD_INCEPTION' // K_0 did not commit to the chain

export type TokenErrorCode =
  | 'TOKEN_TOO_LARGE' // over 2 KiB
  | 'TOKEN_FORM'
  | 'TOKEN_HEADER'
  | 'TOKEN_NOT_CANONICAL'
  | 'TOKEN_MEMBER'
  | 'TOKEN_LIFE' // it lives for no time, or for over 2 minutes
  | 'TOKEN_SIGNATURE'

export class CardError extends PersonadError<CardErrorCode | TokenErrorCode> {
  override readonly name = 'CardError'
}

/** The refusal of a member of a card or a token. */
export function badMember(codes: 'CARD' | 'TOKEN'): (member: string) => CardError {
  return (member) =>
    new CardError(`${codes}_MEMBER`, `the member ${JSON.stringify(member)} is missing, unknown or not as it must be`)
}
