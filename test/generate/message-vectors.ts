/** Vectors of objects and entries as their readers see them (docs/messages.md). The seals are made by a second implementation of HPKE. */
import { CHUNK_BYTES, sealBoxAt } from '../../src/core/stream/box-stream.ts'
import {
  concatBytes,
  encodeUtf8,
  formatBase64url,
  formatHex,
  parseBase64url,
  parseHex,
} from '../../src/core/encoding/bytes.ts'
import { formatCanonicalJson, type JsonObject } from '../../src/core/encoding/canonical-json.ts'
import {
  LABEL_CEK,
  LABEL_MESSAGE_ENTRY,
  LABEL_MESSAGE_OBJECT,
  LABEL_MESSAGE_RECEIPT,
  LABEL_MESSAGE_SIG,
} from '../../src/core/labels.ts'
import type { CryptoEngine } from '../../src/crypto/engine.ts'
import { portableEngine } from '../../src/crypto/portable.ts'
import { openEntry } from '../../src/message/entry.ts'
import { MessageError } from '../../src/message/errors.ts'
import type { MessageKind } from '../../src/message/header.ts'
import { verifyReceipt } from '../../src/message/receipt.ts'
import type { Route } from '../../src/message/seals.ts'
import { importBoxKeyPair, type BoxKeyPair } from '../../src/seal/key-pair.ts'
import { APP, cardKeyPair } from '../support/cards.ts'
import { ORACLE_SUITES, oracleSeal } from '../support/hpke-oracle.ts'
import { NOW_SEC } from '../support/made-persona.ts'
import {
  ALICE,
  ALICE_LAPTOP,
  ALICE_PHONE,
  BOB,
  BOB_LAPTOP,
  BOB_PHONE,
  CAROL,
  CAROL_PHONE,
  encKey,
  encSecret,
  ID,
  opened,
} from '../support/messages.ts'

/** The facts of a reader, in each vector of both kinds. */
interface ReaderFields {
  readonly name: string
  readonly section: number
  readonly comment: string
  /** PersonaIDs. */
  readonly from: string
  readonly reader: string
  readonly app: string
  /** Secrets of the keys `enc` of the device that reads. */
  readonly secrets: readonly string[]
  /** Keys `sig`: of the sender's card, or for a receipt of the devices to which its object was sealed. */
  readonly devices: readonly string[]
}

/** One object, what its entry and its reader know, and what the reader makes of it. */
export interface MessageVector extends ReaderFields {
  readonly kind: 'message'
  readonly entry: { readonly id: string; readonly kind: MessageKind; readonly hash: string }
  readonly object: string
  readonly expect:
    | {
        readonly count: number
        readonly device: string
        readonly to: string
        readonly keys: readonly string[]
        readonly issuedAtSec: number
        readonly content: string
      }
    | { readonly code: string }
}

/** One entry of an inbox. */
export interface EntryVector extends ReaderFields {
  readonly kind: 'entry'
  readonly entry: string
  /** SHA-256 of the object of a receipt; null for other entries. */
  readonly hash: string | null
  readonly expect:
    | { readonly kind: MessageKind; readonly id: string; readonly store: number; readonly hash: string }
    | { readonly kind: 'receipt'; readonly id: string; readonly device: string }
    | { readonly code: string }
}

const hex = (text: string): Uint8Array => parseHex(text)!
const base = (text: string): Uint8Array => parseBase64url(text)!
const sha = (text: string): Uint8Array => portableEngine.sha256(encodeUtf8(text))

const routeOf = ({ from, reader, app }: ReaderFields): Route => ({ from: hex(from), reader: hex(reader), app })

async function pairsOf({ secrets }: ReaderFields): Promise<BoxKeyPair[]> {
  return await Promise.all(secrets.map(async (secret) => await importBoxKeyPair('x25519', hex(secret))))
}

