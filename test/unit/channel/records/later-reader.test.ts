/** A reader of a ring that has nothing but the cursor of an earlier one, as after a restart. */
import { describe, expect, it } from 'vitest'
import { OwnRing } from '../../../../src/channel/carriers/records/own-ring.ts'
import { PeerRing } from '../../../../src/channel/carriers/records/peer-ring.ts'
import { RECORD_SLOTS } from '../../../../src/channel/carriers/records/ring-header.ts'
import type { SlotRecord } from '../../../../src/record/record-engine.ts'
import { frame } from '../../../support/carrier-places.ts'
import { MemoryRecordEngine, MemoryRecords } from '../../../support/memory-records.ts'
import { engine, seedOf } from '../../../support/person.ts'

describe('a reader that starts anew', () => {
  /** A peer whose ring has two frames, a reader of the first one, and how a later reader with its cursor finds the ring. */
  async function readerWithCursor(): Promise<Reading> {
    const records = new MemoryRecords()
    const program = new MemoryRecordEngine(records, engine)
    const pub = seedOf('pub')
    const record = await program.create(RECORD_SLOTS, seedOf('ring'))
    const writer = new OwnRing(record, pub, engine)
    await writer.send(frame(1), null)
    const older = new Map(records.slots)
    await writer.send(frame(2), null)
    const open = async (): Promise<SlotRecord> => await program.open(record.address, { writerSeed: null })
    const ringOf = (): PeerRing => new PeerRing(open, record.address, pub, engine)
    const { cursor } = (await ringOf().receive('')).at(-1)!
    const read = async (from = cursor): Promise<Found> => {
      const ring = ringOf()
      const arrivals = await ring.receive(from)
      return { came: arrivals.map(({ data }) => data), cursor: arrivals.at(-1)?.cursor ?? from, lost: ring.lost?.code }
    }
    return { records, older, writer, read, cursor }
  }
  interface Found {
    readonly came: readonly Uint8Array[]
    readonly cursor: string
    readonly lost: string | undefined
  }
  interface Reading {
    readonly records: MemoryRecords
    readonly older: ReadonlyMap<string, Uint8Array>
    readonly writer: OwnRing
    readonly read: (from?: string) => Promise<Found>
    readonly cursor: string
  }

  it('tells of a header that was put back, and goes on once its writer has written again', async () => {
    const { records, older, writer, read } = await readerWithCursor()
    expect(await read()).toMatchObject({ came: [], lost: undefined })
    for (const [slot, signed] of older) records.slots.set(slot, signed)
    expect(await read()).toMatchObject({ came: [], lost: 'RECORD_ROLLED_BACK' })
    await writer.send(frame(3), null)
    const { came, cursor, lost } = await read()
    expect([came, lost]).toEqual([[frame(3)], undefined])
    expect(await read(cursor)).toMatchObject({ came: [], lost: undefined })
  })

  it('tells of a header that vanished, and of a record that vanished', async () => {
    const { records, read } = await readerWithCursor()
    records.slots.clear()
    expect(await read()).toMatchObject({ came: [], lost: 'RECORD_VANISHED' })
    records.addresses.clear()
    expect(await read()).toMatchObject({ came: [], lost: 'RECORD_VANISHED' })
    expect(await read('')).toMatchObject({ came: [], lost: undefined })
  })

  it('reads on after a cursor of an earlier version, which had no seq', async () => {
    const { writer, read, cursor } = await readerWithCursor()
    await writer.send(frame(3), null)
    expect(await read(cursor.replace(/\.[0-9]+$/, ''))).toMatchObject({ came: [frame(3)], lost: undefined })
  })
})
