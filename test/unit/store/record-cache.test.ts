import { expect, test } from 'vitest'
import { openMemoryStore } from '../../../src/store/memory-store.ts'
import { RecordCache } from '../../../src/store/record-cache.ts'
import { Collection, jsonCodec, type Store } from '../../../src/store/store.ts'

/** A store that counts its reads, and two collections with a cache. */
function kept() {
  const store = openMemoryStore()
  const reads: string[] = []
  const counting: Store = {
    get: (key) => {
      reads.push(key)
      return store.get(key)
    },
    iterate: (range) => store.iterate(range),
    commit: (writes) => store.commit(writes),
    close: () => store.close(),
  }
  const cache = new RecordCache()
  const codec = jsonCodec(1, Number)
  return {
    cache,
    reads,
    store,
    a: new Collection(counting, 'a', codec, cache),
    b: new Collection(counting, 'b', codec, cache),
  }
}

test('a record is read only once, even if it is missing', async () => {
  const { a, reads, store } = kept()
  await store.commit([a.put('x', 7)])
  expect([a.get('x'), a.get('x'), a.get('none'), a.get('none')]).toEqual([7, 7, undefined, undefined])
  expect(reads).toEqual(['a/x', 'a/none'])
})

test('only a changed record is read again; an id may contain a slash', async () => {
  const { a, b, cache, reads, store } = kept()
  await store.commit([a.put('x/y', 1), a.put('x', 2), b.put('x/y', 3)])
  expect([a.get('x/y'), a.get('x'), b.get('x/y')]).toEqual([1, 2, 3])
  await store.commit([a.put('x/y', 4)])
  expect(a.get('x/y')).toBe(1)
  cache.forget(['a/x/y', 'unknown/x'])
  expect([a.get('x/y'), a.get('x'), b.get('x/y')]).toEqual([4, 2, 3])
  expect(reads).toEqual(['a/x/y', 'a/x', 'b/x/y', 'a/x/y'])
})

test('a writer reads the value that it keeps, until the cache is cleared or full', async () => {
  const { store, reads } = kept()
  const cache = new RecordCache(2)
  const counted: Store = { ...store, get: (key) => (reads.push(key), store.get(key)) }
  const a = new Collection(counted, 'a', jsonCodec(1, Number), cache)
  await store.commit([a.put('x', 7)])
  a.keep('x', 8)
  expect(a.get('x')).toBe(8)
  cache.clear()
  expect(a.get('x')).toBe(7)
  expect([a.get('y'), a.get('z'), a.get('x')]).toEqual([undefined, undefined, 7])
  expect(reads).toEqual(['a/x', 'a/y', 'a/z', 'a/x'])
})
