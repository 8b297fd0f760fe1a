/** Vectors of cards and device tokens: texts as a reader judges them (docs/card.md). */
import { CARD, signCard, type Card } from '../../src/card/card.ts'
import { CardError } from '../../src/card/errors.ts'
import { headerPart } from '../../src/card/jws.ts'
import { cardAt } from '../../src/card/place.ts'
import {
  DEVICE_TOKEN,
  judgeToken,
  signToken,
  verifyToken,
  type DeviceToken,
  type TokenRequest,
} from '../../src/card/token.ts'
import { verifyCard } from '../../src/card/verify.ts'
import {
  decodeUtf8,
  encodeUtf8,
  formatBase64url,
  formatHex,
  parseBase64url,
  parseHex,
} from '../../src/core/encoding/bytes.ts'
import {
  formatCanonicalJson,
  parseCanonicalObject,
  type JsonObject,
  type JsonValue,
} from '../../src/core/encoding/canonical-json.ts'
import type { CryptoEngine } from '../../src/crypto/engine.ts'
import { portableEngine } from '../../src/crypto/portable.ts'
import { APP, cardKeyPair, makeCard, makeEntry, type CardWishes } from '../support/cards.ts'
import { makePersona, NOW_SEC } from '../support/made-persona.ts'

/** One card, and what a reader makes of it. */
export interface CardVector {
  readonly kind: 'card'
  readonly name: string
  readonly section: number
  readonly comment: string
  readonly text: string
  readonly expect:
    | {
        readonly personaId: string
        readonly root: string
        readonly epoch: number
        readonly seq: number
        /** SHA-256 of the text. */
        readonly hash: string
        /** Where the card is found. */
        readonly at: string
        readonly devices: readonly { readonly tag: string; readonly sig: string; readonly enc: string }[]
      }
    | { readonly code: string }
}

/** One token, the request that it came with, the card that the relay has, and the relay's verdict. */
export interface TokenVector {
  readonly kind: 'token'
  readonly name: string
  readonly section: number
  readonly comment: string
  readonly text: string
  readonly request: {
    readonly origin: string
    readonly method: string
    readonly path: string
    readonly bodyHash: string
  }
  readonly card: string | null
  readonly nowSec: number
  readonly expect: { readonly verdict: string } | { readonly code: string }
}

const alice = makePersona(1)

export function judgeCardVector({ text }: CardVector, engine: CryptoEngine): CardVector['expect'] {
  return coded(() => {
    const card = verifyCard(text, engine)
    return {
      personaId: formatHex(card.chain.personaId),
      root: formatHex(card.root),
      epoch: card.chain.epoch,
      seq: card.seq,
      hash: formatHex(card.hash),
      at: cardAt(card.root, card.chain.personaId, card.app, engine),
      devices: card.devices.map(({ tag, sig, enc }) => ({
        tag: formatHex(tag),
        sig: formatHex(sig),
        enc: formatHex(enc),
      })),
    }
  })
}

export function judgeTokenVector(vector: TokenVector, engine: CryptoEngine): TokenVector['expect'] {
  return coded(() => {
    const request: TokenRequest = { ...vector.request, bodyHash: parseHex(vector.request.bodyHash)! }
    const card = vector.card === null ? null : verifyCard(vector.card, engine)
    return { verdict: judgeToken(verifyToken(vector.text, engine), request, card, vector.nowSec) }
  })
}

function coded<T>(read: () => T): T | { code: string } {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof CardError)) throw error
    return { code: error.code }
  }
}

/** A card as a writer without checks would write it. */
function rawCard(change: (payload: JsonObject) => JsonValue, wishes: CardWishes = {}): string {
  const card = makeCard(alice, wishes)
  const good = signCard(card, (message) => alice.sign(card.chain.epoch, message))
  return rawText(headerPart(CARD), formatCanonicalJson(change(payloadIn(good))), card.chain.epoch)
}

function payloadIn(text: string): JsonObject {
  return parseCanonicalObject(decodeUtf8(parseBase64url(text.split('.')[1]!)!)!)!
}

function rawText(header: string, payload: string, epoch = 0): string {
  const signed = `${header}.${formatBase64url(encodeUtf8(payload))}`
  return `${signed}.${formatBase64url(alice.sign(epoch, encodeUtf8(signed)))}`
}

function goodCard(wishes: CardWishes): string {
  const card: Card = makeCard(alice, wishes)
  return signCard(card, (message) => alice.sign(card.chain.epoch, message))
}

const PLAIN = goodCard({})
const zeros = formatBase64url(new Uint8Array(32))
const other = makePersona(2)

