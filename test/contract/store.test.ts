import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { encodeUtf8 } from '../../src/core/encoding/bytes.ts'
import { openMemoryStore } from '../../src/store/memory-store.ts'
import { Collection, jsonCodec, MAX_COMMIT_BYTES, MAX_KEY_BYTES, MAX_VALUE_BYTES } from '../../src/store/store.ts'
import type { Range, Store, Write } from '../../src/store/store.ts'
import { openState } from '../support/state-dir.ts'
import type { OpenState } from '../support/state-dir.ts'
import { tempDir } from '../support/temp-dir.ts'

interface Subject {
  readonly name: string
  /** @param beforeWrite runs before each write to the medium; its error counts as the medium's error */
  open(beforeWrite?: () => Promise<void>): Promise<OpenState>
}

const SUBJECTS: readonly Subject[] = [
  {
    name: 'memory',
    open: async (beforeWrite) => {
      const store = openMemoryStore(beforeWrite)
      return { store, close: () => store.close() }
    },
  },
  {
    name: 'LevelDB',
    open: (beforeWrite = async () => undefined) =>
      openState(join(tempDir(), 'state'), async (point, write) => {
        if (point === 'batch') await beforeWrite()
        await write()
      }),
  },
]

const put = (key: string, value: string): Write => ({ key, value: encodeUtf8(value) })
const remove = (key: string): Write => ({ key, value: null })

async function keys(store: Store, range: Range): Promise<string[]> {
  const found: string[] = []
  for await (const { key } of store.iterate(range)) found.push(key)
  return found
}

function checkNumber(value: unknown): number {
  if (typeof value !== 'number') throw new Error('not a number')
  return value
}

/** A promise that the test resolves from outside. */
function gate(): { opened: Promise<void>; open: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>()
  return { opened: promise, open: resolve }
}

