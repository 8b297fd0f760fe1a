/** Cuts work on a keeper short at one of its writes, of files and of the store, and then starts again. */
import { cpSync, mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import { removeLeftovers } from '../../src/durable/file.ts'
import { StoreError } from '../../src/store/errors.ts'
import { openMemoryStore } from '../../src/store/memory-store.ts'
import type { Store, Write } from '../../src/store/store.ts'
import { faultyFs, type FaultKind } from './faulty-fs.ts'
import { TestKeeper } from './keeper.ts'
import { tempDir } from './temp-dir.ts'

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

export interface Place {
  readonly where: 'file' | 'store' | 'nowhere'
  readonly failAt: number
  readonly kind: FaultKind
}

/** Numbers of the work's own calls: the first, and one after the last. */
export type Range = readonly [number, number]

/** Every kind of fault at every call that the work made when nothing cut it short. */
export function everyCut(whole: { readonly files: Range; readonly commits: Range }): Place[] {
  const range = ([from, to]: Range): number[] => Array.from({ length: to - from }, (_, n) => from + n)
  const calls = [
    ...range(whole.files).map((failAt) => ({ where: 'file', failAt }) as const),
    ...range(whole.commits).map((failAt) => ({ where: 'store', failAt }) as const),
  ]
  return KINDS.flatMap((kind) => calls.map((call) => ({ ...call, kind })))
}

/** Runs the work on the same state with a fault, and then the next start. */
export async function cutShort(
  test: TestKeeper,
  act: (keeper: TestKeeper) => Promise<unknown>,
  { where, failAt, kind }: Place,
): Promise<{ after: TestKeeper; done: boolean; files: Range; commits: Range }> {
  const stateDir = join(mkdtempSync(join(tempDir(), 'cut-')), 'state')
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