/** The code under test reads the object. */
export async function judgeMessage(vector: MessageVector, engine: CryptoEngine): Promise<MessageVector['expect']> {
  return await coded(async () => {
    const { id, kind, hash } = vector.entry
    const expected = {
      entry: { kind, id: hex(id), store: 0, hash: hex(hash) },
      route: routeOf(vector),
      devices: vector.devices.map(hex),
      pairs: await pairsOf(vector),
    }
    const { header, content } = await opened(base(vector.object), expected, engine)
    return {
      count: header.count,
      device: formatHex(header.device),
      to: formatHex(header.to),
      keys: header.keys.map(formatHex),
      issuedAtSec: header.issuedAtSec,
      content: formatBase64url(content),
    }
  })
}

/** The code under test reads the entry. */
export async function judgeEntry(vector: EntryVector, engine: CryptoEngine): Promise<EntryVector['expect']> {
  return await coded(async () => {
    const entry = await openEntry(base(vector.entry), routeOf(vector), await pairsOf(vector))
    const id = formatHex(entry.id)
    if (entry.kind !== 'receipt') return { kind: entry.kind, id, store: entry.store, hash: formatHex(entry.hash) }
    const device = verifyReceipt(entry, hex(vector.hash!), vector.devices.map(hex), engine)
    return { kind: 'receipt', id, device: formatHex(device) }
  })
}

async function coded<Result>(read: () => Promise<Result>): Promise<Result | { code: string }> {
  try {
    return await read()
  } catch (error) {
    if (!(error instanceof MessageError)) throw error
    return { code: error.code }
  }
}

const CONTENT_KEY = sha('content key')
const CONTENT = encodeUtf8('The key lies under the mat.')

/** To which key a seal of an object is, and of which persona that key is. */
interface SealWish {
  readonly device: number
  readonly reader: Uint8Array
  readonly contentKey?: Uint8Array
}

const SEALS: readonly SealWish[] = [
  { device: BOB_PHONE, reader: BOB },
  { device: BOB_LAPTOP, reader: BOB },
  { device: ALICE_LAPTOP, reader: ALICE },
]

/** How an object differs from the plain one. */
interface ObjectWishes {
  readonly members?: JsonObject
  /** In place of the canonical JSON of the members. */
  readonly header?: string
  /** How many bytes of the signature are there. */
  readonly signatureBytes?: number
  readonly content?: Uint8Array
  /** The content that is signed. */
  readonly signedContent?: Uint8Array
  readonly signer?: number
  readonly seals?: readonly SealWish[]
  /** In the aad of the seals. */
  readonly app?: string
  readonly change?: (object: Uint8Array) => Uint8Array
}

function membersOf(wishes: JsonObject): JsonObject {
  return {
    v: 1,
    id: formatBase64url(ID),
    kind: 'message',
    n: 1,
    from: formatHex(ALICE),
    device: formatBase64url(cardKeyPair(ALICE_PHONE).publicKey),
    to: formatHex(BOB),
    app: APP,
    keys: SEALS.map(({ device }) => formatBase64url(encKey(device))),
    iat: NOW_SEC,
    ...wishes,
  }
}

function hpke(info: Uint8Array, device: number, aad: Uint8Array, text: Uint8Array): Uint8Array {
  const context = oracleSeal(ORACLE_SUITES.x25519, sha(`one-time ${device}`), encKey(device), info)
  return concatBytes(context.enc, context.seal(0, aad, text))
}

function signedBy(device: number, ...parts: readonly Uint8Array[]): Uint8Array {
  return portableEngine.sign(concatBytes(...parts), cardKeyPair(device).secretKey)
}