function without(payload: JsonObject, name: string): JsonObject {
  const { [name]: _, ...rest } = payload
  return rest
}

/** Name, section, comment, text, expected code. */
type Bad = readonly [name: string, section: number, comment: string, text: string, code: string]

const BAD_CARDS: readonly Bad[] = [
  ['too-large', 1, 'One character more than the limit.', 'a'.repeat(8193), 'CARD_TOO_LARGE'],
  ['two-parts', 1, 'The signature is missing.', PLAIN.split('.').slice(0, 2).join('.'), 'CARD_FORM'],
  ['four-parts', 1, 'A part too many.', `${PLAIN}.`, 'CARD_FORM'],
  ['padding', 1, 'Base64url with padding.', `${PLAIN}=`, 'CARD_FORM'],
  [
    'header-none',
    1,
    'A header that asks for no signature.',
    rawText(formatBase64url(encodeUtf8('{"alg":"none","typ":"persona-card+jwt"}')), '{}'),
    'CARD_HEADER',
  ],
  ['header-token', 1, 'A token is no card.', rawText(headerPart(DEVICE_TOKEN), '{}'), 'CARD_HEADER'],
  ['space', 1, 'A space in the JSON.', rawText(headerPart(CARD), '{"v": 1}'), 'CARD_NOT_CANONICAL'],
  ['doubled', 1, 'A member stands twice.', rawText(headerPart(CARD), '{"v":1,"v":1}'), 'CARD_NOT_CANONICAL'],
  ['list', 1, 'A list is no card.', rawText(headerPart(CARD), '[]'), 'CARD_NOT_CANONICAL'],
  ['version-2', 2, 'A later version.', rawCard((payload) => ({ ...payload, v: 2 })), 'CARD_VERSION'],
  [
    'unknown-member',
    2,
    'A member that the form does not have.',
    rawCard((payload) => ({ ...payload, note: 'hi' })),
    'CARD_MEMBER',
  ],
  ['null-member', 2, 'A member without a value.', rawCard((payload) => ({ ...payload, app: null })), 'CARD_MEMBER'],
  [
    'app-upper-case',
    2,
    'The name of an app in capitals.',
    rawCard((payload) => ({ ...payload, app: 'Notes' })),
    'CARD_MEMBER',
  ],
  [
    'persona-lower-case',
    2,
    'A PersonaID in lower case.',
    rawCard((payload) => ({ ...payload, persona: (payload['persona'] as string).toLowerCase() })),
    'CARD_MEMBER',
  ],
  ['seq-0', 2, 'Numbers begin at 1.', rawCard((payload) => ({ ...payload, seq: 0 })), 'CARD_MEMBER'],
  [
    'prev-of-first',
    2,
    'The first card names one before it.',
    rawCard((payload) => ({ ...payload, prev: zeros })),
    'CARD_MEMBER',
  ],
  [
    'prev-missing',
    2,
    'A later card names none.',
    rawCard((payload) => without(payload, 'prev'), { seq: 2 }),
    'CARD_MEMBER',
  ],
  [
    'life-31-days',
    2,
    'It would live for a day too long.',
    rawCard((payload) => ({ ...payload, exp: NOW_SEC + 31 * 86_400 })),
    'CARD_MEMBER',
  ],
  ['life-none', 2, 'It ends when it begins.', rawCard((payload) => ({ ...payload, exp: NOW_SEC })), 'CARD_MEMBER'],
  [
    'five-inboxes',
    2,
    'One inbox too many.',
    rawCard((payload) => ({ ...payload, inbox: Array.from({ length: 5 }, () => 'https://relay.example/') })),
    'CARD_MEMBER',
  ],
  [
    'store-query',
    2,
    'An address with a query.',
    rawCard((payload) => ({ ...payload, store: ['https://store.example/?a=b'] })),
    'CARD_MEMBER',
  ],
  [
    'store-port-25',
    2,
    'A port of another service.',
    rawCard((payload) => ({ ...payload, store: ['https://store.example:25/'] })),
    'CARD_MEMBER',
  ],
  [
    '21-devices',
    2,
    'One device more than a table can list.',
    rawCard((payload) => ({ ...payload, devices: Array.from({ length: 21 }, () => ({})) })),
    'CARD_MEMBER',
  ],
  [
    'entry-member',
    2,
    'An entry with a member too many.',
    rawCard((payload) => ({
      ...payload,
      devices: [{ ...(payload['devices'] as readonly JsonObject[])[0], name: 'phone' }],
    })),
    'CARD_MEMBER',
  ],
  ['epoch-17', 2, 'There is no such epoch.', rawCard((payload) => ({ ...payload, epoch: 17 })), 'CARD_CHAIN'],
  [
    'key-at-epoch-0',
    2,
    'At epoch 0 the PersonaID signs.',
    rawCard((payload) => ({ ...payload, chain: { ...(payload['chain'] as JsonObject), key: zeros } })),
    'CARD_MEMBER',
  ],
  [
    'chain-end-early',
    3,
    'The chain ends at epoch 0.',
    rawCard((payload) => ({ ...payload, chain: { next: zeros } })),
    'CARD_CHAIN',
  ],
  [
    'sig-twice',
    3,
    'Two devices have one key.',
    goodCard({ devices: [1, { ...makeEntry(2), sig: makeEntry(1).sig }] }),
    'CARD_KEY',
  ],
  [
    'sig-is-persona',
    3,
    'A device signs with the key of the persona.',
    goodCard({ devices: [{ ...makeEntry(1), sig: alice.positions[0]!.personaId }] }),
    'CARD_KEY',
  ],
  [
    'sig-small-order',
    3,
    'A key of small order, for which anybody can sign.',
    goodCard({ devices: [{ ...makeEntry(1), sig: Uint8Array.of(1, ...new Uint8Array(31)) }] }),
    'CARD_KEY',
  ],
  [
    'enc-zero',
    3,
    'A key that makes every shared secret zero.',
    goodCard({ devices: [{ ...makeEntry(1), enc: new Uint8Array(32) }] }),
    'CARD_KEY',
  ],
  [
    'persona-key-again',
    3,
    'K_1 is K_0.',
    rawCard(
      (payload) => ({
        ...payload,
        chain: { ...(payload['chain'] as JsonObject), key: formatBase64url(alice.positions[0]!.personaId) },
      }),
      { epoch: 1 },
    ),
    'CARD_KEY',
  ],
  [
    'signature-of-other',
    3,
    'Signed by another persona.',
    `${PLAIN.split('.').slice(0, 2).join('.')}.${formatBase64url(other.sign(0, encodeUtf8(PLAIN.split('.').slice(0, 2).join('.'))))}`,
    'CARD_SIGNATURE',
  ],
  [
    'signature-of-old-key',
    3,
    'A card of epoch 1, signed by K_0.',
    resigned(goodCard({ epoch: 1 }), 0),
    'CARD_SIGNATURE',
  ],
  [
    'inception-forged',
    3,
    'The chain of somebody who has K_1 alone.',
    rawCard(
      (payload) => ({
        ...payload,
        chain: { ...(payload['chain'] as JsonObject), next: formatBase64url(new Uint8Array(32).fill(9)) },
      }),
      { epoch: 1 },
    ),
    'CARD_INCEPTION',
  ],
]

