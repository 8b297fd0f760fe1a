import { describe, expect, it } from 'vitest'
import { sealForContacts } from '../../../../src/core/announce/item.ts'
import { bestBlob, judgeItem, type ChainPlace, type ItemVerdict } from '../../../../src/core/announce/judge.ts'
import { FORWARD_SEQ, itemSeq, TABLE_SEQ_END } from '../../../../src/core/announce/place.ts'
import { bencodeValue, type SignedValue } from '../../../../src/core/announce/signed-value.ts'
import { walkForwards, type WalkResult } from '../../../../src/core/announce/walk.ts'
import { equalBytes, formatHex } from '../../../../src/core/encoding/bytes.ts'
import { MAX_EPOCH } from '../../../../src/core/limits.ts'
import type { VerifiedBlob } from '../../../../src/core/verify.ts'
import {
  ada,
  announcedBlob,
  forwardsTo,
  itemsOf,
  placeOf,
  READ,
  resigned,
  strangerAt,
} from '../../../support/announced.ts'
import { ENGINES, makeDeviceKey, makePersona, NOW_SEC, sodium } from '../../../support/made-persona.ts'

const TABLE = announcedBlob(ada, { seq: 7 })
const [ITEM] = itemsOf(ada, TABLE).items as [SignedValue]
const NEWER = announcedBlob(ada, { epoch: 1, seq: 3, devices: [0] })
const [FORWARD] = forwardsTo(ada, NEWER, 0).items as [SignedValue]
const PUBLIC = itemsOf(ada, TABLE, { kind: 'public' }).items[1]!
const GARBAGE = bencodeValue(new Uint8Array(400).fill(1, 0, 1))

function judge(signed: SignedValue, place: ChainPlace = placeOf(ada), deviceKeys: Uint8Array[] = []): ItemVerdict {
  const verdicts = ENGINES.map((engine) => judgeItem(signed, place, { engine, deviceKeys }))
  expect(verdicts[0]).toEqual(verdicts[1])
  return verdicts[0]!
}

/** The verdict in a word, with "thief" if the item proves one. */
function inShort(verdict: ItemVerdict): string {
  return `${verdict.verdict === 'refused' ? verdict.code : verdict.verdict}${verdict.provesTheft ? ', thief' : ''}`
}

describe('an item of the owner', () => {
  it('brings its verified blob, and proves nothing', () => {
    for (const signed of [ITEM, FORWARD]) expect(inShort(judge(signed))).toBe('blob')
    expect(judge(ITEM)).toMatchObject({ blob: { tableHash: TABLE.tableHash } })
    expect(judge(FORWARD)).toMatchObject({ blob: { tableHash: NEWER.tableHash, epoch: 1 } })
    expect(inShort(judge(PUBLIC, strangerAt(ada)))).toBe('blob')
  })

  it('of the kind devices is read by who knows a device key, and by no other stranger', () => {
    const [, open] = itemsOf(ada, TABLE, { kind: 'devices' }).items as [SignedValue, SignedValue]
    expect(inShort(judge(open, strangerAt(ada), [makeDeviceKey(1)]))).toBe('blob')
    expect(inShort(judge(open, strangerAt(ada), [makeDeviceKey(2)]))).toBe('ITEM_CLOSED')
  })

  it('is refused with another signature, at another place, or by another key', () => {
    const signature = ITEM.signature.map((byte, i) => (i === 5 ? byte ^ 1 : byte))
    const refused = [
      [{ ...ITEM, signature }, 'ITEM_SIGNATURE'],
      [{ ...ITEM, seq: ITEM.seq + 1n }, 'ITEM_SIGNATURE'],
      [{ ...ITEM, salt: ITEM.salt.map((byte) => byte ^ 1) }, 'ITEM_OTHER_PLACE'],
      [itemsOf(ada, NEWER).items[0]!, 'ITEM_OTHER_PLACE'],
      [itemsOf(makePersona(2), announcedBlob(makePersona(2))).items[0]!, 'ITEM_OTHER_PLACE'],
      [itemsOf(ada, TABLE, { read: null }).items[0]!, 'ITEM_OTHER_PLACE'],
    ] as const
    for (const [signed, expected] of refused) expect(inShort(judge(signed))).toBe(expected)
    expect(refused.length).toBe(6)
  })

  it('is refused when its blob is damaged or of another persona', () => {
    const bob = makePersona(2)
    const bad = resigned(ada, 0, PUBLIC, { bencoded: bencodeValue(Uint8Array.of(1, 4, ...TABLE.bytes.with(200, 1))) })
    expect(inShort(judge(bad))).toBe('SIGNATURE_BAD')
    const other = resigned(ada, 0, PUBLIC, { bencoded: bencodeValue(Uint8Array.of(1, 4, ...announcedBlob(bob).bytes)) })
    expect(inShort(judge(other))).toBe('ITEM_OTHER_PERSONA')
  })
})

