/** Objects and seals as a sender without checks would make them, by a second implementation of HPKE (docs/messages.md, sections 2 and 3). */
import { concatBytes, encodeUtf8, formatBase64url, formatHex } from '../../src/core/encoding/bytes.ts'
import { formatCanonicalJson, type JsonObject } from '../../src/core/encoding/canonical-json.ts'
import { LABEL_CEK, LABEL_MESSAGE_OBJECT, LABEL_MESSAGE_SIG } from '../../src/core/labels.ts'
import { CHUNK_BYTES, sealBoxAt } from '../../src/core/stream/box-stream.ts'
import { portableEngine } from '../../src/crypto/portable.ts'
import { APP, cardKeyPair } from '../support/cards.ts'
import { ORACLE_SUITES, oracleSeal } from '../support/hpke-oracle.ts'
import { NOW_SEC } from '../support/made-persona.ts'
import { ALICE, ALICE_LAPTOP, ALICE_PHONE, BOB, BOB_LAPTOP, BOB_PHONE, encKey, ID } from '../support/messages.ts'

export const sha = (text: string): Uint8Array => portableEngine.sha256(encodeUtf8(text))

const CONTENT_KEY = sha('content key')
export const CONTENT: Uint8Array = encodeUtf8('The key lies under the mat.')

/** To which key a seal of an object is, and of which persona that key is. */
export interface SealWish {
  readonly device: number
  readonly reader: Uint8Array
  readonly contentKey?: Uint8Array
}

export const SEALS: readonly SealWish[] = [
  { device: BOB_PHONE, reader: BOB },
  { device: BOB_LAPTOP, reader: BOB },
  { device: ALICE_LAPTOP, reader: ALICE },
]

/** How an object differs from the plain one. */
export interface ObjectWishes {
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

export function membersOf(wishes: JsonObject): JsonObject {
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

export function hpke(info: Uint8Array, device: number, aad: Uint8Array, text: Uint8Array): Uint8Array {
  const context = oracleSeal(ORACLE_SUITES.x25519, sha(`one-time ${device}`), encKey(device), info)
  return concatBytes(context.enc, context.seal(0, aad, text))
}

export function signedBy(device: number, ...parts: readonly Uint8Array[]): Uint8Array {
  return portableEngine.sign(concatBytes(...parts), cardKeyPair(device).secretKey)
}

/** Makes an object as a sender without checks would make it. */
export function makeObject(wishes: ObjectWishes = {}): Uint8Array {
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