/** Makes an object as a sender without checks would make it. */
function makeObject(wishes: ObjectWishes = {}): Uint8Array {
  const { content = CONTENT, signedContent = content, seals = SEALS, app = APP, signer = ALICE_PHONE } = wishes
  const json = encodeUtf8(wishes.header ?? formatCanonicalJson(membersOf(wishes.members ?? {})))
  const header = concatBytes(Uint8Array.of(json.length >> 8, json.length & 0xff), json)
  const signature = signedBy(signer, LABEL_MESSAGE_SIG, header, portableEngine.sha256(signedContent))
  const text = concatBytes(header, signature.subarray(0, wishes.signatureBytes), content)
  const boxes: Uint8Array[] = []
  for (let at = 0; at < text.length; at += CHUNK_BYTES) {
    const chunk = text.slice(at, at + CHUNK_BYTES)
    boxes.push(sealBoxAt(boxes.length, chunk, at + CHUNK_BYTES >= text.length, CONTENT_KEY, portableEngine))
  }
  const object = concatBytes(
    Uint8Array.of(1),
    portableEngine.sha512(LABEL_CEK, CONTENT_KEY).slice(0, 32),
    Uint8Array.of(seals.length),
    ...seals.map(({ device, reader, contentKey = CONTENT_KEY }) =>
      hpke(LABEL_MESSAGE_OBJECT, device, concatBytes(ID, ALICE, reader, encodeUtf8(app)), contentKey),
    ),
    ...boxes,
  )
  return wishes.change?.(object) ?? object
}

const BOBS_PHONE = {
  from: formatHex(ALICE),
  reader: formatHex(BOB),
  app: APP,
  secrets: [formatHex(encSecret(BOB_PHONE))],
  devices: [ALICE_PHONE, ALICE_LAPTOP].map((device) => formatHex(cardKeyPair(device).publicKey)),
}
const ALICES_LAPTOP = { ...BOBS_PHONE, reader: formatHex(ALICE), secrets: [formatHex(encSecret(ALICE_LAPTOP))] }
const CAROLS_PHONE = { ...BOBS_PHONE, reader: formatHex(CAROL), secrets: [formatHex(encSecret(CAROL_PHONE))] }

type MessageWishes = Partial<Omit<MessageVector, 'entry'>> & { readonly entry?: Partial<MessageVector['entry']> }

function vectorOf(name: string, section: number, comment: string, object: Uint8Array, wishes: MessageWishes) {
  const { entry, ...more } = wishes
  return {
    kind: 'message',
    name,
    section,
    comment,
    ...BOBS_PHONE,
    entry: { id: formatHex(ID), kind: 'message', hash: formatHex(portableEngine.sha256(object)), ...entry },
    object: formatBase64url(object),
    ...more,
  } as const
}

function good(name: string, comment: string, wishes: ObjectWishes = {}, reader: MessageWishes = {}): MessageVector {
  const members = membersOf(wishes.members ?? {})
  const keys = members['keys'] as readonly string[]
  return {
    ...vectorOf(name, 5, comment, makeObject(wishes), reader),
    expect: {
      count: members['n'] as number,
      device: formatHex(base(members['device'] as string)),
      to: members['to'] as string,
      keys: keys.map((key) => formatHex(base(key))),
      issuedAtSec: NOW_SEC,
      content: formatBase64url(wishes.content ?? CONTENT),
    },
  }
}

type BadCase = readonly [
  name: string,
  section: number,
  comment: string,
  wishes: ObjectWishes,
  code: string,
  reader?: MessageWishes,
]

const PLAIN = makeObject()
const HEAD_END = 34 + SEALS.length * 80
const flip = (at: number) => (object: Uint8Array) => object.with(at, object[at]! ^ 1)
const cutTo = (end: number) => (object: Uint8Array) => object.slice(0, end)
const keysOf = (...devices: readonly number[]): JsonObject => ({
  keys: devices.map((device) => formatBase64url(encKey(device))),
})
const TWO_BOXES = new Uint8Array(CHUNK_BYTES).fill(7)

