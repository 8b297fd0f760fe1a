/** The seam between the relay's HTTP server and its cards. */
import type { CardPlace } from '../../relay/paths/card-place.ts'
import type { CardOutcome } from '../store/relay-store.ts'
import type { DeviceRefusal } from './devices.ts'

export interface CardCaller {
  /** The caller's address as HMAC under the key of the day: never the address itself. */
  readonly address: string
}

/**
 * - `busy`: the address has asked too often; `retryAfterSec` says when it may again.
 * - `bad card`: it does not verify; `code` is that of src/card.
 * - `bad at`: the place is not that of this card.
 * - `expired`: it is over.
 * - `token`: there is no right to keep a card here, or the device token is none.
 * - `clock`, `request`, `card`: as docs/card.md, section 8, has them of a device token.
 */
export type PutAnswer =
  | CardOutcome
  | { readonly outcome: 'busy'; readonly retryAfterSec: number }
  | { readonly outcome: 'bad card'; readonly code: string; readonly message: string }
  | { readonly outcome: 'bad at' | 'expired' }
  | DeviceRefusal

export type GetAnswer =
  | { readonly outcome: 'found'; readonly card: string }
  | { readonly outcome: 'none' }
  | { readonly outcome: 'busy'; readonly retryAfterSec: number }

export interface CardService {
  /** Keeps a card. Never rejects for bad input. @param bearer of the header Authorization; null without one */
  put(place: CardPlace, text: string, bearer: string | null, caller: CardCaller): Promise<PutAnswer>
  get(place: CardPlace, caller: CardCaller): Promise<GetAnswer>
}