function resigned(text: string, epoch: number): string {
  return rawText(headerPart(CARD), formatCanonicalJson(payloadIn(text)), epoch)
}

const GOOD_CARDS: readonly (readonly [name: string, section: number, comment: string, wishes: CardWishes])[] = [
  ['first', 2, 'The first card of a persona for an app.', {}],
  ['no-device', 2, 'All devices have left.', { devices: [], seq: 9 }],
  ['epoch-1', 3, 'After one rotation.', { epoch: 1, seq: 4 }],
  ['epoch-3', 3, 'After three rotations, with the links between.', { epoch: 3, seq: 12 }],
  ['epoch-16', 3, 'The last epoch.', { epoch: 16, seq: 40 }],
  [
    'full',
    2,
    '20 devices, four inboxes and four stores.',
    { devices: Array.from({ length: 20 }, (_, n) => n + 1), inboxes: four('inbox'), stores: four('store') },
  ],
]

function four(name: string): string[] {
  return Array.from({ length: 4 }, (_, n) => `https://${name}${n}.example:8443/p/`)
}

export function cardVectors(): CardVector[] {
  const bad = BAD_CARDS.map(([name, section, comment, text, code]): CardVector => ({
    kind: 'card',
    name,
    section,
    comment,
    text,
    expect: { code },
  }))
  const good = GOOD_CARDS.map(([name, section, comment, wishes]): CardVector => {
    const vector: CardVector = { kind: 'card', name, section, comment, text: goodCard(wishes), expect: { code: '' } }
    return { ...vector, expect: judgeCardVector(vector, portableEngine) }
  })
  return [...good, ...bad]
}

