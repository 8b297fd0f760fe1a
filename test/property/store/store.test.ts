import { join } from 'node:path'
import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { openMemoryStore } from '../../../src/store/memory-store.ts'
import type { Entry, Range, Store, Write } from '../../../src/store/store.ts'
import { openState } from '../../support/state-dir.ts'
import { tempDir } from '../../support/temp-dir.ts'

/** Few keys, so that writes collide; from several planes, so that the orders of UTF-8 and UTF-16 differ. */
const key = fc
  .tuple(
    fc.constantFrom('a/', 'ab/', 'b/'),
    fc.string({ unit: fc.constantFrom('x', 'ä', '\uFF21', '\u{1F600}'), maxLength: 2 }),
  )
  .map((parts) => parts.join(''))
const write: fc.Arbitrary<Write> = fc.record({ key, value: fc.option(fc.uint8Array({ maxLength: 12 })) })
const range: fc.Arbitrary<Range> = fc
  .record(
    {
      prefix: fc.constantFrom('a/', 'ab/', 'b/', 'a/x', 'c/'),
      rest: fc.string({ unit: fc.constantFrom('x', 'ä', '\uFF21'), maxLength: 2 }),
      limit: fc.nat(5),
      reverse: fc.boolean(),
    },
    { requiredKeys: ['prefix'] },
  )
  .map(({ rest, ...others }) => (rest === undefined ? others : { ...others, after: others.prefix + rest }))

type Step =
  | { readonly do: 'commits'; readonly commits: Write[][] }
  | { readonly do: 'read'; readonly range: Range }
  | { readonly do: 'reopen' }

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('commits' as const),
      commits: fc.array(fc.array(write, { minLength: 1, maxLength: 5 }), { minLength: 1, maxLength: 6 }),
    }),
  },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('read' as const), range }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('reopen' as const) }) },
)

const readAll = (store: Store, range: Range): Promise<Entry[]> => Array.fromAsync(store.iterate(range))

it('the store on LevelDB, closed and opened at random, behaves like the one in memory', async () => {
  let reopened = 0
  let read = 0
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 25 }), async (steps) => {
      const stateDir = join(tempDir(), 'state')
      const model = openMemoryStore()
      let state = await openState(stateDir)
      for (const step of [...steps, { do: 'reopen' } as const]) {
        switch (step.do) {
          case 'commits':
            // Not awaited one by one, so they go to disk in groups.
            await Promise.all(
              [model, state.store].flatMap((store) => step.commits.map((writes) => store.commit(writes))),
            )
            break
          case 'read': {
            const entries = await readAll(model, step.range)
            expect(await readAll(state.store, step.range)).toStrictEqual(entries)
            for (const { key, value } of entries) expect(state.store.get(key)).toStrictEqual(value)
            read += entries.length
            break
          }
          case 'reopen':
            await state.close()
            state = await openState(stateDir)
            reopened++
            break
        }
      }
      for (const prefix of ['a/', 'ab/', 'b/'])
        expect(await readAll(state.store, { prefix })).toStrictEqual(await readAll(model, { prefix }))
      await state.close()
    }),
    { numRuns: 40 },
  )
  expect(reopened).toBeGreaterThan(40)
  expect(read).toBeGreaterThan(40)
}, 240_000) // some 5 s; a slow disk takes ten times that for its fsyncs
