/** Messages under random content and random damage. */
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { concatBytes } from '../../../src/core/encoding/bytes.ts'
import { openEntry, sealEntry, type Entry } from '../../../src/message/entry.ts'
import { MessageError } from '../../../src/message/errors.ts'
import { formatHeader, parseHeader, type Header } from '../../../src/message/header.ts'
import { makeReceipt, verifyReceipt } from '../../../src/message/receipt.ts'
import { APP, cardKeyPair } from '../../support/cards.ts'
import { codeOf } from '../../support/code-of.ts'
import { codeThrownBy } from '../../support/failing.ts'
import { makeDeviceKey, makePersona, sodium } from '../../support/made-persona.ts'
import {
  ALICE,
  ALICE_PHONE,
  BOB,
  BOB_PHONE,
  encKey,
  encPair,
  expectedBy,
  ID,
  opened,
  sealed,
} from '../../support/messages.ts'

const FLIPS = Number(process.env['FLIPS'] ?? 300) // `npm run test:slow` asks for more than there are bits
const FLIPS_MS = 60_000 + 30 * FLIPS // each opens up to three seals
const PEOPLE = [1, 2, 3].map((number) => makePersona(number).positions[0]!.personaId)
const bytes = (length: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ minLength: length, maxLength: length })

const headers: fc.Arbitrary<Header> = fc.record({
  id: bytes(32),
  kind: fc.constantFrom('message' as const, 'invite' as const),
  count: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
  from: fc.constantFrom(...PEOPLE),
  device: bytes(32),
  to: fc.constantFrom(...PEOPLE),
  app: fc.constantFrom('chat', APP, 'a'.repeat(63)),
  keys: fc
    .uniqueArray(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 255 })
    .map((n) => n.map(makeDeviceKey)),
  issuedAtSec: fc.nat(),
})

test('a header is read as it was written', () => {
  fc.assert(
    fc.property(headers, (header) => {
      const text = formatHeader(header)
      expect(parseHeader(text)).toEqual(header)
      expect(formatHeader(parseHeader(text))).toEqual(text)
    }),
  )
})

test('a header with one changed byte is refused, or is another header with the same form', () => {
  fc.assert(
    fc.property(headers, fc.nat(), fc.integer({ min: 1, max: 255 }), (header, at, change) => {
      const text = formatHeader(header)
      const place = at % text.length
      const changed = text.with(place, text[place]! ^ change)
      try {
        expect(formatHeader(parseHeader(changed))).toEqual(changed)
      } catch (error) {
        expect(error).toBeInstanceOf(MessageError)
      }
    }),
  )
})

test('however an object is cut into pieces, the same comes out', async () => {
  const content = Uint8Array.from({ length: 60_000 }, (_, i) => i % 253)
  const { parts, object } = await sealed(content)
  const expected = await expectedBy(object.hash)
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 500, max: 70_000 }), async (pieceBytes) => {
      expect((await opened(concatBytes(...parts), expected, sodium, pieceBytes)).content).toEqual(content)
    }),
    { numRuns: 10 },
  )
})

const flipped = (whole: Uint8Array, bit: number): Uint8Array =>
  whole.with(bit >> 3, whole[bit >> 3]! ^ (1 << (bit & 7)))
const bitOf = (whole: Uint8Array): fc.Arbitrary<number> => fc.integer({ min: 0, max: 8 * whole.length - 1 })

test(
  'an object with one flipped bit is refused by its only reader, even if the entry names its hash',
  async () => {
    const { parts } = await sealed(Uint8Array.of(1, 2, 3), { toKeys: [encKey(BOB_PHONE)], ownKeys: [] })
    const whole = concatBytes(...parts)
    const expected = await expectedBy(sodium.sha256(whole))
    await fc.assert(
      fc.asyncProperty(bitOf(whole), async (bit) => {
        const object = flipped(whole, bit)
        const entry = { ...expected.entry, hash: sodium.sha256(object) }
        await expect(opened(object, { ...expected, entry })).rejects.toThrow(MessageError)
      }),
      { numRuns: FLIPS },
    )
  },
  FLIPS_MS,
)

test(
  'an object with one flipped bit is refused by each of its readers',
  async () => {
    const { parts, object } = await sealed(Uint8Array.of(1, 2, 3))
    const whole = concatBytes(...parts)
    const expected = await expectedBy(object.hash)
    await fc.assert(
      fc.asyncProperty(bitOf(whole), async (bit) => {
        await expect(opened(flipped(whole, bit), expected)).rejects.toThrow(MessageError)
      }),
      { numRuns: FLIPS },
    )
  },
  FLIPS_MS,
)

test(
  'an entry with one flipped bit is refused by its only reader',
  async () => {
    const route = { from: ALICE, reader: BOB, app: APP }
    const pairs = [await encPair(BOB_PHONE)]
    const entry: Entry = { kind: 'message', id: ID, store: 0, hash: new Uint8Array(32) }
    const whole = await sealEntry(entry, route, [encKey(BOB_PHONE)])
    expect(await openEntry(whole, route, pairs)).toEqual(entry)
    await fc.assert(
      fc.asyncProperty(bitOf(whole), async (bit) => {
        expect(await codeOf(openEntry(flipped(whole, bit), route, pairs))).toBe('NOT_SEALED_TO_ME')
      }),
      { numRuns: FLIPS },
    )
  },
  FLIPS_MS,
)

test('a receipt with one flipped bit is refused', () => {
  const hash = new Uint8Array(32).fill(8)
  const { publicKey, secretKey } = cardKeyPair(ALICE_PHONE)
  const receipt = makeReceipt(ID, hash, (message) => sodium.sign(message, secretKey))
  fc.assert(
    fc.property(bitOf(receipt.signature), (bit) => {
      const changed = { ...receipt, signature: flipped(receipt.signature, bit) }
      expect(codeThrownBy(() => verifyReceipt(changed, hash, [publicKey], sodium))).toBe('WRONG_RECEIPT')
    }),
    { numRuns: 8 * receipt.signature.length },
  )
})
