/** Vectors of the entries of an inbox as their readers see them (docs/messages.md, section 4). The seals are made by a second implementation of HPKE. */
import { concatBytes, encodeUtf8, formatBase64url, formatHex } from '../../src/core/encoding/bytes.ts'
import { LABEL_MESSAGE_ENTRY, LABEL_MESSAGE_RECEIPT } from '../../src/core/labels.ts'
import type { CryptoEngine } from '../../src/crypto/engine.ts'
import { portableEngine } from '../../src/crypto/portable.ts'
import { openEntry } from '../../src/message/entry.ts'
import type { MessageKind } from '../../src/message/header.ts'
import { verifyReceipt } from '../../src/message/receipt.ts'
import { APP, cardKeyPair } from '../support/cards.ts'
import {
  ALICE,
  ALICE_LAPTOP,
  ALICE_PHONE,
  BOB,
  BOB_LAPTOP,
  BOB_PHONE,
  CAROL,
  CAROL_PHONE,
  ID,
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
import { hpke, makeObject, sha, signedBy } from './unchecked-objects.ts'

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

const OBJECT_HASH = portableEngine.sha256(makeObject())

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
