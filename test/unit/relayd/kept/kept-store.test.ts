import { expect, test } from 'vitest'
import { KeptStore } from '../../../../src/relayd/kept/kept-store.ts'
import { StoreError } from '../../../../src/store/errors.ts'
import { openMemoryStore } from '../../../../src/store/memory-store.ts'
import type { ResumableStore } from '../../../../src/store/store.ts'

const OPTIONS = { readSoon: 'new/' }

const value = (byte: number, length = 100): Uint8Array => new Uint8Array(length).fill(byte)

/** A store that counts its reads. */
function counted(): { store: ResumableStore; reads: string[] } {
  const memory = openMemoryStore()
  const reads: string[] = []
  const store: ResumableStore = {
    get: (key) => {
      reads.push(key)
      return memory.get(key)
    },
    iterate: (range) => memory.iterate(range),
    commit: (writes) => memory.commit(writes),
    resume: () => memory.resume(),
    compact: (from, to) => memory.compact(from, to),
    close: () => memory.close(),
  }
  return { store, reads }
}

test('a record is read from the disk once, also one that is not there', async () => {
  const { store, reads } = counted()
  await store.commit([{ key: 'k/1', value: value(1) }])
  const kept = new KeptStore(store, OPTIONS)
  for (let n = 0; n < 3; n++) {
    expect(kept.get('k/1')).toEqual(value(1))
    expect(kept.get('k/2')).toBeUndefined()
  }
  expect(reads).toEqual(['k/1', 'k/2'])
})

test('a read shows a commit once it has ended, and not before', async () => {
  const { store, reads } = counted()
  const kept = new KeptStore(store, OPTIONS)
  const commits = [1, 2].map((byte) => kept.commit([{ key: 'k/1', value: value(byte) }]))
  expect(kept.get('k/1')).toBeUndefined()
  await Promise.all(commits)
  expect(kept.get('k/1')).toEqual(value(2))
  await kept.commit([{ key: 'k/1', value: null }])
  expect(kept.get('k/1')).toBeUndefined()
  expect(reads).toEqual(['k/1'])
})

test('a commit that failed shows nothing; after a full disk what is kept stays, after any other failure nothing is', async () => {
  const { store, reads } = counted()
  await store.commit([{ key: 'k/1', value: value(1) }])
  for (const [code, count] of [
    ['STORE_DISK_FULL', 1],
    ['STORE_IO', 2],
  ] as const) {
    const commit = (): Promise<void> => Promise.reject(new StoreError(code, 'failed'))
    const kept = new KeptStore({ ...store, commit }, OPTIONS)
    reads.splice(0)
    kept.get('k/1')
    await expect(kept.commit([{ key: 'k/1', value: value(2) }])).rejects.toThrow('failed')
    expect(kept.get('k/1')).toEqual(value(1))
    expect(reads).toHaveLength(count)
  }
})

test('a record that nobody read is not kept', async () => {
  const { store, reads } = counted()
  const kept = new KeptStore(store, OPTIONS)
  await kept.commit([{ key: 'k/1', value: value(1) }])
  expect(kept.bytes).toBe(0)
  expect(kept.get('k/1')).toEqual(value(1))
  expect(reads).toEqual(['k/1'])
})

test('a record that is read soon is kept when it is written, until it is removed; one that failed is not', async () => {
  const { store, reads } = counted()
  const kept = new KeptStore(store, OPTIONS)
  const commit = kept.commit([{ key: 'new/1', value: value(1) }])
  expect(kept.bytes).toBe(0)
  await commit
  expect(kept.get('new/1')).toEqual(value(1))
  expect(reads).toEqual([])
  await kept.commit([{ key: 'new/1', value: null }])
  expect(kept.get('new/1')).toBeUndefined()
  expect(reads).toEqual(['new/1'])
  const full = (): Promise<void> => Promise.reject(new StoreError('STORE_DISK_FULL', 'full'))
  const stuck = new KeptStore({ ...store, commit: full }, OPTIONS)
  await expect(stuck.commit([{ key: 'new/2', value: value(2) }])).rejects.toThrow('full')
  expect(stuck.get('new/2')).toBeUndefined()
})

