/** The carrier of records: a ring that is full, a writer that lost count, a copied state, and guests who meet at one invite. */
import { setImmediate } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import type { Arrival, Watch, Watched } from '../../../../src/channel/carriers/carrier.ts'
import { LOOK_MS } from '../../../../src/channel/carriers/records/lookout.ts'
import { OwnRing } from '../../../../src/channel/carriers/records/own-ring.ts'
import { PeerRing } from '../../../../src/channel/carriers/records/peer-ring.ts'
import { MEETING_SLOTS } from '../../../../src/channel/carriers/records/meeting.ts'
import { RecordCarrier } from '../../../../src/channel/carriers/records/record-carrier.ts'
import { RECORD_SLOTS, RING_SLOTS } from '../../../../src/channel/carriers/records/ring-header.ts'
import { systemClock } from '../../../../src/process/pulse.ts'
import type { SlotRecord } from '../../../../src/record/record-engine.ts'
import { generateBoxKeyPair } from '../../../../src/seal/key-pair.ts'
import { firstMessage, frame, recordPlace, TestEnd } from '../../../support/carrier-places.ts'
import { codeOf } from '../../../support/code-of.ts'
import { HandClock } from '../../../support/hand-clock.ts'
import { MemoryRecordEngine, MemoryRecords } from '../../../support/memory-records.ts'
import { engine, seedOf } from '../../../support/person.ts'

async function twoEnds(): Promise<[TestEnd, TestEnd]> {
  const place = recordPlace()
  return [await TestEnd.at(place), await TestEnd.at(place)]
}

describe('a ring', () => {
  it('takes no more than 16 frames until the peer has read them, and then goes on', async () => {
    const [alice, bob] = await twoEnds()
    for (let n = 1; n <= RING_SLOTS; n++) expect(await alice.send(bob, frame(n))).toBe('left')
    const failed = await alice.send(bob, frame(17)).catch((error: unknown) => error)
    expect(failed).toMatchObject({ code: 'CARRIER_FULL', passes: true })
    expect((failed as { retryAfterMs: number }).retryAfterMs).toBeGreaterThan(0)
    const { cursor } = await bob.readAll(alice)
    expect(await alice.send(bob, frame(17))).toBe('left')
    expect((await bob.readAll(alice, cursor)).data).toEqual([frame(17)])
  })

  it('carries everything in order, each way, however often both ends start anew', async () => {
    const [alice, bob] = await twoEnds()
    const got: Uint8Array[] = []
    const back: Uint8Array[] = []
    let [cursor, backCursor] = ['', '']
    for (let n = 1; n <= 60; n++) {
      await alice.send(bob, frame(n))
      if (n % 3 === 0) await bob.send(alice, frame(1000 + n))
      if (n % 7 === 0) alice.restart()
      if (n % 5 === 0) bob.restart()
      if (n % 11 !== 0 && n !== 60) continue
      const read = await bob.readAll(alice, cursor)
      got.push(...read.data)
      cursor = read.cursor
      const answers = await alice.readAll(bob, backCursor)
      back.push(...answers.data)
      backCursor = answers.cursor
    }
    expect(got).toEqual(Array.from({ length: 60 }, (_, i) => frame(i + 1)))
    expect(back).toEqual(Array.from({ length: 20 }, (_, i) => frame(1000 + 3 * (i + 1))))
  })

  it('frees the slots of what the channel has acknowledged, also without a word of the peer', async () => {
    const [alice, bob] = await twoEnds()
    for (let n = 1; n <= RING_SLOTS; n++) await alice.send(bob, frame(n))
    await alice.carrier.settled(alice.lineTo(bob), [frame(5)])
    for (let n = 17; n <= 20; n++) expect(await alice.send(bob, frame(n))).toBe('left')
    expect(await codeOf(alice.send(bob, frame(21)))).toBe('CARRIER_FULL')
    expect((await bob.readAll(alice)).data).toEqual([5, 16, 17, 18, 19, 20].map((n) => frame(n)))
  })

  it('names a copied state that writes too, and never mixes the two', async () => {
    const [alice, bob] = await twoEnds()
    await alice.send(bob, frame(1))
    const copy = alice.carrier
    alice.restart()
    await alice.send(bob, frame(2))
    const failed = await copy.send(alice.lineTo(bob), bob.address.where[0]!, frame(3)).catch((error: unknown) => error)
    expect(failed).toMatchObject({ code: 'CARRIER_STRANGE', cause: { code: 'RECORD_SECOND_WRITER' } })
    expect((await bob.readAll(alice)).data).toEqual([frame(1), frame(2)])
  })

  it('gives data that its reader has passed a new number, so that a frame that was lost comes after all', async () => {
    const [alice, bob] = await twoEnds()
    await alice.send(bob, frame(1), frame(2))
    const { cursor } = await bob.readAll(alice)
    await alice.send(bob, frame(1))
    expect((await bob.readAll(alice, cursor)).data).toEqual([frame(1)])
  })

  it('is read from its beginning after its writer lost count', async () => {
    const records = new MemoryRecords()
    const program = new MemoryRecordEngine(records, engine)
    const pub = seedOf('pub')
    const record = await program.create(RECORD_SLOTS, seedOf('ring'))
    const start = async (): Promise<OwnRing> =>
      new OwnRing(await program.create(RECORD_SLOTS, seedOf('ring')), pub, engine)
    await (await start()).send(frame(1), null)
    const open = async (): Promise<SlotRecord> => await program.open(record.address, { writerSeed: null })
    const read = async (cursor: string): Promise<readonly Arrival[]> =>
      await new PeerRing(open, record.address, pub, engine).receive(cursor)
    const [first] = await read('')
    expect(await read(first!.cursor)).toEqual([])
    records.slots.clear()
    await (await start()).send(frame(2), null)
    expect((await read(first!.cursor)).map(({ data }) => data)).toEqual([frame(2)])
  })
})

