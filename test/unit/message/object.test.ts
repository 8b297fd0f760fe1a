/** Objects of messages (docs/messages.md, sections 3 and 5). The vectors have each refusal; here are sizes, memory, and attacks of senders. */
import { describe, expect, it } from 'vitest'
import { BOX_BYTES, CHUNK_BYTES, openBoxAt } from '../../../src/core/stream/box-stream.ts'
import { concatBytes, encodeUtf8 } from '../../../src/core/encoding/bytes.ts'
import { formatHeader, MAX_KEYS } from '../../../src/message/header.ts'
import { headBytes, MAX_OBJECT_BYTES, sealHead } from '../../../src/message/object-head.ts'
import { openObject } from '../../../src/message/open-object.ts'
import { sealObject } from '../../../src/message/seal-object.ts'
import { codeOf } from '../../support/code-of.ts'
import { APP, cardKeyPair } from '../../support/cards.ts'
import { ENGINES, makeDeviceKey, sodium } from '../../support/made-persona.ts'
import {
  ALICE,
  ALICE_LAPTOP,
  ALICE_PHONE,
  BOB,
  BOB_LAPTOP,
  BOB_PHONE,
  encKey,
  encPair,
  expectedBy,
  ID,
  inPieces,
  opened,
  OUTGOING,
  sealed,
} from '../../support/messages.ts'
import { makeTwoKeyBox } from '../../support/two-key-box.ts'

const CONTENT = encodeUtf8('The key lies under the mat.')
const KEYS = [...OUTGOING.toKeys, ...OUTGOING.ownKeys]
const { toKeys: _, ownKeys: _o, ...FACTS } = OUTGOING
/** Bytes of the text before the content. */
const BEFORE_BYTES = 2 + formatHeader({ ...FACTS, keys: KEYS }).length + 64
const filled = (length: number): Uint8Array => Uint8Array.from({ length }, (_each, i) => (i * 7) % 251)

describe('an object', () => {
  it('opens at every length near the box size, on both engines', async () => {
    let ran = 0
    for (const textBytes of [BEFORE_BYTES, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 2 * CHUNK_BYTES]) {
      const content = filled(textBytes - BEFORE_BYTES)
      const { parts, object } = await sealed(content)
      const bytes = concatBytes(...parts)
      expect(bytes.length).toBe(headBytes(3) + textBytes + 16 * Math.ceil(textBytes / CHUNK_BYTES))
      expect([object.lengthBytes, object.hash]).toEqual([bytes.length, sodium.sha256(bytes)])
      for (const engine of ENGINES) {
        const read = await opened(bytes, await expectedBy(object.hash), engine)
        expect(read).toEqual({ header: { ...FACTS, keys: KEYS }, content })
        ran++
      }
    }
    expect(ran).toBe(10)
  })

  it('gives each device to which it is sealed the same text, and no other device any', async () => {
    const { parts, object } = await sealed(CONTENT)
    const read = async (device: number, reader: Uint8Array): Promise<Uint8Array> => {
      const facts = { pairs: [await encPair(device)], route: { from: ALICE, reader, app: APP } }
      return (await opened(concatBytes(...parts), await expectedBy(object.hash, facts))).content
    }
    expect(await read(BOB_PHONE, BOB)).toEqual(CONTENT)
    expect(await read(BOB_LAPTOP, BOB)).toEqual(CONTENT)
    expect(await read(ALICE_LAPTOP, ALICE)).toEqual(CONTENT)
    expect(await codeOf(read(ALICE_PHONE, ALICE))).toBe('NOT_SEALED_TO_ME')
    expect(await codeOf(read(ALICE_LAPTOP, BOB))).toBe('NOT_SEALED_TO_ME')
  })

  it('has another content key each time', async () => {
    const [a, b] = [await sealed(CONTENT), await sealed(CONTENT)]
    expect(a.parts[0]!.slice(1, 33)).not.toEqual(b.parts[0]!.slice(1, 33))
  })

  it('is sealed to 1 to 255 keys, and to none of them twice', async () => {
    const keys = (count: number): Uint8Array[] => Array.from({ length: count }, (_each, i) => makeDeviceKey(1000 + i))
    const { parts, object } = await sealed(CONTENT, { toKeys: [...keys(MAX_KEYS - 1), encKey(BOB_PHONE)], ownKeys: [] })
    const read = await opened(concatBytes(...parts), await expectedBy(object.hash))
    expect([read.header.keys.length, read.content]).toEqual([MAX_KEYS, CONTENT])
    expect(await codeOf(sealed(CONTENT, { toKeys: keys(MAX_KEYS + 1), ownKeys: [] }))).toBe('MALFORMED')
    expect(await codeOf(sealed(CONTENT, { toKeys: [], ownKeys: [] }))).toBe('MALFORMED')
    expect(await codeOf(sealed(CONTENT, { ownKeys: OUTGOING.toKeys }))).toBe('DUPLICATE_KEYS')
  })

  it('has at most 20 MiB, or nothing of it is made', async () => {
    const boxes = Math.ceil((MAX_OBJECT_BYTES - headBytes(3)) / BOX_BYTES)
    const most = MAX_OBJECT_BYTES - headBytes(3) - 16 * boxes - BEFORE_BYTES
    const { parts, object } = await sealed(new Uint8Array(most))
    expect(object.lengthBytes).toBe(MAX_OBJECT_BYTES)
    const expected = await expectedBy(object.hash)
    expect((await openObject(each(parts), expected, () => undefined, sodium)).id).toEqual(ID)
    const given: Uint8Array[] = []
    const over = sealObject(
      OUTGOING,
      () => inPieces(new Uint8Array(most + 1), 1 << 20),
      (part) => void given.push(part),
      { engine: sodium, sign: (message) => sodium.sign(message, cardKeyPair(ALICE_PHONE).secretKey) },
    )
    expect(await codeOf(over)).toBe('TOO_LARGE')
    expect(given).toEqual([])
  })

  it('is read no further than to 20 MiB', async () => {
    const { parts, object } = await sealed(new Uint8Array(MAX_OBJECT_BYTES - 10_000))
    const expected = await expectedBy(object.hash)
    const endless = each([...parts, new Uint8Array(20_000), new Uint8Array(1)])
    expect(await codeOf(openObject(endless, expected, () => undefined, sodium))).toBe('TOO_LARGE')
  })
})