const BAD_OBJECTS: readonly BadCase[] = [
  ['version-2', 3, 'A later version of objects.', { change: (object) => object.with(0, 2) }, 'UNKNOWN_VERSION'],
  ['header-version-2', 2, 'A later version of headers.', { members: { v: 2 } }, 'UNKNOWN_VERSION'],
  ['kind-unknown', 2, 'A kind of a later version.', { members: { kind: 'call' } }, 'UNKNOWN_KIND'],
  ['no-seals', 3, 'It is sealed to nobody.', { change: (object) => object.with(33, 0) }, 'MALFORMED'],
  ['not-canonical', 2, 'A space in the JSON.', { header: '{"v": 1}' }, 'MALFORMED'],
  ['member-unknown', 2, 'A member that the form does not have.', { members: { url: 'x' } }, 'MALFORMED'],
  ['count-0', 2, 'Messages are counted from 1 on.', { members: { n: 0 } }, 'MALFORMED'],
  ['no-keys', 2, 'A header without keys.', { members: { keys: [] } }, 'MALFORMED'],
  [
    'key-low-order',
    2,
    'A key with which every shared secret is zero.',
    { members: { keys: [formatBase64url(new Uint8Array(32))] } },
    'MALFORMED',
  ],
  ['key-twice', 2, 'A key stands twice.', { members: keysOf(BOB_PHONE, BOB_PHONE) }, 'DUPLICATE_KEYS'],
  [
    'signature-cut',
    2,
    'The text ends in its signature.',
    { signatureBytes: 63, content: new Uint8Array() },
    'MALFORMED',
  ],
  ['cut-nothing', 3, 'No byte is left.', { change: cutTo(0) }, 'CUT_SHORT'],
  ['cut-in-head', 3, 'It ends before the number of seals.', { change: cutTo(33) }, 'CUT_SHORT'],
  ['cut-in-seals', 3, 'The first seal lacks a byte.', { change: cutTo(34 + 79) }, 'CUT_SHORT'],
  ['cut-before-boxes', 3, 'There is no box.', { change: cutTo(HEAD_END) }, 'CUT_SHORT'],
  ['cut-in-box', 3, 'The box lacks a byte.', { change: cutTo(PLAIN.length - 1) }, 'TAMPERED'],
  [
    'cut-between-boxes',
    3,
    'The second box is missing.',
    { content: TWO_BOXES, change: cutTo(HEAD_END + CHUNK_BYTES + 16) },
    'CUT_SHORT',
  ],
  ['added', 3, 'A byte after the end.', { change: (object) => concatBytes(object, Uint8Array.of(0)) }, 'TAMPERED'],
  ['box-changed', 3, 'A flipped bit in the box.', { change: flip(PLAIN.length - 1) }, 'TAMPERED'],
  ['own-seal-changed', 3, 'A flipped bit in the seal of the reader.', { change: flip(34 + 40) }, 'NOT_SEALED_TO_ME'],
  [
    'other-seal-changed',
    5,
    'A flipped bit in the seal of another device.',
    { change: flip(34 + 120) },
    'WRONG_HASH',
    { entry: { hash: formatHex(portableEngine.sha256(PLAIN)) } },
  ],
  ['commit-changed', 3, 'A flipped bit in the commitment.', { change: flip(5) }, 'WRONG_KEY'],
  [
    'two-keys',
    3,
    'The sender sealed another content key to the phone, with which the same boxes may open to another text.',
    { seals: [{ device: BOB_PHONE, reader: BOB, contentKey: sha('second key') }, ...SEALS.slice(1)] },
    'WRONG_KEY',
  ],
  ['copied', 3, 'Store and inbox show the object to a third person.', {}, 'NOT_SEALED_TO_ME', CAROLS_PHONE],
  ['other-id', 3, 'Another object of the same sender.', {}, 'NOT_SEALED_TO_ME', { entry: { id: 'AB'.repeat(32) } }],
  ['other-outer-app', 3, 'The inbox shows it to another app.', {}, 'NOT_SEALED_TO_ME', { app: 'org.example.mail' }],
  ['other-outer-sender', 3, 'The inbox names another sender.', {}, 'NOT_SEALED_TO_ME', { from: formatHex(CAROL) }],
  [
    'passed-on',
    5,
    'Bob seals the signed text again, to Carol and as from Alice.',
    { seals: [{ device: CAROL_PHONE, reader: CAROL }], members: keysOf(CAROL_PHONE) },
    'NOT_FOR_ME',
    CAROLS_PHONE,
  ],
  [
    'other-device',
    5,
    "Bob's laptop seals the signed text again, to his phone.",
    { seals: [{ device: BOB_PHONE, reader: BOB }], members: keysOf(BOB_LAPTOP) },
    'KEY_NOT_LISTED',
  ],
  ['fewer-seals', 5, 'A seal is left out.', { seals: SEALS.slice(0, 1) }, 'KEY_NOT_LISTED'],
  ['seals-exchanged', 5, 'The seals stand in another order.', { seals: SEALS.toReversed() }, 'KEY_NOT_LISTED'],
  ['inner-id', 5, 'The header has another id.', { members: { id: formatBase64url(sha('id')) } }, 'WRONG_ENTRY'],
  ['inner-kind', 5, 'The entry names an invite.', {}, 'WRONG_ENTRY', { entry: { kind: 'invite' } }],
  ['inner-app', 5, 'The header has another app.', { members: { app: 'org.example.mail' } }, 'WRONG_APP'],
  ['inner-sender', 5, 'The header has another sender.', { members: { from: formatHex(CAROL) } }, 'WRONG_SENDER'],
  [
    'unlisted-device',
    5,
    'The card no longer lists the device.',
    {},
    'UNKNOWN_DEVICE',
    { devices: [formatHex(cardKeyPair(ALICE_LAPTOP).publicKey)] },
  ],
  [
    'exchanged',
    5,
    'The entry names an object with another hash.',
    {},
    'WRONG_HASH',
    { entry: { hash: '00'.repeat(32) } },
  ],
  ['forged', 5, 'Another device signed.', { signer: ALICE_LAPTOP }, 'WRONG_SIGNATURE'],
  [
    'content-exchanged',
    5,
    'The signature covers another content.',
    { signedContent: encodeUtf8('The key lies in the drawer.') },
    'WRONG_SIGNATURE',
  ],
]

