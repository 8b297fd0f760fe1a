import { readFileSync } from 'node:fs'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { openSlot, readSlots } from '../../src/daemon/sealed/key-file.ts'
import { openMemoryStore } from '../../src/store/memory-store.ts'
import type { Store } from '../../src/store/store.ts'
import { faultyFs, type FaultKind } from '../support/faulty-fs.ts'
import { OWN_LAPTOP, TestKeeper } from '../support/keeper.ts'
import { Life, mortalStore } from '../support/mortal.ts'
import { quickEngine as engine } from '../support/quick-engine.ts'
import { TestSealed, type SealedStory } from '../support/sealed.ts'

const DAY = 86_400
const KINDS: readonly FaultKind[] = ['not-persisted', 'persisted', 'dead']
const TEXTS = Array.from({ length: 20 }, (_, i): [string, string] => [String(10 + i), `text ${i}`])

async function keysOnDisk({ file }: TestSealed): Promise<number> {
  const slots = (await readSlots(file)) ?? []
  return slots.filter((slot) => slot.state === 'sealed' && openSlot(slot.file, { mode: 'unsealed' }, engine)).length
}

async function filled(story: SealedStory = {}): Promise<TestSealed> {
  const first = await TestSealed.open({ engine })
  await first.inChange((texts) => {
    for (const [id, text] of TEXTS) texts.put(id, text)
  })
  return await first.reopened(story)
}

interface Work {
  readonly name: string
  readonly act: (test: TestSealed) => Promise<unknown>
  /** Keys on disk after the whole of it. */
  readonly keys: number
}

const WORKS: readonly Work[] = [
  { name: 'the daily change', act: (test) => test.sealed.change.run(), keys: 1 },
  { name: 'the begin of a change', act: (test) => test.sealed.key.draw(), keys: 2 },
  { name: 'making the file openable without the secrets', act: (test) => test.test.custody.apps.release(), keys: 1 },
]

describe.each(WORKS)('$name', ({ act, keys }) => {
  it('costs no record, wherever it is cut short', async () => {
    const whole = faultyFs()
    const done = await filled({ keyFs: whole })
    done.test.later(DAY)
    await act(done)
    expect(await keysOnDisk(done)).toBe(keys)
    expect(whole.calls.length).toBeGreaterThan(3)
    let ran = 0
    for (const kind of KINDS) {
      for (let failAt = 0; failAt < whole.calls.length; failAt++, ran++) {
        const place = `${kind} at call ${failAt}, ${whole.calls[failAt]}`
        const test = await filled({ keyFs: faultyFs(failAt, kind) })
        test.test.later(DAY)
        await act(test).catch(() => {})
        // The state in memory loses nothing either.
        await test.put('10', 'anew')
        expect(await test.all(), place).toHaveLength(TEXTS.length)
        const next = await test.reopened()
        expect(await next.all(), place).toStrictEqual([['10', 'anew'], ...TEXTS.slice(1)])
        expect(next.codes, place).toStrictEqual(['APPS_KEY'])
        await next.sealed.change.run()
        const last = await next.reopened()
        expect(await last.all(), place).toHaveLength(TEXTS.length)
        expect(await keysOnDisk(last), place).toBe(1)
      }
    }
    expect(ran).toBe(3 * whole.calls.length)
  })
})

describe('a full disk', () => {
  it('leaves what apps keep open, and the change waits for room', async () => {
    const test = await filled({ keyFs: faultyFs(0, 'dead', 'ENOSPC') })
    test.test.later(DAY)
    await expect(test.sealed.change.run()).rejects.toMatchObject({ code: 'STORE_DISK_FULL' })
    expect(await test.all()).toStrictEqual(TEXTS)
  })

  it('at the first start leaves them closed, until there is room', async () => {
    const test = await TestSealed.open({ engine, keyFs: faultyFs(0, 'not-persisted', 'ENOSPC') })
    expect(test.sealed.key.closed).toMatchObject({ why: 'failed' })
    expect(test.codes).toStrictEqual(['APPS_KEY_UNUSABLE'])
    await test.sealed.key.settle()
    await test.put('a', 'a state')
    expect(test.codes).toStrictEqual(['APPS_KEY'])
  })

  it('at the first start of a persona of an earlier version leaves its secrets as they were', async () => {
    const keeper = await TestKeeper.open({ engine })
    await keeper.call('persona.init', { device: { name: 'laptop', key: OWN_LAPTOP } })
    const before = readFileSync(`${keeper.stateDir}/secrets`)
    const fs = faultyFs(0, 'not-persisted', 'ENOSPC')
    const { stateDir, store } = keeper
    const next = await TestKeeper.open({ engine, stateDir, store, fs })
    const test = await TestSealed.over(next, { engine })
    expect(test.sealed.key.closed).toMatchObject({ why: 'failed' })
    expect(readFileSync(`${keeper.stateDir}/secrets`).equals(before)).toBe(true)
    expect(next.storeFailures).toStrictEqual([])
    await test.sealed.key.settle()
    await test.put('a', 'a state')
  })
})

type Step = { readonly id: string; readonly text: string | null } | 'day'

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ id: fc.constantFrom('a', 'b', 'c', 'd'), text: fc.option(fc.string()) }) },
  { weight: 1, arbitrary: fc.constant('day' as const) },
)

/** Does the steps until the process dies. @returns what was acknowledged, and the step that was under way */
async function lived(test: TestSealed, steps: readonly Step[], kept: Map<string, string>): Promise<Step | null> {
  for (const one of steps) {
    try {
      if (one === 'day') {
        test.test.later(DAY)
        await test.sealed.change.run()
      } else {
        await test.inChange((texts) => (one.text === null ? texts.delete(one.id) : texts.put(one.id, one.text)))
        if (one.text === null) kept.delete(one.id)
        else kept.set(one.id, one.text)
      }
    } catch {
      return one
    }
  }
  return null
}

describe('a daemon that is killed at any write', () => {
  it('has every acknowledged record after each start', async () => {
    let kills = 0
    const life = fc.tuple(fc.nat(12), fc.nat(14), fc.array(step, { minLength: 1, maxLength: 8 }))
    await fc.assert(
      fc.asyncProperty(fc.array(life, { minLength: 1, maxLength: 4 }), async (lives) => {
        const store: Store = openMemoryStore()
        const kept = new Map<string, string>()
        const { stateDir } = (await TestSealed.open({ engine, store })).test
        let nowSec = DAY * 20_000
        for (const [writes, calls, steps] of lives) {
          const end = new Life(writes)
          const keyFs = faultyFs(calls, 'dead')
          const test = await TestSealed.open({ engine, stateDir, store: mortalStore(store, end), keyFs, nowSec })
          end.begin()
          const cut = await lived(test, steps, kept)
          nowSec = test.test.nowSec
          if (cut !== null) kills++
          await test.sealed.close()
          const next = await TestSealed.open({ engine, stateDir, store, nowSec })
          const found = new Map(await next.all())
          const possible = new Map(kept)
          if (cut !== null && cut !== 'day') {
            // It may be on disk, or not.
            const { id } = cut
            if (found.has(id)) possible.set(id, found.get(id)!)
            else possible.delete(id)
            expect([kept.get(id), cut.text ?? undefined]).toContain(found.get(id))
          }
          expect(found).toStrictEqual(possible)
          for (const id of kept.keys()) kept.delete(id)
          for (const [id, text] of found) kept.set(id, text)
          await next.sealed.close()
        }
      }),
      { numRuns: 30 },
    )
    expect(kills).toBeGreaterThan(10)
  })
})