async function* each(parts: readonly Uint8Array[]): AsyncGenerator<Uint8Array, void, undefined> {
  for (const part of parts) yield await Promise.resolve(part)
}

describe('memory', () => {
  const PIECE_BYTES = 10_000
  const ROOM_BYTES = 2 * BOX_BYTES + PIECE_BYTES
  const content = new Uint8Array(40 * CHUNK_BYTES)

  it('holds two boxes at most while an object is sealed', async () => {
    let [passes, read, given, most] = [0, 0, 0, 0]
    const counted = async function* (): AsyncGenerator<Uint8Array, void, undefined> {
      passes++
      read = 0
      for await (const piece of inPieces(content, PIECE_BYTES)) {
        read += piece.length
        // The first pass is for the hash, and gives nothing.
        if (passes === 2) most = Math.max(most, read - given)
        yield piece
      }
    }
    const give = (part: Uint8Array): void => void (given += part.length)
    await sealObject(OUTGOING, counted, give, {
      engine: sodium,
      sign: (message) => sodium.sign(message, cardKeyPair(ALICE_PHONE).secretKey),
    })
    expect(given).toBeGreaterThan(content.length)
    expect(most).toBeLessThan(ROOM_BYTES)
  })

  it('holds two boxes at most while an object is opened', async () => {
    const { parts, object } = await sealed(content)
    let [read, taken, most] = [0, 0, 0]
    const counted = async function* (): AsyncGenerator<Uint8Array, void, undefined> {
      for await (const piece of inPieces(concatBytes(...parts), PIECE_BYTES)) {
        read += piece.length
        most = Math.max(most, read - taken)
        yield piece
      }
    }
    const take = (part: Uint8Array): void => void (taken += part.length)
    await openObject(counted(), await expectedBy(object.hash), take, sodium)
    expect(taken).toBe(content.length)
    expect(most).toBeLessThan(ROOM_BYTES + 40 * 16)
  })
})

describe('a sender who wants two devices to read two texts', () => {
  it('can make a box that opens under two keys, and an object commits to one of them', async () => {
    const keys = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)] as const
    // The nonce of box 0, the last one.
    const nonce = new Uint8Array(24).fill(1, 23)
    const box = makeTwoKeyBox(keys, nonce, encodeUtf8('{"text":"bread"}'))
    const [first, second] = keys.map((key) => openBoxAt(0, box, true, key, sodium)) as Uint8Array[]
    expect(new TextDecoder().decode(first!.slice(0, 16))).toBe('{"text":"bread"}')
    expect(second).toBeInstanceOf(Uint8Array)
    expect(second).not.toEqual(first)

    const route = { from: ALICE, reader: BOB, app: APP }
    const readers = (device: number) => [{ route, keys: [encKey(device)] }]
    const honest = await sealHead(keys[0], ID, readers(BOB_PHONE), sodium)
    const other = await sealHead(keys[1], ID, readers(BOB_LAPTOP), sodium)
    const seals = concatBytes(honest.subarray(headBytes(0)), other.subarray(headBytes(0)))
    const object = concatBytes(honest.subarray(0, 33), Uint8Array.of(2), seals, box)
    const codes: string[] = []
    for (const device of [BOB_PHONE, BOB_LAPTOP]) {
      const expected = await expectedBy(sodium.sha256(object), { pairs: [await encPair(device)] })
      codes.push(await codeOf(opened(object, expected)))
    }
    // The phone opens the box, whose text is no message. The laptop opens nothing.
    expect(codes).toEqual(['MALFORMED', 'WRONG_KEY'])
  })
})