/** All vectors of objects. */
export function messageVectors(): MessageVector[] {
  return [
    good('good', "Alice's phone writes to Bob; his phone reads."),
    good(
      'good-second-key',
      'The device has an older key, too.',
      {},
      {
        secrets: [encSecret(9), encSecret(BOB_PHONE)].map(formatHex),
      },
    ),
    good('good-own-device', "Alice's laptop reads what her phone wrote.", {}, ALICES_LAPTOP),
    good(
      'good-invite',
      'An invite, as a message.',
      { members: { kind: 'invite', n: 7 } },
      { entry: { kind: 'invite' } },
    ),
    good('good-empty', 'A content without a byte.', { content: new Uint8Array() }),
    good('good-two-boxes', 'A content that needs a second box.', { content: TWO_BOXES }),
    ...BAD_OBJECTS.map(([name, section, comment, wishes, code, reader = {}]) => ({
      ...vectorOf(name, section, comment, makeObject(wishes), reader),
      expect: { code },
    })),
  ]
}

const OBJECT_HASH = portableEngine.sha256(PLAIN)

function entryText(kind: number, version = 1): Uint8Array {
  return concatBytes(Uint8Array.of(version, kind), ID, Uint8Array.of(1), OBJECT_HASH)
}

function receiptText(device: number, hash = OBJECT_HASH): Uint8Array {
  return concatBytes(Uint8Array.of(1, 2), ID, signedBy(device, LABEL_MESSAGE_RECEIPT, ID, hash))
}

