/** Rings whose header was damaged: told, never taken for data, and written anew. */
import { expect, it } from 'vitest'
import { OwnRing } from '../../../../src/channel/carriers/records/own-ring.ts'
import { PeerRing } from '../../../../src/channel/carriers/records/peer-ring.ts'
import { RecordCarrier } from '../../../../src/channel/carriers/records/record-carrier.ts'
import { RECORD_SLOTS } from '../../../../src/channel/carriers/records/ring-header.ts'
import type { SlotRecord } from '../../../../src/record/record-engine.ts'
import { systemClock } from '../../../../src/process/pulse.ts'
import { frame, TestEnd } from '../../../support/carrier-places.ts'
import { HandClock } from '../../../support/hand-clock.ts'
import { MemoryRecordEngine, MemoryRecords } from '../../../support/memory-records.ts'
import { engine, seedOf } from '../../../support/person.ts'
import { flipped } from '../../../support/record-networks.ts'

const PUB = seedOf('pub')

/** Changes a bit of the header of each ring. */
function damage({ slots }: MemoryRecords): void {
  for (const [key, signed] of slots) if (key.endsWith(`.${RECORD_SLOTS} 0`)) slots.set(key, flipped(signed))
}

interface Ring {
  readonly records: MemoryRecords
  readonly program: MemoryRecordEngine
  readonly address: string
  /** Another program that writes the same ring. */
  readonly start: () => Promise<OwnRing>
  readonly writer: OwnRing
  readonly reader: PeerRing
}

async function ring(): Promise<Ring> {
  const records = new MemoryRecords()
  const program = new MemoryRecordEngine(records, engine)
  const create = async (): Promise<SlotRecord> => await program.create(RECORD_SLOTS, seedOf('ring'))
  const start = async (): Promise<OwnRing> => new OwnRing(await create(), PUB, engine)
  const { address } = await create()
  const reader = new PeerRing(async () => await program.open(address, { writerSeed: null }), address, PUB, engine)
  return { records, program, address, start, writer: await start(), reader }
}

/** The key of a slot of the only ring. */
function keyOf({ addresses }: MemoryRecords, slot: number): string {
  return `${[...addresses][0]} ${slot}`
}

/** The network has no more than this. */
function put({ slots }: MemoryRecords, kept: ReadonlyMap<string, Uint8Array>): void {
  slots.clear()
  for (const [key, signed] of kept) slots.set(key, signed)
}

it('a reader that stays takes what a writer sends that starts again, and nothing of before, whose numbers are the same', async () => {
  const { records, start, writer, reader } = await ring()
  for (let n = 1; n <= 5; n++) await writer.send(frame(n), null)
  const { cursor } = (await reader.receive('')).at(-1)!
  damage(records)
  expect([await reader.receive(cursor), reader.lost?.code]).toEqual([[], 'RECORD_FORGED'])

  const put = records.put.bind(records)
  let whenHeader = new Map<string, Uint8Array>()
  records.put = (url, slot, signed) => {
    put(url, slot, signed)
    if (slot === 0) whenHeader = new Map(records.slots)
  }
  await (await start()).send(frame(6), null)
  const whenAll = new Map(records.slots)
  for (const [key, signed] of whenHeader) records.slots.set(key, signed)
  expect([await reader.receive(cursor), reader.isBehind]).toEqual([[], true])
  for (const [key, signed] of whenAll) records.slots.set(key, signed)
  expect((await reader.receive(cursor)).map(({ data }) => data)).toEqual([frame(6)])
  expect([reader.lost, reader.isBehind]).toEqual([null, false])
})

it('a writer whose header was put back while it was off begins anew, and its reader takes what it sends', async () => {
  const records = new MemoryRecords()
  const start = (): RecordCarrier =>
    new RecordCarrier({ records: new MemoryRecordEngine(records, engine), engine, clock: systemClock })
  const [alice, bob] = [await TestEnd.at({ at: 'memory', start }), await TestEnd.at({ at: 'memory', start })]
  await alice.send(bob, frame(1))
  const key = `${alice.intake.url} 0`
  const older = records.slots.get(key)!
  await alice.send(bob, frame(2))
  const { cursor } = await bob.readAll(alice)
  alice.restart()
  records.slots.set(key, older)
  await alice.send(bob, frame(3))
  expect((await bob.readAll(alice, cursor)).data).toEqual([frame(3)])
})

