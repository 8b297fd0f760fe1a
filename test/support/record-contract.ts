/** The promises of every engine of records: what a carrier may count on, whatever network lies below. */
import { expect, it, onTestFinished } from 'vitest'
import { encodeUtf8 } from '../../src/core/encoding/bytes.ts'
import { RecordError } from '../../src/record/errors.ts'
import type { RecordEngine, SlotRecord, SlotValue } from '../../src/record/record-engine.ts'
import { codeOf } from './code-of.ts'
import { seedOf } from './person.ts'
import type { RecordNetwork, RecordSubject } from './record-networks.ts'

const SLOTS = 4
const text = (words: string): Uint8Array => encodeUtf8(words)
/** A real network keeps the records of an earlier run. */
const RUN = crypto.randomUUID()
let made = 0

/** Declares the tests of the contract. */
export function holdRecordContract(subject: RecordSubject): void {
  const mischievous = it.skipIf(!subject.hasMischief)

  interface World {
    readonly network: RecordNetwork
    readonly mine: RecordEngine
    readonly theirs: RecordEngine
    readonly seed: Uint8Array
    readonly record: SlotRecord
    /** The reader's, opened without the key. */
    readonly read: SlotRecord
  }

  async function world(): Promise<World> {
    const network = await subject.make()
    const [mine, theirs] = [await network.start(), await network.start()]
    const seed = seedOf(`writer ${++made} of ${RUN}`)
    const record = await mine.create(SLOTS, seed)
    await record.set(0, text('made'))
    return { network, mine, theirs, seed, record, read: await theirs.open(record.address, { writerSeed: null }) }
  }

  it('a new record has empty slots, and every reader gets what its writer put there', async () => {
    const { record, read } = await world()
    expect(record.slots).toBe(SLOTS)
    expect(read.slots).toBe(SLOTS)
    expect(await read.get(3)).toBeNull()
    const value = await record.set(3, text('first'))
    expect(value).toEqual({ seq: 0n, bytes: text('first') })
    expect(await read.get(3)).toEqual(value)
    expect(await record.get(3)).toEqual(value)
    expect(await read.get(2)).toBeNull()
  })

  it('the same key makes the same record again, with what lies there', async () => {
    const { network, mine, record, seed } = await world()
    const again = await (await network.start()).create(SLOTS, seed)
    expect(again.address).toBe(record.address)
    expect((await again.get(0))!.bytes).toEqual(text('made'))
    expect((await mine.create(SLOTS, seedOf(`another of ${RUN}`))).address).not.toBe(record.address)
  })

  it('serves its own addresses alone', async () => {
    const { mine, record } = await world()
    expect(mine.serves(record.address)).toBe(true)
    for (const address of ['', 'veilid:abc', 'dht:abc', 'folder:0123456789abcdef', `${record.address}x`])
      expect(mine.serves(address), address).toBe(false)
  })

  it('each value of a slot has a higher seq, also after its writer started anew', async () => {
    const { network, record, read, seed } = await world()
    await record.set(1, text('a'))
    await record.set(1, text('b'))
    await record.set(1, text('b'))
    await record.close()
    const later = await (await network.start()).open(record.address, { writerSeed: seed })
    expect(await later.set(1, text('c'))).toEqual({ seq: 3n, bytes: text('c') })
    expect(await read.get(1)).toEqual({ seq: 3n, bytes: text('c') })
  })

  it('takes the greatest value and an empty one, and refuses what is larger', async () => {
    const { mine, record, read } = await world()
    const max = mine.limits.maxValueBytes(SLOTS)
    const large = new Uint8Array(max).map((_, i) => i * 7)
    await record.set(0, large)
    expect((await read.get(0))!.bytes).toEqual(large)
    await record.set(0, new Uint8Array())
    expect((await read.get(0))!.bytes).toEqual(new Uint8Array())
    expect(await codeOf(record.set(0, new Uint8Array(max + 1)))).toBe('RECORD_TOO_LARGE')
    expect((await read.get(0))!.seq).toBe(2n)
  })

  it('refuses slots that a record does not have, and records with too many', async () => {
    const { mine, record, seed } = await world()
    for (const slot of [-1, SLOTS, 0.5, NaN]) {
      expect(await codeOf(record.get(slot)), String(slot)).toBe('RECORD_SLOT')
      expect(await codeOf(record.set(slot, text('x'))), String(slot)).toBe('RECORD_SLOT')
    }
    for (const slots of [0, mine.limits.maxSlots + 1, 1.5])
      expect(await codeOf(mine.create(slots, seed)), String(slots)).toBe('RECORD_SLOT')
  })

  it('writes only with the key of the record', async () => {
    const { theirs, record, read } = await world()
    expect(await codeOf(theirs.open(record.address, { writerSeed: seedOf('somebody else') }))).toBe('RECORD_KEY')
    expect(await codeOf(read.set(0, text('x')))).toBe('RECORD_KEY')
    expect(await codeOf(read.refresh(0))).toBe('RECORD_KEY')
    expect((await read.get(0))!.bytes).toEqual(text('made'))
  })

  it('refuses addresses of other engines', async () => {
    const { mine, record } = await world()
    for (const address of ['', 'folder:0123456789abcdef', `${record.address}x`, 'https://relay.example/'])
      expect(await codeOf(mine.open(address, { writerSeed: null })), address).toBe('RECORD_ADDRESS')
  })

  mischievous('never gives a value with a changed bit', async () => {
    const { network, theirs, record, read } = await world()
    await record.set(1, text('signed'))
    await read.get(1)
    await network.mischief!.flip(record.address, 1)
    expect(await codeOf(read.get(1))).toBe(subject.forged)
    const fresh = await theirs.open(record.address, { writerSeed: null })
    expect(await codeOf(fresh.get(1))).toBe(subject.forged)
    if (subject.forged !== 'RECORD_FORGED') return
    expect(await record.set(1, text('put right'))).toEqual({ seq: 1n, bytes: text('put right') })
    expect(await fresh.get(1)).toEqual({ seq: 1n, bytes: text('put right') })
  })

  mischievous('never gives an older value than the one that it gave, also after a start', async () => {
    const { network, theirs, record, read } = await world()
    await record.set(1, text('old'))
    const putBack = await network.mischief!.keep(record.address, 1)
    await record.set(1, text('new'))
    const known = new Map<number, SlotValue>([[1, (await read.get(1))!]])
    await putBack()
    expect(await codeOf(read.get(1))).toBe('RECORD_ROLLED_BACK')
    const later = await theirs.open(record.address, { writerSeed: null, known })
    expect(await codeOf(later.get(1))).toBe('RECORD_ROLLED_BACK')
    expect(await record.set(1, text('newest'))).toEqual({ seq: 2n, bytes: text('newest') })
    expect(await read.get(1)).toEqual({ seq: 2n, bytes: text('newest') })
  })

  mischievous('puts a rolled back value right when its writer refreshes it', async () => {
    const { network, record, read } = await world()
    await record.set(1, text('old'))
    const putBack = await network.mischief!.keep(record.address, 1)
    const value = await record.set(1, text('new'))
    await putBack()
    await record.refresh(1)
    expect(await read.get(1)).toEqual(value)
    await record.refresh(2)
    expect(await read.get(2)).toBeNull()
  })

  it('tells a writer once of each value that a second writer put, and then goes above it', async () => {
    const { theirs, record, read, seed } = await world()
    const second = await theirs.open(record.address, { writerSeed: seed })
    await record.set(1, text('mine'))
    await second.set(1, text('theirs'))
    const refused = await record.set(1, text('mine again')).catch((error: unknown) => error)
    expect(refused).toBeInstanceOf(RecordError)
    expect(refused).toMatchObject({ code: 'RECORD_SECOND_WRITER', passes: false })
    expect((await read.get(1))!.bytes).toEqual(text('theirs'))
    expect(await codeOf(second.get(1))).toBe('done')
    expect(await record.set(1, text('mine again'))).toEqual({ seq: 2n, bytes: text('mine again') })
  })

  mischievous('tells a reader when two values have one seq', async () => {
    const { network, theirs, record, read, seed } = await world()
    const second = await theirs.open(record.address, { writerSeed: seed })
    await record.set(1, text('base'))
    const putBack = await network.mischief!.keep(record.address, 1)
    await record.set(1, text('mine'))
    await read.get(1)
    await putBack()
    await second.set(1, text('theirs'))
    expect(await codeOf(read.get(1))).toBe('RECORD_SECOND_WRITER')
  })

  mischievous('says that a known record has vanished, and its writer brings it back', async () => {
    const { network, theirs, record, read, seed } = await world()
    const known = new Map([[0, (await read.get(0))!]])
    await network.mischief!.lose(record.address)
    const error = await read.get(0).catch((caught: unknown) => caught)
    expect(error).toMatchObject({ code: 'RECORD_VANISHED', passes: true })
    if (subject.tellsUnknown) {
      for (const address of [record.address, network.unknown])
        expect(await codeOf(theirs.open(address, { writerSeed: null }))).toBe('RECORD_VANISHED')
    } else {
      const later = await theirs.open(record.address, { writerSeed: null, known })
      expect(await codeOf(later.get(0))).toBe('RECORD_VANISHED')
    }
    await record.refresh(0)
    expect(await read.get(0)).toEqual({ seq: 0n, bytes: text('made') })
    expect(await record.set(0, text('again'))).toMatchObject({ seq: 1n })
    expect(seed.length).toBe(32)
  })

  mischievous('says that the network is away, and goes on afterwards', async () => {
    const { network, record, read } = await world()
    const comeBack = network.mischief!.takeAway()
    const error = await read.get(0).catch((caught: unknown) => caught)
    expect(error).toMatchObject({ code: 'RECORD_AWAY', passes: true })
    expect(await codeOf(record.set(0, text('x')))).toBe('RECORD_AWAY')
    comeBack()
    expect((await read.get(0))!.bytes).toEqual(text('made'))
    expect((await record.set(0, text('y'))).bytes).toEqual(text('y'))
  })

  it('wakes whoever watches a slot, until the watch ends', async () => {
    const { record, read } = await world()
    await read.get(1)
    const stop = new AbortController()
    onTestFinished(() => stop.abort())
    let wake: (slot: number) => void = () => {}
    let news = new Promise<number>((resolve) => (wake = resolve))
    read.watch([1, 2], (slot) => wake(slot), stop.signal)
    await record.set(2, text('news'))
    expect(await news).toBe(2)
    news = new Promise((resolve) => (wake = resolve))
    await record.set(1, text('more'))
    expect([1, 2]).toContain(await news)
    let isCalled = false
    stop.abort()
    wake = () => (isCalled = true)
    await record.set(1, text('late'))
    await read.get(1)
    expect(isCalled).toBe(false)
  })

  it('does one write at a time, in order', async () => {
    const { record, read } = await world()
    const all = await Promise.all(['a', 'b', 'c'].map(async (words) => await record.set(1, text(words))))
    expect(all.map(({ seq }) => seq)).toEqual([0n, 1n, 2n])
    expect(await read.get(1)).toEqual({ seq: 2n, bytes: text('c') })
  })

  it('a closed record answers nothing, and may be opened again', async () => {
    const { theirs, record, read } = await world()
    await read.close()
    await read.close()
    expect(await codeOf(read.get(0))).toBe('RECORD_CLOSED')
    expect((await record.get(0))!.bytes).toEqual(text('made'))
    const again = await theirs.open(record.address, { writerSeed: null })
    expect((await again.get(0))!.bytes).toEqual(text('made'))
  })
}
