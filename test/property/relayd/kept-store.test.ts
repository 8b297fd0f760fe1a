import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { KeptStore } from '../../../src/relayd/kept/kept-store.ts'
import { openMemoryStore } from '../../../src/store/memory-store.ts'
import type { ResumableStore, Write } from '../../../src/store/store.ts'
import { codeOf } from '../../support/code-of.ts'

const RUNS = 100
const MAX_BYTES = 128 * 160 // segments with room for one to eight records

/** Few keys, so that they meet; the last two have one hash. */
const KEYS = [...'abcdef'].flatMap((letter) => [`k/${letter}`, `new/${letter}`]).concat('k/3657949', 'k/5408180')
const key = fc.constantFrom(...KEYS)
/** The longest has no room in a segment. */
const length = fc.constantFrom(null, 0, 1, 20, 90, 200)
const write = fc.record({ key, length })

type Step =
  | { readonly do: 'commit'; readonly writes: readonly { readonly key: string; readonly length: number | null }[] }
  | { readonly do: 'read'; readonly key: string }
  | { readonly do: 'go on' | 'end all' | 'fill the disk' | 'drive out all' }

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('commit' as const),
      writes: fc.array(write, { minLength: 1, maxLength: 4 }),
    }),
  },
  { weight: 10, arbitrary: fc.record({ do: fc.constant('read' as const), key }) },
  { weight: 6, arbitrary: fc.constant({ do: 'go on' as const }) },
  { weight: 3, arbitrary: fc.constant({ do: 'end all' as const }) },
  { weight: 1, arbitrary: fc.constant({ do: 'fill the disk' as const }) },
  { weight: 1, arbitrary: fc.constant({ do: 'drive out all' as const }) },
)

/** A store in memory whose disk may be full, and what its callers may read. */
class Disk {
  readonly store: ResumableStore
  readonly seen = { fromDisk: 0, reads: 0, refused: 0 }
  isFull = false
  readonly #acknowledged = new Map<string, Uint8Array | null>()
  /** In the order of their commits. */
  readonly #coming = new Set<readonly Write[]>()
  #commits: Promise<unknown>[] = []

  constructor() {
    const memory = openMemoryStore(async () => {
      if (this.isFull) throw new Error('ENOSPC')
    })
    this.store = {
      ...memory,
      get: (key) => {
        this.seen.fromDisk++
        return memory.get(key)
      },
    }
  }

  /** Commits, and notes the outcome before anybody else hears of it. */
  commit(to: ResumableStore, writes: readonly Write[]): void {
    this.#coming.add(writes)
    const noted = async (): Promise<void> => {
      const code = await codeOf(to.commit(writes))
      this.#coming.delete(writes)
      if (code === 'done') for (const { key, value } of writes) this.#acknowledged.set(key, value)
      else expect(code).toBe('STORE_DISK_FULL')
      if (code !== 'done') this.seen.refused++
    }
    this.#commits.push(noted())
  }

  async endAll(): Promise<void> {
    await Promise.all(this.#commits.splice(0))
    this.isFull = false
    await this.store.resume()
  }

  /** The values that a read may show: the one that was acknowledged last, or anything that is on its way. */
  readable(key: string): (Uint8Array | undefined)[] {
    const coming = [...this.#coming].flat().filter((write) => write.key === key)
    return [this.#acknowledged.get(key), ...coming.map(({ value }) => value)].map((value) => value ?? undefined)
  }
}

it('a read shows what was acknowledged last or is on its way, whatever was kept, driven out or refused before', async () => {
  const sum = { fromDisk: 0, reads: 0, refused: 0 }
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 80 }), async (steps) => {
      const disk = new Disk()
      const kept = new KeptStore(disk.store, { readSoon: 'new/', maxReadBytes: MAX_BYTES, maxNewBytes: MAX_BYTES })
      let number = 0
      const read = (key: string): void => {
        disk.seen.reads++
        expect(disk.readable(key)).toContainEqual(kept.get(key))
      }
      for (const step of [...steps, { do: 'end all' } as const]) {
        switch (step.do) {
          case 'commit':
            disk.commit(
              kept,
              step.writes.map(({ key, length }) => ({
                key,
                value: length === null ? null : new Uint8Array(length).fill(++number),
              })),
            )
            break
          case 'read':
            read(step.key)
            break
          case 'go on':
            await Promise.resolve()
            break
          case 'end all':
            await disk.endAll()
            KEYS.forEach(read)
            break
          case 'fill the disk':
            disk.isFull = true
            break
          case 'drive out all':
            for (let n = 0; n < 1000; n++) kept.get(`k/other ${n}`)
            break
        }
      }
      for (const name of ['fromDisk', 'reads', 'refused'] as const) sum[name] += disk.seen[name]
    }),
    { numRuns: RUNS },
  )
  expect(sum.refused).toBeGreaterThan(RUNS)
  expect(sum.fromDisk).toBeGreaterThan(RUNS)
  expect(sum.reads).toBeGreaterThan(20 * RUNS)
})