describe('an item of a thief', () => {
  const over = (seq: bigint, changed: Partial<SignedValue> = {}): SignedValue =>
    resigned(ada, 0, ITEM, { seq, ...changed })

  it('is a proof when its seq is neither that of its blob nor that of a forward to a higher epoch', () => {
    const own = itemSeq(TABLE)!
    const cases = [
      [over(own), 'blob'],
      [over(own + 1n), 'blob, thief'],
      [over(own - 1n), 'blob, thief'],
      [over(FORWARD_SEQ), 'blob, thief'],
      [resigned(ada, 0, FORWARD, { seq: FORWARD_SEQ - 1n }), 'blob, thief'],
      [resigned(ada, 0, FORWARD, { seq: itemSeq(NEWER)! }), 'blob'],
      [FORWARD, 'blob'],
      [resigned(ada, 0, PUBLIC, { seq: FORWARD_SEQ }), 'blob, thief'],
    ] as const
    for (const [signed, expected] of cases) expect(inShort(judge(signed)), `${signed.seq}`).toBe(expected)
    expect(cases.length).toBe(8)
  })

  it('is a proof when it does not open and its seq is 2^53 or more, at the secret place only', () => {
    const cases = [
      [over(TABLE_SEQ_END - 1n, { bencoded: GARBAGE }), 'ITEM_CLOSED'],
      [over(TABLE_SEQ_END, { bencoded: GARBAGE }), 'ITEM_CLOSED, thief'],
      [over(FORWARD_SEQ, { bencoded: bencodeValue(Uint8Array.of(2)) }), 'ITEM_VERSION, thief'],
      [
        over(FORWARD_SEQ, { bencoded: Uint8Array.from('le', (letter) => letter.charCodeAt(0)) }),
        'ITEM_NOT_BYTES, thief',
      ],
      [resigned(ada, 0, PUBLIC, { seq: FORWARD_SEQ, bencoded: GARBAGE }), 'ITEM_FLAGS'],
    ] as const
    for (const [signed, expected] of cases) expect(inShort(judge(signed))).toBe(expected)
    expect(cases.length).toBe(5)
  })

  it('is a proof when it opens to no blob of the persona', () => {
    const bob = makePersona(2)
    const sealed = itemsOf(ada, { ...TABLE, bytes: announcedBlob(bob).bytes }).items[0]!
    expect(inShort(judge(resigned(ada, 0, sealed, { seq: FORWARD_SEQ })))).toBe('ITEM_OTHER_PERSONA, thief')
    expect(inShort(judge(sealed))).toBe('ITEM_OTHER_PERSONA')
  })

  it('is no proof unless the key of the persona signed it', () => {
    expect(inShort(judge({ ...over(FORWARD_SEQ), signature: new Uint8Array(64) }))).toBe('ITEM_SIGNATURE')
  })

  it('with another chain brings that blob as a violation', () => {
    const chain = { next: new Uint8Array(32).fill(9) }
    const other = announcedBlob(ada, { chain })
    const signed = itemsOf(ada, { ...other, root: placeOf(ada).root! }).items[0]!
    expect(inShort(judge(signed))).toBe('otherChain')
    expect(judge(signed)).toMatchObject({ blob: { root: chain.next } })
  })
})

/** The value of an item at a place of this epoch, with any blob in it. */
function sealedAt(epoch: number, blob: VerifiedBlob): Uint8Array {
  const { signingKey } = ada.positions[epoch]!
  const value = sealForContacts(
    { blob: blob.bytes, isForward: false, signingKey, readingKey: placeOf(ada).readingKey! },
    sodium,
  )
  return bencodeValue(value)
}

/** Values by place, as nodes hold them. */
class Dht {
  readonly lookedUp: string[] = []
  readonly #values = new Map<string, SignedValue[]>()

  put(...values: readonly SignedValue[]): this {
    for (const value of values) {
      const at = placeName(value)
      this.#values.set(at, [...(this.#values.get(at) ?? []), value])
    }
    return this
  }

  async walk(start: ChainPlace, deviceKeys: Uint8Array[] = []): Promise<WalkResult> {
    const lookUp = async (place: Pick<SignedValue, 'publicKey' | 'salt'>): Promise<readonly SignedValue[]> => {
      this.lookedUp.push(placeName(place))
      return this.#values.get(placeName(place)) ?? []
    }
    return await walkForwards(start, lookUp, { engine: sodium, deviceKeys }, NOW_SEC)
  }
}

function placeName({ publicKey, salt }: Pick<SignedValue, 'publicKey' | 'salt'>): string {
  return `${formatHex(publicKey)} ${formatHex(salt)}`
}