const MAX_BYTES = 128 * 1000 // segments with room for eight records of the tests

test('new records have a bound of their own, and drive out none that was read', async () => {
  const { store, reads } = counted()
  const kept = new KeptStore(store, { ...OPTIONS, maxNewBytes: MAX_BYTES })
  kept.get('k/1')
  const ofRead = kept.bytes
  for (let n = 1000; n < 3000; n++) await kept.commit([{ key: `new/${n}`, value: value(n) }])
  expect(kept.bytes - ofRead).toBe(MAX_BYTES)
  reads.splice(0)
  expect(kept.get('k/1')).toBeUndefined()
  expect(kept.get('new/2999')).toEqual(value(2999))
  expect(reads).toEqual([])
  expect(kept.get('new/1000')).toEqual(value(1000))
  expect(reads).toEqual(['new/1000'])
})

test('what is kept has a bound, and the oldest goes first', async () => {
  const { store, reads } = counted()
  const kept = new KeptStore(store, { ...OPTIONS, maxReadBytes: MAX_BYTES })
  for (let n = 1000; n < 3000; n++) {
    expect(kept.get(`k/${n}`)).toBeUndefined()
    await kept.commit([{ key: `k/${n}`, value: value(n) }])
  }
  expect(kept.bytes).toBe(MAX_BYTES)
  reads.splice(0)
  expect(kept.get('k/2999')).toEqual(value(2999))
  expect(reads).toEqual([])
  expect(kept.get('k/1000')).toEqual(value(1000))
  expect(reads).toEqual(['k/1000'])
})

test('a record with no room in a segment is not kept, nor is the one before in its place', async () => {
  const { store, reads } = counted()
  const kept = new KeptStore(store, { ...OPTIONS, maxReadBytes: MAX_BYTES })
  const largest = 1000 - 12 - 'k/big'.length - 3
  for (const [length, isKept] of [
    [largest, true],
    [largest + 1, false],
    [10_000, false],
    [0, true],
  ] as const) {
    await kept.commit([{ key: 'k/big', value: value(1) }])
    kept.get('k/big')
    await kept.commit([{ key: 'k/big', value: value(2, length) }])
    reads.splice(0)
    expect(kept.get('k/big')).toEqual(value(2, length))
    expect(reads, `${length}`).toEqual(isKept ? [] : ['k/big'])
  }
})

test('of two keys with one hash the later is kept, and neither is read in place of the other', async () => {
  const { store, reads } = counted()
  const [one, other] = ['k/3657949', 'k/5408180']
  await store.commit([one, other].map((key, n) => ({ key, value: value(n) })))
  const kept = new KeptStore(store, OPTIONS)
  for (const [n, key] of [one, other, other, one].entries())
    expect(kept.get(key)).toEqual(value(n === 1 || n === 2 ? 1 : 0))
  expect(reads).toEqual([one, other, one])
  await kept.commit([{ key: other, value: null }])
  expect(kept.get(one)).toEqual(value(0))
  expect(kept.get(other)).toBeUndefined()
})

test('a value that was read stays as it was while newer records take its place', async () => {
  const kept = new KeptStore(openMemoryStore(), { ...OPTIONS, maxNewBytes: MAX_BYTES })
  await kept.commit([{ key: 'new/1', value: value(1) }])
  const held = kept.get('new/1')
  for (let n = 1000; n < 3000; n++) await kept.commit([{ key: `new/${n}`, value: value(n) }])
  await kept.commit([{ key: 'new/1', value: value(2) }])
  expect(held).toEqual(value(1))
})

test('a key that no store has is refused, and a key that is not ASCII is read from the disk', async () => {
  const { store, reads } = counted()
  await store.commit([{ key: 'k/\ufffd', value: value(1) }])
  const kept = new KeptStore(store, OPTIONS)
  for (let n = 0; n < 2; n++) expect(kept.get('k/\ufffd')).toEqual(value(1))
  expect(reads).toHaveLength(2)
  for (const key of ['k/\ud800', `k/${'x'.repeat(600)}`])
    expect(() => kept.get(key)).toThrow(expect.objectContaining({ code: 'STORE_KEY_INVALID' }))
})
