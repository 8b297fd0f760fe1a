/** Cards: which keys a persona's devices have for one app, and where to reach them (docs/card.md, sections 2 and 3). */
import { COMMITMENT_BYTES, LINK_BYTES, type ChainPosition } from '../core/chain.ts'
import { formatBase64url, formatHex } from '../core/encoding/bytes.ts'
import type { JsonObject, JsonValue } from '../core/encoding/canonical-json.ts'
import { isAppName } from '../core/encoding/app-name.ts'
import { MAX_DEVICES, MAX_EPOCH } from '../core/limits.ts'
import { isWebAddress } from '../core/encoding/web-address.ts'
import { badMember, CardError } from './errors.ts'
import { signJws, openJws, type JwsKind, type OpenedJws } from './jws.ts'
import { Members } from './members.ts'

/** The keys of one device for one app. */
export interface CardEntry {
  /** Tells siblings which device this is, and strangers nothing: see {@link deviceTag}. 8 bytes. */
  readonly tag: Uint8Array
  /** Ed25519, 32 bytes: signs the device's messages and tokens. */
  readonly sig: Uint8Array
  /** X25519, 32 bytes: others seal to it. */
  readonly enc: Uint8Array
}

export interface Card {
  readonly chain: ChainPosition
  /** See {@link isAppName}. */
  readonly app: string
  readonly seq: number
  /** SHA-256 of the card from which this one was made; null for the first. */
  readonly prev: Uint8Array | null
  readonly issuedAtSec: number
  readonly expiresAtSec: number
  readonly devices: readonly CardEntry[]
  /** Relays where the devices read notices, the preferred first. */
  readonly inboxes: readonly string[]
  /** Relays where the persona keeps its objects and this card. */
  readonly stores: readonly string[]
}

/** A card with its text, form checked and signature not. */
export interface ParsedCard extends Card, OpenedJws {
  readonly text: string
}

export const MAX_CARD_CHARS = 8192 // format: 20 devices, four inboxes and four stores of the longest addresses take 5 200
export const CARD_LIFE_SEC: number = 30 * 86_400 // format: as long as a relay keeps a card, and less than any object lives
export const CARD_RESIGN_SEC: number = 7 * 86_400 // format: four times in a card's life, so that three failures harm nobody
const MAX_ADDRESSES = 4 // format: a sender posts to all of them
const VERSION = 1
const [TAG_BYTES, KEY_BYTES, HASH_BYTES, SIGNATURE_BYTES] = [8, 32, 32, 64]

/** Format: readers compare these bytes. */
export const CARD: JwsKind = {
  header: '{"alg":"EdDSA","typ":"persona-card+jwt"}',
  maxChars: MAX_CARD_CHARS,
  codes: 'CARD',
  noun: 'card',
}

/**
 * Signs a card with K_e.
 * @param sign makes a detached signature by the key of the card's epoch, 64 bytes
 * @throws {CardError} CARD_TOO_LARGE | CARD_MEMBER | CARD_CHAIN
 */
export function signCard(card: Card, sign: (message: Uint8Array) => Uint8Array): string {
  const text = signJws(CARD, payloadOf(card), sign)
  parseCard(text)
  return text
}

function payloadOf({ chain, ...card }: Card): JsonObject {
  return {
    v: VERSION,
    persona: formatHex(chain.personaId),
    app: card.app,
    seq: card.seq,
    ...(card.prev === null ? {} : { prev: formatBase64url(card.prev) }),
    iat: card.issuedAtSec,
    exp: card.expiresAtSec,
    epoch: chain.epoch,
    chain: {
      next: formatBase64url(chain.next),
      ...(chain.inception === null ? {} : { inception: formatBase64url(chain.inception) }),
      ...(chain.epoch === 0 ? {} : { key: formatBase64url(chain.signingKey) }),
      ...(chain.links.length === 0 ? {} : { h: formatBase64url(chain.links) }),
    },
    devices: card.devices.map(({ tag, sig, enc }) => ({
      tag: formatBase64url(tag),
      sig: formatBase64url(sig),
      enc: formatBase64url(enc),
    })),
    inbox: card.inboxes,
    store: card.stores,
  }
}

/**
 * Reads the text of a card, and checks everything but its keys, its signature and its chain.
 * @throws {CardError} CARD_TOO_LARGE | CARD_FORM | CARD_HEADER | CARD_NOT_CANONICAL | CARD_VERSION | CARD_MEMBER | CARD_CHAIN
 */
export function parseCard(text: string): ParsedCard {
  const jws = openJws(CARD, text)
  const members = new Members(jws.payload, badMember('CARD'))
  if (members.integer('v', 0) !== VERSION)
    throw new CardError('CARD_VERSION', 'this program does not know the version of the card; install a newer one')
  const seq = members.integer('seq', 1)
  // The first card alone has no card before it.
  if (members.has('prev') !== seq > 1)
    throw new CardError('CARD_MEMBER', 'a card has a member "prev" exactly if its seq is above 1')
  const card = {
    chain: readChain(members),
    app: members.text('app', isAppName),
    seq,
    prev: seq > 1 ? members.bytes('prev', HASH_BYTES) : null,
    ...readLife(members),
    devices: members.list('devices', MAX_DEVICES, readEntry),
    inboxes: members.list('inbox', MAX_ADDRESSES, readAddress),
    stores: members.list('store', MAX_ADDRESSES, readAddress),
  }
  members.end()
  return { ...jws, ...card, text }
}

function readLife(members: Members): Pick<Card, 'issuedAtSec' | 'expiresAtSec'> {
  const issuedAtSec = members.integer('iat', 0)
  const expiresAtSec = members.integer('exp', issuedAtSec + 1)
  if (expiresAtSec - issuedAtSec > CARD_LIFE_SEC)
    throw new CardError('CARD_MEMBER', `a card lives for at most ${CARD_LIFE_SEC} seconds`)
  return { issuedAtSec, expiresAtSec }
}

function readChain(members: Members): ChainPosition {
  const personaId = members.personaId('persona')
  const epoch = members.integer('epoch', 0)
  if (epoch > MAX_EPOCH) throw new CardError('CARD_CHAIN', `the epoch is ${epoch}, and the last one is ${MAX_EPOCH}`)
  const chain = members.inside('chain')
  const links = Math.max(0, epoch - 1)
  const position: ChainPosition = {
    personaId,
    epoch,
    signingKey: epoch === 0 ? personaId : chain.bytes('key', KEY_BYTES),
    links: links === 0 ? new Uint8Array(0) : chain.bytes('h', links * LINK_BYTES),
    next: chain.bytes('next', COMMITMENT_BYTES),
    inception: epoch === 0 ? null : chain.bytes('inception', SIGNATURE_BYTES),
  }
  chain.end()
  return position
}

function readEntry(value: JsonValue, path: string): CardEntry {
  const members = new Members(value, badMember('CARD'), path)
  const entry = {
    tag: members.bytes('tag', TAG_BYTES),
    sig: members.bytes('sig', KEY_BYTES),
    enc: members.bytes('enc', KEY_BYTES),
  }
  members.end()
  return entry
}

function readAddress(value: JsonValue, path: string): string {
  if (typeof value !== 'string' || !isWebAddress(value))
    throw new CardError(
      'CARD_MEMBER',
      `an address in ${JSON.stringify(path.slice(0, -1))} is not written as it must be`,
    )
  return value
}
