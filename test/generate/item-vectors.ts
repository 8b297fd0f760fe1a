/** Vectors of announcements: items as a reader judges them, and items as a writer makes them (docs/announce.md). */
import { signForwards, signItems, type AnnounceDraft } from '../../src/core/announce/items.ts'
import { judgeItem, type ChainPlace } from '../../src/core/announce/judge.ts'
import { FORWARD_SEQ, itemSeq, readingKey, TABLE_SEQ_END } from '../../src/core/announce/place.ts'
import type { AnnounceKind } from '../../src/core/announce/settings.ts'
import { bencodeValue, valueOf, type SignedValue } from '../../src/core/announce/signed-value.ts'
import { formatBase64url, formatHex, parseBase64url, parseHex } from '../../src/core/encoding/bytes.ts'
import type { BoxEngine } from '../../src/core/engine.ts'
import type { VerifiedBlob } from '../../src/core/verify.ts'
import { portableEngine } from '../../src/crypto/portable.ts'
import { announcedBlob, forwardsTo, itemsOf, placeOf, READ, resigned, strangerAt } from '../support/announced.ts'
import { makeDeviceKey, makePersona, verified } from '../support/made-persona.ts'

/** A signed value; seq is a decimal number, the value is base64url of its bencoded form. */
interface ValueFields {
  readonly publicKey: string
  readonly salt: string
  readonly seq: string
  readonly bencoded: string
  readonly signature: string
}

/** One item, and what a reader who stands at a place of the chain makes of it. */
export interface ItemVector {
  readonly kind: 'item'
  readonly name: string
  readonly section: number
  readonly comment: string
  readonly reader: {
    readonly personaId: string
    /** c_0, or null for a reader who pinned none. */
    readonly root: string | null
    readonly epoch: number
    readonly signingKey: string
    /** The value of the document key `read` that the reader knows, 32 zeros for none; null for a reader without c_0. */
    readonly read: string | null
    readonly deviceKeys: readonly string[]
  }
  readonly signed: ValueFields
  readonly expect:
    | { readonly verdict: 'blob' | 'otherChain'; readonly blob: string; readonly provesTheft: boolean }
    | { readonly verdict: 'refused'; readonly code: string; readonly provesTheft: boolean }
}

/** A table, and the items that its writer makes of it. */
export interface AnnounceVector {
  readonly kind: 'announce'
  readonly name: string
  readonly section: number
  readonly comment: string
  /** Number of the persona: its seed is 32 times this byte. */
  readonly persona: number
  /** The epoch whose key signs the items. It is lower than the epoch of the blob for forwards. */
  readonly epoch: number
  readonly blob: string
  readonly read: string
  readonly announce: AnnounceKind
  readonly removedKeys: readonly string[]
  readonly expect: { readonly items: readonly ValueFields[]; readonly devicesLeftOut: number }
}

function fieldsOf({ publicKey, salt, seq, bencoded, signature }: SignedValue): ValueFields {
  return {
    publicKey: formatHex(publicKey),
    salt: formatHex(salt),
    seq: String(seq),
    bencoded: formatBase64url(bencoded),
    signature: formatHex(signature),
  }
}

function valueFrom({ publicKey, salt, seq, bencoded, signature }: ValueFields): SignedValue {
  return {
    publicKey: parseHex(publicKey)!,
    salt: parseHex(salt)!,
    seq: BigInt(seq),
    bencoded: parseBase64url(bencoded)!,
    signature: parseHex(signature)!,
  }
}

/** The verdict of the code under test. */
export function judgeItemVector({ reader, signed }: ItemVector, engine: BoxEngine): ItemVector['expect'] {
  const root = reader.root === null ? null : parseHex(reader.root)!
  const place: ChainPlace = {
    personaId: parseHex(reader.personaId)!,
    root,
    epoch: reader.epoch,
    signingKey: parseHex(reader.signingKey)!,
    readingKey: root === null || reader.read === null ? null : readingKey(root, parseHex(reader.read), engine),
  }
  const deviceKeys = reader.deviceKeys.map((key) => parseHex(key)!)
  const verdict = judgeItem(valueFrom(signed), place, { engine, deviceKeys })
  const { provesTheft } = verdict
  if (verdict.verdict === 'refused') return { verdict: 'refused', code: verdict.code, provesTheft }
  return { verdict: verdict.verdict, blob: formatBase64url(verdict.blob.bytes), provesTheft }
}

