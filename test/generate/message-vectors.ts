/** Vectors of objects as their readers see them (docs/messages.md). The seals are made by a second implementation of HPKE. */
import { concatBytes, encodeUtf8, formatBase64url, formatHex } from '../../src/core/encoding/bytes.ts'
import type { JsonObject } from '../../src/core/encoding/canonical-json.ts'
import { CHUNK_BYTES } from '../../src/core/stream/box-stream.ts'
import type { CryptoEngine } from '../../src/crypto/engine.ts'
import { portableEngine } from '../../src/crypto/portable.ts'
import type { MessageKind } from '../../src/message/header.ts'
import { cardKeyPair } from '../support/cards.ts'
import { NOW_SEC } from '../support/made-persona.ts'
import {
  ALICE_LAPTOP,
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
import {
  ALICES_LAPTOP,
  base,
  BOBS_PHONE,
  CAROLS_PHONE,
  coded,
  hex,
  pairsOf,
  routeOf,
  type ReaderFields,
} from './message-readers.ts'
import { CONTENT, makeObject, membersOf, SEALS, sha, type ObjectWishes } from './unchecked-objects.ts'

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