it('a writer finds that the headers of both were put back while it was off, and what it has sent comes without a repeat', async () => {
  const records = new MemoryRecords()
  const start = (): RecordCarrier =>
    new RecordCarrier({ records: new MemoryRecordEngine(records, engine), engine, clock: systemClock })
  const [alice, bob] = [await TestEnd.at({ at: 'memory', start }), await TestEnd.at({ at: 'memory', start })]
  await alice.send(bob, frame(1))
  let { cursor } = await bob.readAll(alice)
  const older = [alice, bob]
    .map(({ intake }) => `${intake.url} 0`)
    .map((key) => [key, records.slots.get(key)!] as const)
  await alice.send(bob, frame(2), frame(3))
  cursor = (await bob.readAll(alice, cursor)).cursor
  alice.restart()
  for (const [key, signed] of older) records.slots.set(key, signed)

  await alice.send(bob, frame(4))
  expect((await bob.readAll(alice, cursor)).data).toEqual([])
  expect((await alice.readAll(bob)).data).toEqual([])
  expect((await bob.readAll(alice, cursor)).data).toContainEqual(frame(4))
})

it('data that was damaged is told and passed by, and what lies beside it is read', async () => {
  const records = new MemoryRecords()
  const start = (): RecordCarrier =>
    new RecordCarrier({ records: new MemoryRecordEngine(records, engine), engine, clock: systemClock })
  const [alice, bob] = [await TestEnd.at({ at: 'memory', start }), await TestEnd.at({ at: 'memory', start })]
  await alice.send(bob, frame(1), frame(2), frame(3))
  const key = `${alice.intake.url} 3`
  records.slots.set(key, flipped(records.slots.get(key)!))
  expect((await bob.receive(alice)).map(({ data }) => data)).toEqual([frame(1), frame(3)])
  const { troubles } = bob.carrier as RecordCarrier
  expect(troubles.list(() => true).map(({ error }) => error.code)).toEqual(['RECORD_FORGED'])
  const { cursor } = await bob.readAll(alice)
  await alice.send(bob, frame(2))
  expect((await bob.readAll(alice, cursor)).data).toEqual([frame(2)])
})

it('data that was put back, or that a second writer has put, is told and passed by, and what lies beside it is read', async () => {
  const { records, writer, start, reader } = await ring()
  const beforeAll = new Map(records.slots)
  const other = await start()
  await other.send(frame(9), null)
  const ofOther = records.slots.get(keyOf(records, 2))!
  put(records, beforeAll)
  await writer.send(frame(1), null)
  await writer.send(frame(2), null)
  const ofWriter = records.slots.get(keyOf(records, 2))!
  const came = async (): Promise<unknown> => [(await reader.receive('')).map(({ data }) => data), reader.lost?.code]
  expect(await came()).toEqual([[frame(1), frame(2)], undefined])

  records.slots.set(keyOf(records, 2), ofOther)
  expect(await came()).toEqual([[frame(2)], 'RECORD_SECOND_WRITER'])
  records.slots.set(keyOf(records, 2), ofWriter)
  await writer.send(frame(1), null)
  expect(await came()).toEqual([[frame(1), frame(2)], undefined])
  records.slots.set(keyOf(records, 2), ofWriter)
  expect(await came()).toEqual([[frame(2)], 'RECORD_ROLLED_BACK'])
  await writer.send(frame(1), null)
  expect(await came()).toEqual([[frame(1), frame(2)], undefined])
})

