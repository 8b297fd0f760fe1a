/** Messages of made personas: Alice writes to Bob. They derive from small numbers, so they are the same at every run. */
import { concatBytes, encodeUtf8 } from '../../src/core/encoding/bytes.ts'
import { portableEngine } from '../../src/crypto/portable.ts'
import type { MessageEntry } from '../../src/message/entry.ts'
import type { Header } from '../../src/message/header.ts'
import { openObject, type Expected } from '../../src/message/open-object.ts'
import type { MessageEngine } from '../../src/message/object-head.ts'
import { sealObject, type Outgoing, type SealedObject } from '../../src/message/seal-object.ts'
import { importBoxKeyPair, type BoxKeyPair } from '../../src/seal/key-pair.ts'
import { APP, cardKeyPair, makeEntry } from './cards.ts'
import { makePersona, NOW_SEC, sodium } from './made-persona.ts'

const personaId = (number: number): Uint8Array => makePersona(number).positions[0]!.personaId
export const ALICE: Uint8Array = personaId(1)
export const BOB: Uint8Array = personaId(2)
export const CAROL: Uint8Array = personaId(3)
/** Made devices: the key `sig` is that of cardKeyPair, `enc` that of makeEntry. */
export const ALICE_PHONE = 1
export const ALICE_LAPTOP = 2
export const BOB_PHONE = 3
export const BOB_LAPTOP = 4
export const CAROL_PHONE = 5

/** The secret of the key `enc` of a made device. */
export function encSecret(device: number): Uint8Array {
  return portableEngine.sha512(encodeUtf8(`device ${100 + device}`)).slice(0, 32)
}

export function encKey(device: number): Uint8Array {
  return makeEntry(device).enc
}

export async function encPair(device: number): Promise<BoxKeyPair> {
  return await importBoxKeyPair('x25519', encSecret(device))
}

export const ID: Uint8Array = new Uint8Array(32).fill(9)

/** A message of Alice's phone to Bob's two devices and her own laptop. */
export const OUTGOING: Outgoing = {
  id: ID,
  kind: 'message',
  count: 1,
  from: ALICE,
  device: cardKeyPair(ALICE_PHONE).publicKey,
  to: BOB,
  app: APP,
  issuedAtSec: NOW_SEC,
  toKeys: [encKey(BOB_PHONE), encKey(BOB_LAPTOP)],
  ownKeys: [encKey(ALICE_LAPTOP)],
}

/** Pieces of bytes, one after another. */
export async function* inPieces(bytes: Uint8Array, pieceBytes: number): AsyncGenerator<Uint8Array, void, undefined> {
  for (let at = 0; at < bytes.length; at += pieceBytes) yield await Promise.resolve(bytes.subarray(at, at + pieceBytes))
}

/** Seals a content with the code under test. */
export async function sealed(
  content: Uint8Array,
  wishes: Partial<Outgoing> = {},
  signer: number = ALICE_PHONE,
): Promise<{ readonly parts: readonly Uint8Array[]; readonly object: SealedObject }> {
  const parts: Uint8Array[] = []
  const { secretKey } = cardKeyPair(signer)
  const object = await sealObject(
    { ...OUTGOING, ...wishes },
    () => inPieces(content, 10_000),
    (part) => void parts.push(part),
    { engine: sodium, sign: (message) => sodium.sign(message, secretKey) },
  )
  return { parts, object }
}

/** The facts of Bob's phone. */
export async function expectedBy(
  hash: Uint8Array,
  wishes: Partial<Expected> & { readonly entry?: MessageEntry } = {},
): Promise<Expected> {
  return {
    entry: { kind: 'message', id: ID, store: 0, hash },
    route: { from: ALICE, reader: BOB, app: APP },
    devices: [ALICE_PHONE, ALICE_LAPTOP].map((device) => cardKeyPair(device).publicKey),
    pairs: [await encPair(BOB_PHONE)],
    ...wishes,
  }
}

/** Opens an object with the code under test. */
export async function opened(
  object: Uint8Array,
  expected: Expected,
  engine: MessageEngine = sodium,
  pieceBytes = 10_000,
): Promise<{ readonly header: Header; readonly content: Uint8Array }> {
  const parts: Uint8Array[] = []
  const header = await openObject(
    inPieces(object, pieceBytes),
    expected,
    (part) => void parts.push(part.slice()),
    engine,
  )
  return { header, content: concatBytes(...parts) }
}
