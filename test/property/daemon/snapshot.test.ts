import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compareTables } from '../../../src/core/order.ts'
import { decodeStored } from '../../../src/daemon/personas/heads.ts'
import type { PersonaRecord } from '../../../src/daemon/state/persona-record.ts'
import { act, action, draw, step, type Action } from '../../support/life.ts'
import { TestKeeper } from '../../support/keeper.ts'
import type { Table } from '../../support/person.ts'
import { restorable, snapshotOf, importSnapshot } from '../../support/snapshot.ts'

const RUNS = Number(process.env['SNAPSHOTS'] ?? 30)

const steps = fc.array(step, { minLength: 6, maxLength: 20 })
const actions = fc.array(action, { minLength: 10, maxLength: 40 })
const chunkBytes = fc.integer({ min: 100, max: 20_000 })

async function lived(test: TestKeeper, done: readonly Action[], tables: readonly Table[]): Promise<TestKeeper> {
  let keeper = test
  for (const one of done) keeper = await act(keeper, one, tables)
  return keeper
}

function pickHead({ head, root, devices }: PersonaRecord): Pick<PersonaRecord, 'head' | 'root' | 'devices'> {
  return { head, root, devices }
}

async function personasOf(test: TestKeeper): Promise<Map<string, PersonaRecord>> {
  const found = new Map<string, PersonaRecord>()
  for await (const [id, persona] of test.records.personas.iterate()) found.set(id, persona)
  return found
}

describe('a snapshot of any state', () => {
  it('imported as its own past gives the same state, however it is cut into chunks', async () => {
    let ran = 0
    await fc.assert(
      fc.asyncProperty(steps, actions, chunkBytes, async (drawn, done, bytes) => {
        const test = await lived(await TestKeeper.withPersona(), done, draw(drawn))
        const again = await TestKeeper.open({ nowSec: test.nowSec })
        await importSnapshot(again, await snapshotOf(test, 'backup'), { sibling: null, withKeys: true }, bytes)
        expect(await restorable(again.store)).toEqual(await restorable(test.store))
        ran++
      }),
      { numRuns: RUNS },
    )
    expect(ran).toBe(RUNS)
  }, 60_000)

  it('imported by a sibling with its own history lowers no head, moves no pin, loses no contact of either, and a second time changes no table', async () => {
    let ran = 0
    await fc.assert(
      fc.asyncProperty(steps, actions, actions, async (drawn, here, there) => {
        const tables = draw(drawn)
        const laptop = await TestKeeper.withPersona()
        const copy = await laptop.copied()
        const [a, b] = [await lived(laptop, here, tables), await lived(copy, there, tables)]
        const snapshot = await snapshotOf(a, 'sibling')
        const [theirs, before] = [await personasOf(a), await personasOf(b)]
        await importSnapshot(b, snapshot, { sibling: 'laptop', withKeys: false })
        const after = await personasOf(b)
        expect(new Set(after.keys())).toEqual(new Set([...theirs.keys(), ...before.keys()]))
        for (const [id, old] of before) {
          const now = after.get(id)!
          expect(now.root).toBe(old.root)
          const [head, oldHead] = [decodeStored(now.head!, b.keeper.state), decodeStored(old.head!, b.keeper.state)]
          expect(compareTables(head, oldHead)).toBeGreaterThanOrEqual(0)
          if (old.entry?.blocked === true) expect(now.entry?.blocked).toBe(true)
        }
        const own = await b.call('device.list')
        await importSnapshot(b, snapshot, { sibling: 'laptop', withKeys: false })
        expect(await b.call('device.list')).toEqual(own)
        for (const [id, { head, root, devices }] of await personasOf(b)) {
          expect({ head, root, devices }).toEqual(pickHead(after.get(id)!))
        }
        ran++
      }),
      { numRuns: RUNS },
    )
    expect(ran).toBe(RUNS)
  }, 120_000)
})
