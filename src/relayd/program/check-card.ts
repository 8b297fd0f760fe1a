/** The check of cards: puts one of a persona that nobody has, and reads it back. It ends by itself after a minute. */
import { randomBytes } from 'node:crypto'
import { signCard, type Card, type CardEntry } from '../../card/card.ts'
import { cardAt } from '../../card/place.ts'
import { COMMITMENT_BYTES } from '../../core/chain.ts'
import { loadEngine } from '../../crypto/load.ts'
import { cardPath } from '../../relay/paths/card-place.ts'
import { Failure, type CheckedRelay } from './checked-relay.ts'

export const CHECKED_APP = 'check'
export const ONLY_BY_TOKEN = 'only with a token, which --token-file would give'
const SEED_BYTES = 32
const LIFE_SEC = 60 // sanity: as long as this check takes on a slow line

export async function checkCard({ outside, token, nowMs }: CheckedRelay): Promise<string> {
  const { card, at } = await makeCard(Math.floor(nowMs() / 1000))
  const path = `/${cardPath({ at })}`
  const { headers } = await outside.call({ method: 'OPTIONS', path })
  if (headers['access-control-allow-methods']?.includes('PUT') !== true)
    throw new Failure(`OPTIONS for ${path} does not allow PUT: does the proxy answer it?`)
  const authorization = token === null ? {} : { Authorization: `Bearer ${token}` }
  const put = await outside.call({ method: 'PUT', path, body: card, headers: authorization })
  if (put.status === 401 && token === null) return ONLY_BY_TOKEN
  if (put.status !== 200) throw new Failure(`PUT answered ${put.status} ${put.text.trim()}`)
  const got = await outside.call({ method: 'GET', path })
  if (got.text !== card)
    throw new Failure(`GET did not give the card that was put, but ${got.status} ${got.text.trim()}`)
  const other = await outside.call({ method: 'GET', path: `/${cardPath({ at: (await makeCard(0)).at })}` })
  if (other.status !== 404) throw new Failure(`GET of a card that nobody put answered ${other.status}`)
  return token === null ? 'put as a guest, and read' : 'put with the token, and read'
}

export interface MadeCard {
  readonly personaId: Uint8Array
  readonly card: string
  readonly at: string
}

/** A card of a new persona. */
export async function makeCard(nowSec: number, devices: readonly CardEntry[] = []): Promise<MadeCard> {
  const engine = await loadEngine()
  const { publicKey, secretKey } = engine.signKeyPair(randomBytes(SEED_BYTES))
  const next = new Uint8Array(randomBytes(COMMITMENT_BYTES))
  const card: Card = {
    chain: { personaId: publicKey, epoch: 0, signingKey: publicKey, links: new Uint8Array(0), next, inception: null },
    app: CHECKED_APP,
    seq: 1,
    prev: null,
    issuedAtSec: nowSec,
    expiresAtSec: nowSec + LIFE_SEC,
    devices,
    inboxes: [],
    stores: [],
  }
  const text = signCard(card, (message) => engine.sign(message, secretKey))
  return { personaId: publicKey, card: text, at: cardAt(next, publicKey, CHECKED_APP, engine) }
}