describe.each(SUBJECTS)('a store ($name)', (subject) => {
  it('returns committed records, and undefined for missing or removed ones', async () => {
    const { store, close } = await subject.open()
    await store.commit([put('a/1', 'one'), put('a/2', ''), put('a/3', 'three')])
    await store.commit([remove('a/3'), remove('a/never')])
    expect(store.get('a/1')).toStrictEqual(encodeUtf8('one'))
    expect(store.get('a/2')).toStrictEqual(new Uint8Array(0))
    expect(store.get('a/3')).toBeUndefined()
    expect(store.get('a/4')).toBeUndefined()
    await close()
  })

  it('keeps the later of two writes to one key, within a commit and between commits', async () => {
    const { store, close } = await subject.open()
    await store.commit([put('a/1', 'x'), remove('a/1'), put('a/1', 'y')])
    expect(store.get('a/1')).toStrictEqual(encodeUtf8('y'))
    await Promise.all([store.commit([put('a/1', '1')]), store.commit([put('a/1', '2')]), store.commit([remove('a/1')])])
    expect(store.get('a/1')).toBeUndefined()
    await close()
  })

  it('does not change when a caller changes its buffers afterwards', async () => {
    const { store, close } = await subject.open()
    const value = encodeUtf8('before')
    const committed = store.commit([{ key: 'a/1', value }])
    value.fill(0)
    await committed
    store.get('a/1')!.fill(0)
    expect(store.get('a/1')).toStrictEqual(encodeUtf8('before'))
    await close()
  })

  it('orders keys by their bytes in UTF-8, and separates prefixes', async () => {
    const { store, close } = await subject.open()
    // In UTF-16 order, U+1F600 would come before U+FF21.
    const ordered = ['n/', 'n/A', 'n/AB', 'n/B', 'n/a', 'n/ä', 'n/\uFF21', 'n/\u{1F600}']
    await store.commit([...ordered, 'm/z', 'n0/a', 'o/a'].toReversed().map((key) => put(key, key)))
    expect(await keys(store, { prefix: 'n/' })).toStrictEqual(ordered)
    expect(await keys(store, { prefix: 'n/', reverse: true })).toStrictEqual(ordered.toReversed())
    expect(await keys(store, { prefix: 'n/A' })).toStrictEqual(['n/A', 'n/AB'])
    expect(await keys(store, { prefix: 'x/' })).toStrictEqual([])
    await close()
  })

  it('pages through a range in both directions without gaps or repetitions', async () => {
    const { store, close } = await subject.open()
    const all = Array.from({ length: 23 }, (_, i) => `p/${String(i).padStart(3, '0')}`)
    await store.commit([...all, 'o/1', 'q/1'].map((key) => put(key, key)))
    let pages = 0
    for (const reverse of [false, true]) {
      const seen: string[] = []
      for (let after: string | undefined; ; after = seen.at(-1)) {
        const page = await keys(store, { prefix: 'p/', limit: 5, reverse, ...(after === undefined ? {} : { after }) })
        pages++
        seen.push(...page)
        if (page.length < 5) break
      }
      expect(seen).toStrictEqual(reverse ? all.toReversed() : all)
    }
    expect(pages).toBe(10)
    expect(await keys(store, { prefix: 'p/', limit: 0 })).toStrictEqual([])
    await expect(keys(store, { prefix: 'p/', after: 'o/1' })).rejects.toMatchObject({ code: 'STORE_KEY_INVALID' })
    await close()
  })

  it('iterates over a snapshot, whatever is committed meanwhile', async () => {
    const { store, close } = await subject.open()
    await store.commit(Array.from({ length: 600 }, (_, i) => put(`p/${String(i).padStart(3, '0')}`, 'old')))
    let count = 0
    for await (const { value } of store.iterate({ prefix: 'p/' })) {
      if (count === 0) await store.commit([remove('p/500'), put('p/501', 'new'), put('p/9999', 'new')])
      expect(value).toStrictEqual(encodeUtf8('old'))
      count++
    }
    expect(count).toBe(600)
    await close()
  })

  it('does not show a commit before it is on disk', async () => {
    const { opened, open } = gate()
    const { store, close } = await subject.open(() => opened)
    const committed = store.commit([put('a/1', 'x')])
    expect(store.get('a/1')).toBeUndefined()
    open()
    await committed
    expect(store.get('a/1')).toBeDefined()
    await close()
  })

  it('writes the commits that arrive during a write together, in their order', async () => {
    let writes = 0
    const { opened, open } = gate()
    const { store, close } = await subject.open(async () => {
      writes++
      await opened
    })
    const acknowledged: number[] = []
    const callers = Array.from({ length: 200 }, async (_, i) => {
      // The first one alone is being written.
      if (i > 0) await setImmediate()
      await store.commit([put('a/last', String(i)), put(`a/${i}`, 'x')])
      acknowledged.push(i)
    })
    await setImmediate()
    await setImmediate()
    open()
    await Promise.all(callers)
    expect(writes).toBe(2)
    expect(acknowledged).toStrictEqual(Array.from({ length: 200 }, (_, i) => i))
    expect(store.get('a/last')).toStrictEqual(encodeUtf8('199'))
    expect(await keys(store, { prefix: 'a/' })).toHaveLength(201)
    await close()
  })

  it('does not let small commits wait for more than a mebibyte of others', async () => {
    let writes = 0
    const { store, close } = await subject.open(async () => void writes++)
    const value = new Uint8Array(400_000)
    await Promise.all(Array.from({ length: 7 }, (_, i) => store.commit([{ key: `a/${i}`, value }])))
    // Three pairs, and one alone.
    expect(writes).toBe(4)
    await close()
  })

  it('rejects all callers of a failed write and all after it, and answers nothing more', async () => {
    const { opened, open } = gate()
    let writes = 0
    const { store, close } = await subject.open(async () => {
      await opened
      if (++writes === 2) throw Object.assign(new Error('EIO: i/o error, write'), { code: 'EIO' })
    })
    const value = new Uint8Array(700_000)
    const first = store.commit([put('a/1', 'x')])
    await setImmediate()
    const together = [store.commit([put('a/2', 'x')]), store.commit([put('a/3', 'x')])]
    const behind = store.commit([
      { key: 'a/4', value },
      { key: 'a/5', value },
    ])
    open()
    const outcomes = await Promise.allSettled([first, ...together, behind])
    expect(outcomes.map((outcome) => (outcome.status === 'rejected' ? outcome.reason.code : 'done'))).toStrictEqual([
      'done',
      'STORE_IO',
      'STORE_IO',
      'STORE_STOPPED',
    ])
    await expect(store.commit([put('a/6', 'x')])).rejects.toMatchObject({ code: 'STORE_STOPPED' })
    expect(() => store.get('a/1')).toThrowError(expect.objectContaining({ code: 'STORE_STOPPED' }))
    await expect(keys(store, { prefix: 'a/' })).rejects.toMatchObject({ code: 'STORE_STOPPED' })
    expect(writes).toBe(2)
    await close()
  })

  it('reports a full disk', async () => {
    const { store, close } = await subject.open(async () => {
      throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' })
    })
    await expect(store.commit([put('a/1', 'x')])).rejects.toMatchObject({ code: 'STORE_DISK_FULL' })
    await close()
  })

  it('finishes the commits called before close, and refuses later ones', async () => {
    const { store, close } = await subject.open()
    const commits = [store.commit([put('a/1', 'x')]), store.commit([put('a/2', 'x')])]
    const closing = close()
    await expect(store.commit([put('a/3', 'x')])).rejects.toMatchObject({ code: 'STORE_CLOSED' })
    await Promise.all([...commits, closing])
    expect(() => store.get('a/1')).toThrowError(expect.objectContaining({ code: 'STORE_CLOSED' }))
    await expect(keys(store, { prefix: 'a/' })).rejects.toMatchObject({ code: 'STORE_CLOSED' })
    await store.close()
  })

  const REFUSED: readonly (readonly [string, string, Write])[] = [
    ['STORE_KEY_INVALID', 'a lone surrogate, which would become another key', put('a/\uD800', '')],
    ['STORE_KEY_INVALID', 'the end of all ranges', put('a/\u{10FFFF}', '')],
    ['STORE_KEY_INVALID', 'no kind', put('commit', '')],
    ['STORE_KEY_INVALID', 'one byte too long', put('a/' + 'k'.repeat(MAX_KEY_BYTES - 1), '')],
    ['STORE_KEY_INVALID', 'too long in UTF-8 only', put('a/' + '\u20AC'.repeat(Math.ceil(MAX_KEY_BYTES / 3)), '')],
    ['STORE_TOO_LARGE', 'a value one byte too long', { key: 'a/1', value: new Uint8Array(MAX_VALUE_BYTES + 1) }],
  ]
  it('refuses a whole commit if one of its writes is invalid, and continues', async () => {
    let writes = 0
    const { store, close } = await subject.open(async () => void writes++)
    let ran = 0
    for (const [code, title, write] of REFUSED) {
      await expect(store.commit([put('a/0', 'x'), write]), title).rejects.toMatchObject({ code })
      ran++
    }
    expect(ran).toBe(6)
    const value = new Uint8Array(MAX_VALUE_BYTES)
    const many = Array.from({ length: MAX_COMMIT_BYTES / MAX_VALUE_BYTES }, (_, i) => ({ key: `a/${i}`, value }))
    await expect(store.commit(many)).rejects.toMatchObject({ code: 'STORE_TOO_LARGE' })
    expect(writes).toBe(0)
    await store.commit([put('a/' + 'k'.repeat(MAX_KEY_BYTES - 2), 'x'), { key: 'a/1', value }])
    expect(await keys(store, { prefix: 'a/' })).toHaveLength(2)
    expect(store.get('a/0')).toBeUndefined()
    await close()
  })

  it('separates the kinds of collections, and refuses unreadable records', async () => {
    const { store, close } = await subject.open()
    const numbers = new Collection(store, 'number', jsonCodec(1, checkNumber))
    const others = new Collection(store, 'other', jsonCodec(1, checkNumber))
    await store.commit([numbers.put('x', 1), numbers.put('y/1', 2), numbers.put('y/2', 3), others.put('x', 4)])
    expect([numbers.get('x'), others.get('x'), others.get('y/1')]).toStrictEqual([1, 4, undefined])
    expect(await Array.fromAsync(numbers.iterate())).toStrictEqual([
      ['x', 1],
      ['y/1', 2],
      ['y/2', 3],
    ])
    expect(await Array.fromAsync(numbers.iterate({ prefix: 'y/', after: 'y/1' }))).toStrictEqual([['y/2', 3]])
    expect(await Array.fromAsync(numbers.iterate({ reverse: true, limit: 1 }))).toStrictEqual([['y/2', 3]])
    await store.commit([numbers.remove('x')])
    expect(numbers.get('x')).toBeUndefined()

    const later = new Collection(store, 'number', jsonCodec(2, String))
    await store.commit([
      later.put('later', 'x'),
      { key: 'number/text', value: encodeUtf8('\x01"x"') },
      put('number/none', ''),
      put('number/zero', '\x001'),
    ])
    expect(() => numbers.get('later')).toThrowError(expect.objectContaining({ code: 'STORE_SCHEMA_NEWER' }))
    expect(() => numbers.get('text')).toThrowError(expect.objectContaining({ code: 'STORE_CORRUPT' }))
    expect(() => numbers.get('none')).toThrowError(expect.objectContaining({ code: 'STORE_CORRUPT' }))
    expect(() => numbers.get('zero')).toThrowError(expect.objectContaining({ code: 'STORE_CORRUPT' }))
    expect(() => new Collection(store, 'a/b', jsonCodec(1, checkNumber))).toThrowError(
      expect.objectContaining({ code: 'STORE_KEY_INVALID' }),
    )
    await close()
  })
})
