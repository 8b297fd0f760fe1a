/** Cuts a change of keys short at each of its writes, of files and of the store, and then starts again. */
import { cpSync, mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { removeLeftovers } from '../../src/durable/file.ts'
import { StoreError } from '../../src/store/errors.ts'
import { openMemoryStore } from '../../src/store/memory-store.ts'
import type { Store, Write } from '../../src/store/store.ts'
import { faultyFs, type FaultKind } from '../support/faulty-fs.ts'
import { OWN_LAPTOP, OWN_PHONE, ownText, TestKeeper } from '../support/keeper.ts'
import { rotates, siblings } from '../support/rotation.ts'
import { tempDir } from '../support/temp-dir.ts'

const KINDS: readonly FaultKind[] = ['not-persisted', 'persisted', 'dead']

/** A store whose commit with this number fails, persisted or not. With `dead`, all later commits fail too. */
function faultyStore(store: Store, failAt: number, kind: FaultKind): Store & { readonly calls: () => number } {
  let calls = 0
  return {
    calls: () => calls,
    get: (key) => store.get(key),
    iterate: (range) => store.iterate(range),
    close: () => store.close(),
    commit: async (writes) => {
      const call = calls++
      if (call !== failAt && !(kind === 'dead' && call > failAt)) return await store.commit(writes)
      if (kind === 'persisted') await store.commit(writes)
      throw new StoreError('STORE_IO', 'a fault of this test')
    },
  }
}

interface Work {
  readonly name: string
  /** Prepares the state for the daemon under test. */
  readonly begin: () => Promise<{ test: TestKeeper; act: (keeper: TestKeeper) => Promise<unknown>; epoch: number }>
}

const WORKS: readonly Work[] = [
  {
    name: 'a rotation',
    begin: async () => {
      const { laptop, words } = await siblings()
      return { test: laptop, epoch: 1, act: (keeper) => rotates(keeper, words, { epoch: 1, without: ['phone'] }) }
    },
  },
  {
    name: 'a rotation by a device without the present key',
    begin: async () => {
      const { laptop, phone, words } = await siblings()
      await rotates(phone, words, { epoch: 2 })
      await laptop.sees(OWN_PHONE, await ownText(phone))
      return { test: laptop, epoch: 3, act: (keeper) => rotates(keeper, words, { epoch: 3 }) }
    },
  },
  {
    name: "following a sibling's rotation by the words",
    begin: async () => {
      const { laptop, phone, words } = await siblings()
      await rotates(phone, words, { epoch: 2 })
      await laptop.sees(OWN_PHONE, await ownText(phone))
      return { test: laptop, epoch: 2, act: (keeper) => keeper.call('rotation.follow', { words }) }
    },
  },
  {
    name: "taking a sibling's rotation",
    begin: async () => {
      const { laptop, phone, words } = await siblings()
      await rotates(phone, words, { epoch: 2 })
      const text = await ownText(phone)
      return { test: laptop, epoch: 2, act: (keeper) => keeper.sees(OWN_PHONE, text) }
    },
  },
]

interface Place {
  readonly where: 'file' | 'store' | 'nowhere'
  readonly failAt: number
  readonly kind: FaultKind
}

/** Numbers of the work's own calls: the first, and one after the last. */
type Range = readonly [number, number]

/** Runs the work on the same state with a fault, and then the next start. */
async function cutShort(
  test: TestKeeper,
  act: (keeper: TestKeeper) => Promise<unknown>,
  { where, failAt, kind }: Place,
): Promise<{ after: TestKeeper; done: boolean; files: Range; commits: Range }> {
  const stateDir = join(mkdtempSync(join(tempDir(), 'rotation-')), 'state')
  cpSync(test.stateDir, stateDir, { recursive: true })
  const kept = openMemoryStore()
  const writes: Write[] = []
  for await (const { key, value } of test.store.iterate({ prefix: '' })) writes.push({ key, value })
  await kept.commit(writes)
  const fs = faultyFs(where === 'file' ? failAt : Infinity, kind)
  const store = faultyStore(kept, where === 'store' ? failAt : Infinity, kind)
  const { nowSec } = test
  const keeper = await TestKeeper.open({ stateDir, store, nowSec, fs })
  const opening = { files: fs.calls.length, commits: store.calls() }
  const done = await act(keeper).then(
    () => true,
    () => false,
  )
  await removeLeftovers(stateDir)
  return {
    after: await TestKeeper.open({ stateDir, store: kept, nowSec }),
    done,
    files: [opening.files, fs.calls.length],
    commits: [opening.commits, store.calls()],
  }
}

describe.each(WORKS)('$name', ({ begin }) => {
  it('is finished or undone by the next start, which holds only the key of the head, or no key if the head has another', async () => {
    const { test, act, epoch: after } = await begin()
    const { epoch: before } = await test.call('device.list')
    const heldBefore = test.custody.epochs()
    const whole = await cutShort(test, act, { where: 'nowhere', failAt: 0, kind: 'dead' })
    expect(whole.done).toBe(true)
    const heldAfter = whole.after.custody.epochs()
    const outcomes = new Set<string>()
    let ran = 0
    for (const kind of KINDS) {
      for (const [where, calls] of [
        ['file', whole.files],
        ['store', whole.commits],
      ] as const) {
        for (let failAt = calls[0]; failAt < calls[1]; failAt++, ran++) {
          const place = `${kind} at ${where} ${failAt}`
          const { after: next, done } = await cutShort(test, act, { where, failAt, kind })
          const { epoch } = await next.call('device.list')
          const held = next.custody.epochs()
          expect([before, after], place).toContain(epoch)
          if (done) expect([epoch, held], place).toStrictEqual([after, heldAfter])
          const possible = [...(epoch === before ? [heldBefore] : []), ...(epoch === after ? [heldAfter] : [])]
          expect(possible, place).toContainEqual(held)
          if (held.length > 0) {
            expect(held, place).toStrictEqual([epoch])
            expect((await next.call('device.rename', { device: OWN_LAPTOP, name: 'again' })).table.epoch, place).toBe(
              epoch,
            )
          }
          outcomes.add(`${epoch} ${held.join(' ')}`)
        }
      }
    }
    expect(ran).toBe(3 * (whole.files[1] - whole.files[0] + whole.commits[1] - whole.commits[0]))
    expect(ran).toBeGreaterThan(10)
    // Both outcomes must occur, or no work was cut short.
    expect(outcomes).toStrictEqual(new Set([`${before} ${heldBefore.join(' ')}`, `${after} ${heldAfter.join(' ')}`]))
  }, 60_000)
})