describe('the meeting place of an invite', () => {
  it('has room for four guests, and for another once one of them has cleared away', async () => {
    const place = recordPlace()
    const host = await TestEnd.at(place)
    const guests = await Promise.all(Array.from({ length: MEETING_SLOTS }, async () => await TestEnd.at(place)))
    await Promise.all(guests.map(async (guest, i) => await guest.send(host, firstMessage(i))))
    const late = await TestEnd.at(place)
    expect(await codeOf(late.send(host, firstMessage(9)))).toBe('CARRIER_FULL')
    const { data, cursor } = await host.readAll(null)
    expect(data).toHaveLength(MEETING_SLOTS)
    for (const [i] of guests.entries()) expect(data).toContainEqual(firstMessage(i))
    await guests[2]!.carrier.settled(guests[2]!.lineTo(host), [])
    expect(await late.send(host, firstMessage(9))).toBe('left')
    expect((await host.readAll(null, cursor)).data).toEqual([firstMessage(9)])
  })

  it('leaves the first messages of other guests where they are', async () => {
    const place = recordPlace()
    const [host, bob, carol] = [await TestEnd.at(place), await TestEnd.at(place), await TestEnd.at(place)]
    await bob.send(host, firstMessage(1))
    await carol.send(host, firstMessage(2))
    bob.restart()
    await bob.carrier.settled(bob.lineTo(host), [])
    expect((await host.readAll(null)).data).toEqual([firstMessage(2)])
  })
})

describe('the carrier of records', () => {
  it('needs the key of a place as bytes', async () => {
    const records = new MemoryRecordEngine(new MemoryRecords(), engine)
    const carrier = new RecordCarrier({ records, engine, clock: systemClock })
    const pair = await generateBoxKeyPair('x25519', false)
    expect(await codeOf(carrier.open('memory', pair.key.bytes, pair))).toBe('CARRIER_DENIED')
  })
})

describe('a reader whose peer has no record yet', () => {
  it('finds it within a second after the peer has made it, and asks ever more rarely, up to every 10 s, while nobody does', async () => {
    const records = new MemoryRecords()
    const clock = new HandClock()
    const start = (): RecordCarrier =>
      new RecordCarrier({ records: new MemoryRecordEngine(records, engine), engine, clock })
    const [alice, bob] = [await TestEnd.at({ at: 'memory', start }), await TestEnd.at({ at: 'memory', start })]
    const url = bob.address.where[0]!.url
    records.addresses.delete(url)
    const stop = new AbortController()
    let news = 0
    alice.carrier.watch(
      () => [{ line: alice.lineTo(bob), own: alice.intake }],
      () => news++,
      stop.signal,
    )
    const waits: number[] = []
    for (let tries = 0; tries < 7; tries++) {
      while (clock.waits.length === 0) await setImmediate()
      const [ms] = clock.waits
      waits.push(ms!)
      clock.turn(ms!)
    }
    expect(waits).toEqual([500, 1000, 2000, 4000, 8000, 10_000, 10_000])
    while (clock.waits.length === 0) await setImmediate()
    records.addresses.add(url)
    clock.turn(10_000)
    await setImmediate()
    const before = news
    await bob.send(alice, frame(1))
    expect([news > before, clock.waits]).toEqual([true, []])
    stop.abort()
  })
})

