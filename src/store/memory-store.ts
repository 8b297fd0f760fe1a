/** The store in memory, for tests of code on top of the store, and as the model for tests of the store on disk. */
import { compareBytes, encodeUtf8 } from '../core/encoding/bytes.ts'
import { GroupCommit } from './group-commit.ts'
import { checkKey, checkRange } from './store.ts'
import type { Entry, Range, ResumableStore, Write } from './store.ts'

/** @param beforeWrite runs before each write; if it rejects, the write fails. Tests inject faults with it */
export function openMemoryStore(beforeWrite: () => Promise<void> = () => Promise.resolve()): ResumableStore {
  const records = new Map<string, Uint8Array>()
  const commits = new GroupCommit(async (writes: readonly Write[]) => {
    await beforeWrite()
    for (const { key, value } of writes) {
      if (value === null) records.delete(key)
      else records.set(key, value)
    }
  }, 'in memory')

  return {
    get(key: string): Uint8Array | undefined {
      commits.checkReadable()
      checkKey(key)
      const value = records.get(key)
      // A copy, as from disk: the caller may change it.
      return value && Uint8Array.from(value)
    },
    async *iterate(range: Range): AsyncGenerator<Entry, void, undefined> {
      commits.checkReadable()
      checkRange(range)
      for (const [key, value] of select(records, range)) yield { key, value: Uint8Array.from(value) }
    },
    commit: (writes) => commits.commit(writes),
    resume: () => {
      commits.resume()
      return Promise.resolve(true)
    },
    compact: () => Promise.resolve(),
    close: () => commits.close(),
  }
}

function select(records: ReadonlyMap<string, Uint8Array>, range: Range): [string, Uint8Array][] {
  const { prefix, after, limit = Infinity, reverse = false } = range
  const sign = reverse ? -1 : 1
  // Above U+D7FF the orders of UTF-16 and UTF-8 differ, so compare the bytes.
  const order = (a: string, b: string): number => sign * compareBytes(encodeUtf8(a), encodeUtf8(b))
  return [...records]
    .filter(([key]) => key.startsWith(prefix) && (after === undefined || order(key, after) > 0))
    .sort(([a], [b]) => order(a, b))
    .slice(0, limit)
}