const REQUEST: TokenRequest = {
  origin: 'https://relay.example',
  method: 'POST',
  path: `/inbox/${formatHex(other.positions[0]!.personaId)}`,
  bodyHash: portableEngine.sha256(encodeUtf8('{}')),
}
const TOKEN: DeviceToken = {
  ...REQUEST,
  personaId: alice.positions[0]!.personaId,
  app: APP,
  deviceKey: cardKeyPair(1).publicKey,
  to: other.positions[0]!.personaId,
  issuedAtSec: NOW_SEC,
  expiresAtSec: NOW_SEC + 120,
}

function tokenText(change: Partial<DeviceToken> = {}, device = 1): string {
  return signToken({ ...TOKEN, ...change }, (message) => portableEngine.sign(message, cardKeyPair(device).secretKey))
}

function rawToken(change: (payload: JsonObject) => JsonValue): string {
  const payload = payloadIn(tokenText())
  const signed = `${headerPart(DEVICE_TOKEN)}.${formatBase64url(encodeUtf8(formatCanonicalJson(change(payload))))}`
  return `${signed}.${formatBase64url(portableEngine.sign(encodeUtf8(signed), cardKeyPair(1).secretKey))}`
}

type TokenCase = readonly [
  name: string,
  comment: string,
  text: string,
  expect: TokenVector['expect'],
  change?: Partial<TokenVector>,
]

const TOKEN_CASES: readonly TokenCase[] = [
  ['good', 'A device posts to an inbox.', tokenText(), { verdict: 'good' }],
  ['own', 'A request about the own persona names nobody.', tokenText({ to: null }), { verdict: 'good' }],
  [
    'too-early',
    'It is issued three minutes ahead of the clock of the relay.',
    tokenText(),
    { verdict: 'Clock' },
    { nowSec: NOW_SEC - 180 },
  ],
  ['over', 'It ends at this second.', tokenText(), { verdict: 'Clock' }, { nowSec: NOW_SEC + 120 }],
  ['other-relay', 'It is for another relay.', tokenText({ origin: 'https://other.example' }), { verdict: 'Request' }],
  ['other-method', 'It is for another method.', tokenText({ method: 'DELETE' }), { verdict: 'Request' }],
  ['other-path', 'It is for another path.', tokenText({ path: '/store' }), { verdict: 'Request' }],
  [
    'other-body',
    'The body was changed on the way.',
    tokenText({ bodyHash: new Uint8Array(32) }),
    { verdict: 'Request' },
  ],
  ['no-card', 'The relay knows no card of the persona.', tokenText(), { verdict: 'Card' }, { card: null }],
  [
    'unlisted',
    'The card does not list the device.',
    tokenText(),
    { verdict: 'Card' },
    { card: goodCard({ devices: [2] }) },
  ],
  ['other-app', 'The card is for another app.', tokenText({ app: 'org.example.mail' }), { verdict: 'Card' }],
  [
    'card-over',
    'The card is over.',
    tokenText(),
    { verdict: 'Card' },
    { card: goodCard({ issuedAtSec: NOW_SEC - 100, expiresAtSec: NOW_SEC - 1 }) },
  ],
  ['forged', 'Signed by another device.', tokenText({}, 2), { code: 'TOKEN_SIGNATURE' }],
  ['is-a-card', 'A card is no token.', goodCard({ devices: [], inboxes: [], stores: [] }), { code: 'TOKEN_HEADER' }],
  ['cut', 'The signature is missing.', tokenText().split('.').slice(0, 2).join('.'), { code: 'TOKEN_FORM' }],
  ['too-large', 'One character more than the limit.', 'a'.repeat(2049), { code: 'TOKEN_TOO_LARGE' }],
  [
    'not-canonical',
    'A space in the JSON.',
    `${headerPart(DEVICE_TOKEN)}.${formatBase64url(encodeUtf8('{ }'))}.${tokenText().split('.')[2]}`,
    { code: 'TOKEN_NOT_CANONICAL' },
  ],
  [
    'life-121',
    'It would live for a second too long.',
    rawToken((payload) => ({ ...payload, exp: NOW_SEC + 121 })),
    { code: 'TOKEN_LIFE' },
  ],
  [
    'jti',
    'A member that the form does not have.',
    rawToken((payload) => ({ ...payload, jti: '1' })),
    { code: 'TOKEN_MEMBER' },
  ],
]

export function tokenVectors(): TokenVector[] {
  return TOKEN_CASES.map(([name, comment, text, expect, change = {}]) => ({
    kind: 'token',
    name,
    section: 8,
    comment,
    text,
    request: { ...REQUEST, bodyHash: formatHex(REQUEST.bodyHash) },
    card: PLAIN,
    nowSec: NOW_SEC + 1,
    ...change,
    expect,
  }))
}