describe('a carrier that nothing wakes', () => {
  /** Two ends that are watched from the start, with a channel that rests. */
  async function resting(): Promise<Story> {
    const records = new MemoryRecords()
    const clock = new HandClock()
    const start = (): RecordCarrier =>
      new RecordCarrier({ records: new MemoryRecordEngine(records, engine, 'minutes'), engine, clock })
    const [alice, bob] = [await TestEnd.at({ at: 'memory', start }), await TestEnd.at({ at: 'memory', start })]
    const looks: string[] = []
    const lines: Watched[] = [{ line: alice.lineTo(bob), own: alice.intake }]
    const watch = alice.carrier.watch(
      () => lines,
      ({ line }) => looks.push(line.id),
      new AbortController().signal,
    )
    const looksIn = (ms: number): number => {
      looks.length = 0
      for (let passed = 0; passed < ms; passed += LOOK_MS) clock.turn(LOOK_MS)
      return looks.length
    }
    return { alice, bob, lines, watch, looksIn }
  }
  interface Story {
    readonly alice: TestEnd
    readonly bob: TestEnd
    readonly lines: Watched[]
    readonly watch: Watch
    /** @returns how often the line was looked at in a time */
    readonly looksIn: (ms: number) => number
  }
  const MINUTE_MS = 60_000

  it('does not look by itself at a channel that rests', async () => {
    const { looksIn } = await resting()
    expect(looksIn(60 * MINUTE_MS)).toBe(0)
  })

  it('looks every 10 s for an hour after something was sent, and no longer', async () => {
    const { alice, bob, looksIn } = await resting()
    await alice.send(bob, frame(1))
    expect(looksIn(MINUTE_MS)).toBe(6)
    expect(looksIn(59 * MINUTE_MS)).toBe(59 * 6)
    expect(looksIn(60 * MINUTE_MS)).toBe(0)
  })

  it('looks on for an hour after something came', async () => {
    const { alice, bob, looksIn } = await resting()
    await bob.send(alice, frame(1))
    await alice.readAll(bob)
    expect(looksIn(120 * MINUTE_MS)).toBe(360)
  })

  it('looks for an hour for an app that asks after its channels', async () => {
    const { alice, bob, watch, looksIn } = await resting()
    watch.expect!(alice.lineTo(bob).id)
    expect(looksIn(120 * MINUTE_MS)).toBe(360)
    watch.expect!('another line')
    expect(looksIn(MINUTE_MS)).toBe(0)
  })

  it('looks for an hour for the guest of a new invite, and no more once it is gone', async () => {
    const { alice, lines, watch, looksIn } = await resting()
    lines.push({ line: { ...alice.lineTo(null), id: 'invite' }, own: alice.intake })
    watch.changed()
    expect(looksIn(MINUTE_MS)).toBe(6)
    lines.pop()
    watch.changed()
    expect(looksIn(MINUTE_MS)).toBe(0)
  })
})

describe('what a reader finds missing', () => {
  it('is told as vanished until its writer puts it again, and nothing is read', async () => {
    const records = new MemoryRecords()
    const carriers: RecordCarrier[] = []
    const start = (): RecordCarrier => {
      const carrier = new RecordCarrier({
        records: new MemoryRecordEngine(records, engine),
        engine,
        clock: systemClock,
      })
      carriers.push(carrier)
      return carrier
    }
    const [alice, bob] = [await TestEnd.at({ at: 'memory', start }), await TestEnd.at({ at: 'memory', start })]
    const codes = (): string[] => carriers[1]!.troubles.list(() => true).map(({ error }) => error.code)
    await alice.send(bob, frame(1))
    const { cursor } = await bob.readAll(alice)
    expect(codes()).toEqual([])
    records.slots.clear()
    expect(await bob.receive(alice, cursor)).toEqual([])
    expect(codes()).toEqual(['RECORD_VANISHED'])
    await alice.send(bob, frame(2))
    expect((await bob.readAll(alice, cursor)).data).toEqual([frame(2)])
    expect(codes()).toEqual([])
  })
})