describe('a reader who knows an older epoch', () => {
  it('walks from forward to forward, over skipped epochs, to the newest table', async () => {
    const tables = [1, 2, 5].map((epoch) => announcedBlob(ada, { epoch, seq: 2 }))
    const dht = new Dht().put(ITEM)
    let from = 0
    for (const table of tables) {
      dht.put(...forwardsTo(ada, table, from).items)
      from = table.epoch
    }
    const last = announcedBlob(ada, { epoch: 5, seq: 3 })
    const result = await dht.put(...itemsOf(ada, last).items).walk(placeOf(ada))
    expect(result.best?.tableHash).toEqual(last.tableHash)
    expect([result.place.epoch, result.lookedUp]).toEqual([5, 4])
    expect(result.items.filter(({ verdict }) => verdict.provesTheft)).toEqual([])
  })

  it('walks all sixteen steps of a chain', async () => {
    const dht = new Dht()
    for (let epoch = 1; epoch <= MAX_EPOCH; epoch++)
      dht.put(...forwardsTo(ada, announcedBlob(ada, { epoch }), epoch - 1).items)
    expect(await dht.walk(placeOf(ada))).toMatchObject({ best: { epoch: MAX_EPOCH }, lookedUp: MAX_EPOCH + 1 })
  })

  it('takes the best blob of all values, whatever their seq', async () => {
    const newest = announcedBlob(ada, { seq: 9 })
    const older = resigned(ada, 0, ITEM, { seq: FORWARD_SEQ })
    const { best, items } = await new Dht().put(older, ...itemsOf(ada, newest).items).walk(placeOf(ada))
    expect(best?.tableHash).toEqual(newest.tableHash)
    expect(items.map(({ verdict }) => verdict.provesTheft)).toEqual([true, false])
    expect(bestBlob([], NOW_SEC)).toBeNull()
  })

  it('goes on by a forward beside the item of a thief', async () => {
    const jam = resigned(ada, 0, ITEM, { seq: FORWARD_SEQ, bencoded: GARBAGE })
    const { best } = await new Dht().put(jam, FORWARD, ...itemsOf(ada, NEWER).items).walk(placeOf(ada))
    expect(best?.epoch).toBe(1)
  })

  it('without the right `read` finds nothing: a former friend after a reread, or a stranger with the PersonaID', async () => {
    const dht = new Dht().put(ITEM, FORWARD)
    for (const place of [
      placeOf(
        ada,
        0,
        READ.map((byte) => byte ^ 1),
      ),
      placeOf(ada, 0, null),
      strangerAt(ada),
    ]) {
      expect(await dht.walk(place)).toMatchObject({ best: null, items: [], lookedUp: 1 })
    }
    expect(new Set(dht.lookedUp).size).toBe(3)
  })

  it('who is a stranger follows public items from the PersonaID alone', async () => {
    const dht = new Dht().put(...forwardsTo(ada, NEWER, 0, { kind: 'public' }).items)
    const latest = announcedBlob(ada, { epoch: 1, seq: 4 })
    const result = await dht.put(...itemsOf(ada, latest, { kind: 'public' }).items).walk(strangerAt(ada))
    expect(result.best?.tableHash).toEqual(latest.tableHash)
  })

  it('follows the `read` of each table on the way', async () => {
    const other = READ.map((byte) => byte ^ 0xff)
    const table = announcedBlob(ada, { epoch: 1, document: 'note: without read' })
    const dht = new Dht().put(...forwardsTo(ada, table, 0).items)
    const latest = announcedBlob(ada, { epoch: 1, seq: 2 })
    dht.put(...itemsOf(ada, latest, { read: null }).items, ...itemsOf(ada, latest, { read: other }).items)
    const { best } = await dht.walk(placeOf(ada))
    expect(best?.seq).toBe(2)
  })

  it('stays at its epoch when the best table that it finds is of an earlier one', async () => {
    const seen = placeOf(ada, 1)
    const old = resigned(ada, 1, itemsOf(ada, NEWER).items[0]!, { seq: 5n, bencoded: sealedAt(1, TABLE) })
    const result = await new Dht().put(old).walk(seen)
    expect([result.best?.epoch, result.place, result.lookedUp]).toEqual([0, seen, 1])
  })

  it('takes no blob of another chain, and hands it on as a violation', async () => {
    const thief = announcedBlob(ada, { seq: 60, chain: { next: new Uint8Array(32).fill(9) } })
    const jam = itemsOf(ada, { ...thief, root: placeOf(ada).root! }).items
    const { best, items } = await new Dht().put(...jam, ITEM).walk(placeOf(ada))
    expect(best?.tableHash).toEqual(TABLE.tableHash)
    expect(items.map(({ verdict }) => verdict.verdict)).toEqual(['otherChain', 'blob'])
    expect(items.every(({ place }) => equalBytes(place.signingKey, ada.positions[0]!.signingKey))).toBe(true)
  })
})
