/** Which device of which persona a request is from: the one check of device tokens for every route of a persona (docs/card.md, section 8). */
import type { Card } from '../../card/card.ts'
import { CardError } from '../../card/errors.ts'
import { judgeToken, verifyToken, type DeviceToken, type TokenRequest } from '../../card/token.ts'
import type { CardEngine } from '../../card/verify.ts'
import { formatHex } from '../../core/encoding/bytes.ts'
import type { PersonaId } from '../store/persona-id.ts'
import type { HeldCard, RelayStore } from '../store/relay-store.ts'
import { ParsedCards } from './parsed-cards.ts'

/** A request with a device token, or without. */
export interface DeviceRequest {
  readonly method: string
  /** Path and query below the address of the relay, as sent. It begins with a slash. */
  readonly path: string
  /** SHA-256 of the body, 32 bytes. Null for a body that has not come yet: the caller then compares it with the `bodyHash` of the token. */
  readonly bodyHash: Uint8Array | null
  /** The token of the header Authorization; null without one. */
  readonly bearer: string | null
}

/** A persona asks about itself, or it leaves something for another one, which its token has to name. */
export type DevicePurpose = { readonly own: PersonaId } | { readonly to: PersonaId }

/** A device that the newest card here lists, and whose token is good for the request. */
export interface KnownDevice {
  readonly persona: PersonaId
  readonly app: string
  /** The `sig` of the device, 32 bytes. */
  readonly deviceKey: Uint8Array
  /** SHA-256 of the body that the device signed, 32 bytes. */
  readonly bodyHash: Uint8Array
  readonly card: HeldCard
  /** The devices that the card lists. */
  readonly listed: Card['devices']
}

/** As docs/card.md, section 8, has them; `token`: there is no device token, or its form or its signature is wrong. */
export type DeviceRefusal =
  { readonly outcome: 'token' | 'request' | 'card' } | { readonly outcome: 'clock'; readonly nowSec: number }

export interface DevicesOptions {
  readonly store: Pick<RelayStore, 'cardOf'>
  readonly engine: CardEngine
  /** The relay's own URL without a slash at its end. Tokens name its origin, and paths below it. */
  readonly url: string
  readonly nowUs: () => number
}

const SEC_US = 1_000_000

export class Devices {
  readonly #options: DevicesOptions
  readonly #cards = new ParsedCards()

  constructor(options: DevicesOptions) {
    this.#options = options
  }

  /** Judges a request by the newest card that the relay has. Whether that card is there by right is for the caller: see `card.isGuest`. */
  async judge(
    request: DeviceRequest,
    purpose: DevicePurpose,
  ): Promise<{ readonly outcome: 'good'; readonly device: KnownDevice } | DeviceRefusal> {
    const token = readDeviceToken(request.bearer, this.#options.engine)
    if (token === null) return { outcome: 'token' }
    const persona = formatHex(token.personaId)
    if ('own' in purpose && purpose.own !== persona) return { outcome: 'request' }
    const nowUs = this.#options.nowUs()
    const held = await this.#options.store.cardOf(persona, token.app, nowUs)
    const card = held === null ? null : this.#cards.read(held.text)
    const refused = refusalOfToken(token, {
      request: tokenRequestOf(this.#options.url, request, token),
      to: 'to' in purpose ? purpose.to : null,
      card,
      nowSec: Math.floor(nowUs / SEC_US),
    })
    if (refused !== null) return refused
    const { app, deviceKey, bodyHash } = token
    return { outcome: 'good', device: { persona, app, deviceKey, bodyHash, card: held!, listed: card!.devices } }
  }

  /** The devices that a card of the store lists. */
  listedIn({ text }: HeldCard): Card['devices'] {
    return this.#cards.read(text).devices
  }
}

/** The request as the token of its device has to name it. */
export function tokenRequestOf(
  url: string,
  { method, path, bodyHash }: Pick<DeviceRequest, 'method' | 'path' | 'bodyHash'>,
  token: Pick<DeviceToken, 'bodyHash'>,
): TokenRequest {
  const { origin, pathname } = new URL(url)
  return { origin, method, path: pathname.replace(/\/$/, '') + path, bodyHash: bodyHash ?? token.bodyHash }
}

/** @returns a token with a good signature; null for any other text */
export function readDeviceToken(bearer: string | null, engine: CardEngine): DeviceToken | null {
  try {
    return verifyToken(bearer ?? '', engine)
  } catch (error) {
    if (error instanceof CardError) return null
    throw error
  }
}

export interface TokenCase {
  readonly request: TokenRequest
  /** The persona for whom the device leaves something; null for none. */
  readonly to: PersonaId | null
  readonly card: Card | null
  readonly nowSec: number
}

/** @returns null for a good token */
export function refusalOfToken(
  token: DeviceToken,
  { request, to, card, nowSec }: TokenCase,
): Exclude<DeviceRefusal, { readonly outcome: 'token' }> | null {
  if ((token.to === null ? null : formatHex(token.to)) !== to) return { outcome: 'request' }
  switch (judgeToken(token, request, card, nowSec)) {
    case 'good':
      return null
    case 'Clock':
      return { outcome: 'clock', nowSec }
    case 'Request':
      return { outcome: 'request' }
    case 'Card':
      return { outcome: 'card' }
  }
}
