import { describe, expect, it } from 'vitest'
import { parseHex } from '../../../../src/core/encoding/bytes.ts'
import type { VerifiedBlob } from '../../../../src/core/verify.ts'
import { State } from '../../../../src/daemon/state/state.ts'
import { PastTables } from '../../../../src/daemon/own/past-tables.ts'
import { MAX_PAST_TABLES, type PastTable } from '../../../../src/daemon/state/own-record.ts'
import { Writer } from '../../../../src/daemon/state/writer.ts'
import { openMemoryStore } from '../../../../src/store/memory-store.ts'
import { OWN_LAPTOP, TestKeeper } from '../../../support/keeper.ts'
import { engine, START_SEC } from '../../../support/person.ts'
import { snapshotOf, importSnapshot } from '../../../support/snapshot.ts'

const state = (): State => new State(new Writer(openMemoryStore()), engine, () => START_SEC)

function tableAt(seq: number): PastTable {
  const digits = (n: number): string => n.toString(16).toUpperCase().padStart(4, '0')
  return { epoch: 0, seq, tableHash: digits(seq).padEnd(64, 'A'), prev: digits(seq - 1).padEnd(32, 'A') }
}

function head(seq: number): VerifiedBlob {
  const { tableHash, prev, ...rest } = tableAt(seq)
  return { ...rest, tableHash: parseHex(tableHash), prev: parseHex(prev) } as VerifiedBlob
}

async function stored(of: State): Promise<number[]> {
  const seqs = []
  for await (const [, { seq }] of of.records.past.iterate()) seqs.push(seq)
  return seqs
}

/** Makes tables 1 to `last` the head, each in its own change. */
async function after(of: State, last: number): Promise<PastTables> {
  const past = new PastTables(of, [])
  for (let seq = 1; seq <= last; seq++) await of.change(() => past.note(head(seq)))
  return past
}

describe('past own tables', () => {
  it('are found by their hash, by its first half, and by their place in the order', async () => {
    const past = await after(state(), 3)
    expect(past.find(tableAt(2).tableHash)).toStrictEqual(tableAt(2))
    expect(past.find(tableAt(3).prev)).toStrictEqual(tableAt(2))
    expect(past.find(tableAt(4).tableHash)).toBeUndefined()
    expect([past.hadAt(0, 3), past.hadAt(0, 4), past.hadAt(1, 3)]).toStrictEqual([true, false, false])
  })

  it('are deleted beyond the limit, the oldest first, and one that returns becomes the newest', async () => {
    const of = state()
    const past = await after(of, MAX_PAST_TABLES + 2)
    await of.change(() => past.note(head(5)))
    const rest = Array.from({ length: MAX_PAST_TABLES }, (_, i) => i + 3).filter((seq) => seq !== 5)
    expect(await stored(of)).toStrictEqual([...rest, 5])
    expect(past.find(tableAt(2).tableHash)).toBeUndefined()
  })

  it('are the same after the next start', async () => {
    const of = state()
    await after(of, 3)
    const kept = []
    for await (const table of of.records.past.iterate()) kept.push(table)
    const again = new PastTables(of, kept)
    await of.change(() => again.note(head(4)))
    expect(await stored(of)).toStrictEqual([1, 2, 3, 4])
  })

  it('of a sibling get only the room that is left, and are deleted first', async () => {
    const of = state()
    const past = await after(of, MAX_PAST_TABLES - 2)
    await of.change(() => past.add([tableAt(901), tableAt(902), tableAt(1), tableAt(903)]))
    expect((await stored(of)).slice(0, 3)).toStrictEqual([902, 903, 1])
    await of.change(() => past.add([tableAt(904)]))
    await of.change(() => past.note(head(MAX_PAST_TABLES)))
    expect((await stored(of)).slice(0, 2)).toStrictEqual([903, 1])
    expect(await stored(of)).toHaveLength(MAX_PAST_TABLES)
  })

  it('are unchanged after an abandoned change', async () => {
    const of = state()
    const past = await after(of, 2)
    const givenUp = of.change(() => {
      past.note(head(3))
      past.clear()
      throw new Error('no')
    })
    await expect(givenUp).rejects.toThrow('no')
    expect([past.hadAt(0, 2), past.hadAt(0, 3)]).toStrictEqual([true, false])
    expect(await stored(of)).toStrictEqual([1, 2])
  })

  it('are deleted with the persona', async () => {
    const of = state()
    const past = await after(of, 2)
    await of.change(() => past.clear())
    expect([await stored(of), past.hadAt(0, 2)]).toStrictEqual([[], false])
  })
})

describe('own tables that an earlier version kept in the owner’s record', () => {
  /** A persona with four tables, stored like that version did, and those tables, the newest last. */
  async function asBefore(): Promise<{ test: TestKeeper; tables: PastTable[] }> {
    const test = await TestKeeper.withPersona()
    for (const name of ['a', 'b', 'c']) await test.call('device.rename', { device: OWN_LAPTOP, name })
    const tables = await pastOf(test)
    const { state } = test.keeper
    const ids: string[] = []
    for await (const [id] of test.records.past.iterate()) ids.push(id)
    await test.keeper.change(() => {
      for (const id of ids) state.stage(state.records.past.remove(id))
      state.putOwn({ ...state.own()!, recent: tables.toReversed() })
    })
    expect([tables.length, await pastOf(test)]).toStrictEqual([4, []])
    return { test, tables }
  }

  async function pastOf(test: TestKeeper): Promise<PastTable[]> {
    const tables: PastTable[] = []
    for await (const [, table] of test.records.past.iterate()) tables.push(table)
    return tables
  }

  it('get records of their own at the next start, and a backup of that state can be restored', async () => {
    const { test, tables } = await asBefore()
    const again = await test.reopened()
    expect([await pastOf(again), again.records.own.get('own')?.recent]).toStrictEqual([tables, undefined])
    const other = await TestKeeper.open()
    await importSnapshot(other, await snapshotOf(again, 'backup'), { sibling: null, withKeys: true })
    expect(await pastOf(other)).toStrictEqual(tables)
  })

  it('are imported from a backup that has them there', async () => {
    const { test, tables } = await asBefore()
    const other = await TestKeeper.open()
    await importSnapshot(other, await snapshotOf(test, 'backup'), { sibling: null, withKeys: true })
    expect([await pastOf(other), other.records.own.get('own')?.recent]).toStrictEqual([tables, undefined])
  })
})
