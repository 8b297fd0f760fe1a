/**
 * The client of a relay that keeps cards (docs/relay.md, "Cards"). A card proves itself by its signature: whoever gets one verifies it, wherever
 * it was found. Each call makes one try.
 */
import { cardPath, type CardPlace, type HiddenPlace, type PublicPlace } from './paths/card-place.ts'
import { errorOfCardRefusal } from './card-refusal.ts'
import type { RelayClient } from './client.ts'
import { callText, parseJson, strangeAnswer } from './http-call.ts'
import { readCardRefused, isDone, type CardRefused } from './read-answer.ts'

/**
 * - `kept`: the card is durable there.
 * - `newer`: the relay has a card that comes after it, which is the base of the next one.
 * - `held`: its seq is too far above that of the card there.
 * - `disputed`: the relay has a card of another chain of this PersonaID. It is a proof of that where `card` is there.
 * - `ended`: the relay has seen a later epoch.
 */
export type CardPut =
  | { readonly outcome: 'kept' }
  | { readonly outcome: 'newer' | 'held'; readonly card: string }
  | { readonly outcome: 'disputed'; readonly card: string | null }
  | { readonly outcome: 'ended'; readonly epoch: number }

/** The request that a device token has to name. The caller adds the hash of the card. */
export interface TokenTarget {
  readonly origin: string
  readonly method: 'PUT'
  readonly path: string
}

interface Options {
  readonly signal?: AbortSignal | undefined
}

interface Answer {
  readonly status: number
  readonly text: string
  readonly value: unknown
}

const MAX_ANSWER_BYTES = 16 * 1024 // sanity: a card has at most 8 KiB, and a refusal some 100 bytes around it

/**
 * Leaves a card at the place that friends can compute. The same card again is harmless.
 * @param token of the relay's operator; without one the card counts as that of a guest
 * @throws {RelayError} RELAY_NO_RIGHT | RELAY_BAD_CARD | RELAY_TOO_BIG | RELAY_TOO_OFTEN | RELAY_UNREACHABLE | RELAY_SILENT | RELAY_STRANGE
 */
export async function putCard(
  client: RelayClient,
  place: HiddenPlace,
  card: string,
  { token = null, signal }: Options & { readonly token?: string | null } = {},
): Promise<CardPut> {
  return readPut(await call(client, place, { card, authorization: token, signal }))
}

/**
 * Leaves a card at the place that everybody finds, too. A later card is there only once it is put there as well.
 * @param sign makes a device token of a device that the card lists, for this second by the clock of the relay
 * @throws {RelayError} as {@link putCard}
 */
export async function putPublicCard(
  client: RelayClient,
  place: PublicPlace,
  card: string,
  sign: (target: TokenTarget, nowSec: number) => string,
  { signal }: Options = {},
): Promise<CardPut> {
  const { url, origin } = client.address
  const target: TokenTarget = { origin, method: 'PUT', path: new URL(cardPath(place), url).pathname }
  return await client.withToken(async (nowSec) =>
    readPut(await call(client, place, { card, authorization: sign(target, nowSec), signal })),
  )
}

/**
 * Fetches a card.
 * @returns the text as the relay gave it, which only a verification makes a card; null where the relay has none
 * @throws {RelayError} RELAY_TOO_OFTEN | RELAY_UNREACHABLE | RELAY_SILENT | RELAY_STRANGE
 */
export async function getCard(client: RelayClient, place: CardPlace, options: Options = {}): Promise<string | null> {
  const { status, text, value } = await call(client, place, options)
  if (status === 200) return text
  const refused = readCardRefused(value)
  if (refused === null) throw strangeAnswer(status)
  if (refused.error === 'No such card') return null
  throw errorOfCardRefusal(refused)
}

interface CallOptions extends Options {
  /** Puts it; without one the call gets what is there. */
  readonly card?: string
  readonly authorization?: string | null
}

async function call(
  { address, means }: RelayClient,
  place: CardPlace,
  { card, authorization = null, signal }: CallOptions,
): Promise<Answer> {
  const { status, text } = await callText(
    means,
    {
      url: new URL(cardPath(place), address.url).href,
      signal,
      ...(card === undefined ? { method: 'GET' } : { method: 'PUT', body: card }),
      ...(authorization === null ? {} : { headers: { authorization: `Bearer ${authorization}` } }),
    },
    MAX_ANSWER_BYTES,
  )
  if (text === null) throw strangeAnswer(status)
  return { status, text, value: parseJson(text) }
}

function readPut({ status, value }: Answer): CardPut {
  if (status === 200 && isDone(value)) return { outcome: 'kept' }
  const refused = readCardRefused(value)
  if (refused === null) throw strangeAnswer(status)
  const outcome = outcomeOf(refused)
  if (outcome === null) throw errorOfCardRefusal(refused)
  return outcome
}

/** The outcomes that tell of another card. */
function outcomeOf({ error, card, epoch }: CardRefused): CardPut | null {
  if (error === 'Disputed') return { outcome: 'disputed', card: card ?? null }
  if (error === 'Newer' && card !== undefined) return { outcome: 'newer', card }
  if (error === 'Held' && card !== undefined) return { outcome: 'held', card }
  return error === 'Ended' && epoch !== undefined ? { outcome: 'ended', epoch } : null
}