it('a writer whose header is put back while it writes a newer one puts its last one again, and goes on', async () => {
  const { records, writer, reader } = await ring()
  await writer.send(frame(1), null)
  const older = records.slots.get(keyOf(records, 0))!
  await writer.send(frame(2), null)
  const { cursor } = (await reader.receive('')).at(-1)!
  const put = records.put.bind(records)
  records.put = (url, slot, signed) => put(url, slot, slot === 0 ? older : signed)
  await expect(writer.send(frame(3), null)).rejects.toMatchObject({ code: 'RECORD_AWAY' })
  records.put = put
  await writer.send(frame(3), null)
  expect((await reader.receive(cursor)).map(({ data }) => data)).toEqual([frame(3)])
})

it('a reader that looks at a header which was put back while the network fails leaves no record open', async () => {
  const { records, writer, program, address } = await ring()
  let open = 0
  const reader = new PeerRing(
    async () => {
      const record = await program.open(address, { writerSeed: null })
      // The record that is opened once more reads from a network that fails.
      if (open++ > 0) records.isAway = true
      return Object.assign(record, {
        close: async () => {
          open--
          await Promise.resolve()
        },
      })
    },
    address,
    PUB,
    engine,
  )
  await writer.send(frame(1), null)
  const older = new Map(records.slots)
  await writer.send(frame(2), null)
  await reader.header()
  put(records, older)
  await expect(reader.header()).rejects.toMatchObject({ code: 'RECORD_AWAY' })
  expect(open).toBe(1)
})

it('both ends write their damaged headers anew, although neither has anything to send', async () => {
  const records = new MemoryRecords()
  const carriers: RecordCarrier[] = []
  const start = (): RecordCarrier => {
    const program = new MemoryRecordEngine(records, engine)
    carriers.push(new RecordCarrier({ records: program, engine, clock: systemClock }))
    return carriers.at(-1)!
  }
  const [alice, bob] = [await TestEnd.at({ at: 'memory', start }), await TestEnd.at({ at: 'memory', start })]
  await alice.send(bob, frame(1))
  await bob.send(alice, frame(2))
  const cursors = [(await alice.readAll(bob)).cursor, (await bob.readAll(alice)).cursor] as const
  for (const end of [alice, bob]) end.restart()
  damage(records)
  const codes = (): string[] =>
    carriers.slice(-2).flatMap(({ troubles }) => troubles.list(() => true).map(({ error }) => error.code))
  expect(await alice.receive(bob, cursors[0])).toEqual([])
  expect(codes()).toEqual(['RECORD_FORGED'])
  expect(await bob.receive(alice, cursors[1])).toEqual([])
  expect(await alice.receive(bob, cursors[0])).toEqual([])
  expect(codes()).toEqual([])
  await alice.send(bob, frame(3))
  expect((await bob.readAll(alice, cursors[1])).data).toEqual([frame(3)])
})

it('a reader looks again soon at data that comes after its header, and ever later at data that does not come', async () => {
  const records = new MemoryRecords()
  const clock = new HandClock()
  const start = (): RecordCarrier =>
    new RecordCarrier({ records: new MemoryRecordEngine(records, engine), engine, clock })
  const [alice, bob] = [await TestEnd.at({ at: 'memory', start }), await TestEnd.at({ at: 'memory', start })]
  await alice.send(bob, frame(1))
  const [data] = [...records.slots.keys()].filter((key) => key.endsWith(' 2'))
  const lying = records.slots.get(data!)!
  records.slots.delete(data!)
  let looks = 0
  bob.carrier.watch(
    () => [{ line: bob.lineTo(alice), own: bob.intake }],
    () => looks++,
    new AbortController().signal,
  )
  const waits: number[] = []
  for (;;) {
    expect(await bob.receive(alice)).toEqual([])
    const [ms] = clock.waits
    if (ms === undefined) break
    waits.push(ms)
    clock.turn(ms)
  }
  expect(waits).toEqual([250, 500, 1000, 2000, 4000, 8000])
  expect(looks).toBe(1 + waits.length)
  records.slots.set(data!, lying)
  expect((await bob.readAll(alice)).data).toEqual([frame(1)])
})