function makeEntryBytes(
  text: Uint8Array,
  devices: readonly number[],
  from: Uint8Array,
  reader: Uint8Array,
): Uint8Array {
  const aad = concatBytes(from, reader, encodeUtf8(APP))
  return concatBytes(...devices.map((device) => hpke(LABEL_MESSAGE_ENTRY, device, aad, text)))
}

/** An entry in Bob's inbox. */
const toBob = (text: Uint8Array): Uint8Array => makeEntryBytes(text, [BOB_LAPTOP, BOB_PHONE], ALICE, BOB)
/** A receipt in Alice's inbox. */
const toAlice = (text: Uint8Array): Uint8Array => makeEntryBytes(text, [ALICE_PHONE, ALICE_LAPTOP], BOB, ALICE)
const SENT_RECEIPTS = {
  ...ALICES_LAPTOP,
  from: formatHex(BOB),
  devices: [BOB_PHONE, BOB_LAPTOP].map((device) => formatHex(cardKeyPair(device).publicKey)),
  hash: formatHex(OBJECT_HASH),
}

type EntryCase = readonly [
  name: string,
  comment: string,
  entry: Uint8Array,
  expect: EntryVector['expect'],
  wishes?: Partial<EntryVector>,
]

const FOUND = { id: formatHex(ID), store: 1, hash: formatHex(OBJECT_HASH) }

const ENTRY_CASES: readonly EntryCase[] = [
  [
    'good',
    'It leads to an object in the second store of the sender.',
    toBob(entryText(1)),
    { kind: 'message', ...FOUND },
  ],
  ['good-invite', 'It leads to an invite.', toBob(entryText(3)), { kind: 'invite', ...FOUND }],
  [
    'good-receipt',
    "Bob's phone has the message.",
    toAlice(receiptText(BOB_PHONE)),
    { kind: 'receipt', id: formatHex(ID), device: formatHex(cardKeyPair(BOB_PHONE).publicKey) },
    SENT_RECEIPTS,
  ],
  [
    'receipt-other-device',
    'A device to which the object was not sealed signed the receipt.',
    toAlice(receiptText(CAROL_PHONE)),
    { code: 'WRONG_RECEIPT' },
    SENT_RECEIPTS,
  ],
  [
    'receipt-other-object',
    'A receipt for another object under the same id.',
    toAlice(receiptText(BOB_PHONE, sha('object'))),
    { code: 'WRONG_RECEIPT' },
    SENT_RECEIPTS,
  ],
  ['copied', 'The inbox of another persona shows it.', toBob(entryText(1)), { code: 'NOT_SEALED_TO_ME' }, CAROLS_PHONE],
  [
    'other-sender',
    'The inbox names another sender.',
    toBob(entryText(1)),
    { code: 'NOT_SEALED_TO_ME' },
    { from: formatHex(CAROL) },
  ],
  ['version-2', 'A later version.', toBob(entryText(1, 2)), { code: 'UNKNOWN_VERSION' }],
  ['kind-4', 'A kind of a later version.', toBob(entryText(4)), { code: 'UNKNOWN_KIND' }],
  ['receipt-short', 'A receipt with the length of another entry.', toBob(entryText(2)), { code: 'MALFORMED' }],
  ['empty', 'No byte.', new Uint8Array(), { code: 'MALFORMED' }],
  ['cut', 'The last seal lacks a byte.', toBob(entryText(1)).slice(0, -1), { code: 'MALFORMED' }],
  ['21-keys', 'One key too many.', new Uint8Array(21 * 115), { code: 'MALFORMED' }],
]

/** All vectors of entries. */
export function entryVectors(): EntryVector[] {
  return ENTRY_CASES.map(([name, comment, entry, expect, wishes = {}]) => ({
    kind: 'entry',
    name,
    section: 4,
    comment,
    ...BOBS_PHONE,
    entry: formatBase64url(entry),
    hash: null,
    ...wishes,
    expect,
  }))
}