/** The items that the code under test makes. */
export function makeItemsOf(vector: AnnounceVector, engine: BoxEngine): AnnounceVector['expect'] {
  const persona = makePersona(vector.persona)
  const draft: AnnounceDraft = {
    blob: verified(parseBase64url(vector.blob)!),
    read: parseHex(vector.read),
    kind: vector.announce,
    removedKeys: vector.removedKeys.map((key) => parseHex(key)!),
  }
  const sign = (message: Uint8Array): Uint8Array => persona.sign(vector.epoch, message)
  const { items, devicesLeftOut } =
    draft.blob.epoch === vector.epoch
      ? signItems(draft, engine, sign)
      : signForwards(draft, persona.positions[vector.epoch]!.signingKey, engine, sign)
  return { items: items.map(fieldsOf), devicesLeftOut }
}

const ada = makePersona(1)
const bob = makePersona(2)
const TABLE = announcedBlob(ada, { seq: 7 })
const NEWER = announcedBlob(ada, { epoch: 1, seq: 3, devices: [0] })
const OTHER_CHAIN = announcedBlob(ada, { chain: { next: new Uint8Array(32).fill(9) } })
const first = (items: readonly SignedValue[]): SignedValue => items[0]!
const ITEM = first(itemsOf(ada, TABLE).items)
const FORWARD = first(forwardsTo(ada, NEWER, 0).items)
const PUBLIC = itemsOf(ada, TABLE, { kind: 'public' }).items[1]!
const DEVICES = itemsOf(ada, TABLE, { kind: 'devices' }).items[1]!
const GARBAGE = bencodeValue(new Uint8Array(400).fill(1, 0, 1))

const again = (signed: SignedValue, changed: Partial<SignedValue>): SignedValue => resigned(ada, 0, signed, changed)
const valueWith = (signed: SignedValue, at: number, byte: number): Uint8Array =>
  bencodeValue(valueOf(signed)!.with(at, byte))
/** An item for contacts whose sealed text is not what the format asks for. */
function sealedText(plain: Uint8Array): SignedValue {
  const head = Uint8Array.of(1, 0)
  const nonce = new Uint8Array(24).fill(3)
  const { readingKey: r, signingKey } = placeOf(ada)
  const hash = portableEngine.sha512(new TextEncoder().encode('personad/v1/announce-key\0'), r!, signingKey, head)
  const box = portableEngine.sealBox(plain, nonce, hash.slice(0, 32))
  return again(ITEM, { bencoded: bencodeValue(Uint8Array.of(...head, ...nonce, ...box)) })
}
const longPlain = new Uint8Array(320).fill(0xff, 0, 2)
const dirtyPlain = Uint8Array.of(TABLE.bytes.length >> 8, TABLE.bytes.length & 0xff, ...TABLE.bytes, 0, 0, 1)

const contact = placeOf(ada)
const stranger = strangerAt(ada)
type Expected = VerifiedBlob | string
type Case = readonly [
  name: string,
  section: number,
  comment: string,
  signed: SignedValue,
  expected: Expected,
  thief?: 'thief' | null,
  place?: ChainPlace,
  deviceKeys?: readonly number[],
]

const CASES: readonly Case[] = [
  ['good', 4, 'An item for contacts.', ITEM, TABLE],
  ['good-forward', 6, 'A forward from epoch 0 to epoch 1.', FORWARD, NEWER],
  [
    'good-devices',
    4,
    'A stranger knows the PersonaID and the key of the second device.',
    DEVICES,
    TABLE,
    null,
    stranger,
    [9, 1],
  ],
  ['good-devices-contact', 4, 'A contact opens the same item by the reading key.', DEVICES, TABLE],
  ['good-public', 4, 'A stranger knows the PersonaID alone.', PUBLIC, TABLE, null, stranger],
  [
    'good-forward-table-seq',
    6,
    'The seq is the one that the blob of the forward gives: no proof.',
    again(FORWARD, { seq: itemSeq(NEWER)! }),
    NEWER,
  ],
  [
    'signature',
    2,
    'One bit of the signature is wrong.',
    { ...ITEM, signature: ITEM.signature.with(5, ITEM.signature[5]! ^ 1) },
    'ITEM_SIGNATURE',
  ],
  ['signature-other-seq', 2, 'The signature is of another seq.', { ...ITEM, seq: ITEM.seq + 1n }, 'ITEM_SIGNATURE'],
  [
    'place-other-read',
    3,
    'The item lies where a reader with another `read` looks.',
    itemsOf(ada, TABLE, { read: null }).items[0]!,
    'ITEM_OTHER_PLACE',
  ],
  [
    'place-other-key',
    3,
    'The item is signed by the key of epoch 1.',
    first(itemsOf(ada, NEWER).items),
    'ITEM_OTHER_PLACE',
  ],
  ['closed-devices', 4, 'A stranger knows another device key.', DEVICES, 'ITEM_CLOSED', null, stranger, [2]],
  [
    'closed-flipped',
    4,
    'One bit of the box is wrong, and the thief signed that.',
    again(ITEM, { bencoded: valueWith(ITEM, 60, valueOf(ITEM)![60]! ^ 1) }),
    'ITEM_CLOSED',
  ],
  ['version-2', 4, 'Version 2.', again(ITEM, { bencoded: valueWith(ITEM, 0, 2) }), 'ITEM_VERSION'],
  ['flags-unknown', 4, 'Bit 3 of the flags is set.', again(ITEM, { bencoded: valueWith(ITEM, 1, 8) }), 'ITEM_FLAGS'],
  [
    'flags-slots-and-public',
    4,
    'Two forms at once.',
    again(DEVICES, { bencoded: valueWith(DEVICES, 1, 6) }),
    'ITEM_FLAGS',
  ],
  ['flags-place', 4, 'A public item at the secret place.', again(ITEM, { bencoded: PUBLIC.bencoded }), 'ITEM_FLAGS'],
  [
    'length',
    4,
    'Too short for nonce and tag.',
    again(ITEM, { bencoded: bencodeValue(new Uint8Array(43).fill(1, 0, 1)) }),
    'ITEM_LENGTH',
  ],
  ['length-slots', 4, 'It claims 200 slots.', again(DEVICES, { bencoded: valueWith(DEVICES, 26, 200) }), 'ITEM_LENGTH'],
  [
    'not-bytes',
    2,
    'The value is a list.',
    again(ITEM, { bencoded: new TextEncoder().encode('l4:spame') }),
    'ITEM_NOT_BYTES',
  ],
  [
    'not-bytes-997',
    2,
    'The value has 997 bytes.',
    again(ITEM, { bencoded: bencodeValue(new Uint8Array(997)) }),
    'ITEM_SIGNATURE',
  ],
  ['padding-length', 4, 'The length of the blob exceeds the text.', sealedText(longPlain), 'ITEM_PADDING'],
  ['padding-not-zero', 4, 'A byte after the blob is not zero.', sealedText(dirtyPlain), 'ITEM_PADDING'],
  [
    'blob-damaged',
    6,
    'A byte of a public blob is wrong.',
    again(PUBLIC, { bencoded: valueWith(PUBLIC, 202, 1) }),
    'SIGNATURE_BAD',
  ],
  [
    'blob-other-persona',
    6,
    'The blob is of another persona.',
    again(PUBLIC, { bencoded: bencodeValue(Uint8Array.of(1, 4, ...announcedBlob(bob).bytes)) }),
    'ITEM_OTHER_PERSONA',
  ],
  [
    'other-chain',
    6,
    'A thief of K_0 made another chain.',
    first(itemsOf(ada, { ...OTHER_CHAIN, root: contact.root! }).items),
    OTHER_CHAIN,
  ],
  [
    'theft-seq-above',
    6,
    'The seq is one higher than the blob gives.',
    again(ITEM, { seq: ITEM.seq + 1n }),
    TABLE,
    'thief',
  ],
  [
    'theft-highest-seq',
    6,
    'The highest seq, and the blob is of the same epoch: no forward.',
    again(ITEM, { seq: FORWARD_SEQ }),
    TABLE,
    'thief',
  ],
  [
    'theft-highest-seq-public',
    6,
    'The same at the open place.',
    again(PUBLIC, { seq: FORWARD_SEQ }),
    TABLE,
    'thief',
    stranger,
  ],
  [
    'theft-closed',
    6,
    'It closes the place and does not open.',
    again(ITEM, { seq: TABLE_SEQ_END, bencoded: GARBAGE }),
    'ITEM_CLOSED',
    'thief',
  ],
  [
    'theft-closed-below',
    6,
    'A seq below 2^53 proves nothing: a later version may use it.',
    again(ITEM, { seq: TABLE_SEQ_END - 1n, bencoded: GARBAGE }),
    'ITEM_CLOSED',
  ],
  [
    'theft-not-bytes',
    6,
    'It closes the place with a value that is no byte string.',
    again(ITEM, { seq: FORWARD_SEQ, bencoded: new TextEncoder().encode('le') }),
    'ITEM_NOT_BYTES',
    'thief',
  ],
  [
    'theft-open-place',
    6,
    'At the open place it may be sealed for others.',
    again(DEVICES, { seq: FORWARD_SEQ, bencoded: valueWith(DEVICES, 99, 0) }),
    'ITEM_CLOSED',
  ],
]

export function itemVectors(): ItemVector[] {
  return CASES.map(([name, section, comment, signed, expected, thief, place = contact, deviceKeys = []]) => {
    const provesTheft = thief === 'thief'
    const isOther = expected === OTHER_CHAIN
    return {
      kind: 'item',
      name,
      section,
      comment,
      reader: {
        personaId: formatHex(place.personaId),
        root: place.root === null ? null : formatHex(place.root),
        epoch: place.epoch,
        signingKey: formatHex(place.signingKey),
        read: place.readingKey === null ? null : formatHex(READ),
        deviceKeys: deviceKeys.map((number) => formatHex(makeDeviceKey(number))),
      },
      signed: fieldsOf(signed),
      expect:
        typeof expected === 'string'
          ? { verdict: 'refused', code: expected, provesTheft }
          : { verdict: isOther ? 'otherChain' : 'blob', blob: formatBase64url(expected.bytes), provesTheft },
    }
  })
}

type MadeCase = readonly [
  name: string,
  comment: string,
  blob: VerifiedBlob,
  epoch: number,
  announce: AnnounceKind,
  removed: readonly number[],
]
const FULL = announcedBlob(ada, { devices: Array.from({ length: 14 }, (_, number) => number), document: '' })

const MADE: readonly MadeCase[] = [
  ['contacts', 'A table of two devices, for contacts.', TABLE, 0, 'contacts', []],
  ['devices', 'The same for device keys, and for one device that was removed lately.', TABLE, 0, 'devices', [5]],
  ['devices-full', 'Fourteen devices: the last ones find no room for a slot.', FULL, 0, 'devices', [20]],
  ['public', 'The same for everybody.', TABLE, 0, 'public', []],
  ['forward', 'Forwards from epoch 0 to a table of epoch 1, of the kind devices.', NEWER, 0, 'devices', []],
  ['epoch-1', 'A table of epoch 1.', NEWER, 1, 'contacts', []],
  ['seq-too-high', 'A seq of 2^22 is not announced.', announcedBlob(ada, { seq: 2 ** 22 }), 0, 'contacts', []],
]

export function announceVectors(): AnnounceVector[] {
  return MADE.map(([name, comment, blob, epoch, announce, removed]) => {
    const given = {
      kind: 'announce' as const,
      name,
      section: 4,
      comment,
      persona: 1,
      epoch,
      blob: formatBase64url(blob.bytes),
      read: formatHex(READ),
      announce,
      removedKeys: removed.map((number) => formatHex(makeDeviceKey(number))),
    }
    return { ...given, expect: makeItemsOf({ ...given, expect: { items: [], devicesLeftOut: 0 } }, portableEngine) }
  })
}
