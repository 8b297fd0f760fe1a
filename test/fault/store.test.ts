import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { describe, expect, it } from 'vitest'
import { encodeUtf8, equalBytes } from '../../src/core/encoding/bytes.ts'
import type { Intercept, WritePoint } from '../../src/store/level-store.ts'
import { openState } from '../support/state-dir.ts'
import { tempDir } from '../support/temp-dir.ts'

const CHILD = join(import.meta.dirname, '../support/committing-child.ts')
const ROUNDS = 20
const FILE_LIMIT_BLOCKS = 256 // of 512 bytes; the log of LevelDB then ends inside a record after about twenty commits

const value = encodeUtf8('x')

/** Makes the n-th write at a point fail, before or after it reached the disk. */
function failAt(point: WritePoint, n: number, persists: boolean): Intercept {
  let count = 0
  return async (at, write) => {
    if (at !== point || ++count !== n) return write()
    if (persists) await write()
    throw Object.assign(new Error('EIO: i/o error, write'), { code: 'EIO' })
  }
}

describe('a write that fails', () => {
  const CASES: readonly (readonly [WritePoint, boolean, boolean])[] = [
    ['batch', false, false],
    ['batch', true, true],
    ['anchor', false, true],
    ['anchor', true, true],
  ]

  it.each(CASES)(
    'at the %s, persisted %s, keeps all acknowledged commits, and all or nothing of the others',
    async (point, persists, isThere) => {
      const stateDir = join(tempDir(), 'state')
      const before = await openState(stateDir, failAt(point, 3, persists))
      for (const n of [1, 2])
        await before.store.commit([
          { key: `a/${n}`, value },
          { key: `b/${n}`, value },
        ])
      const failing = before.store.commit([
        { key: 'a/3', value },
        { key: 'b/3', value },
      ])
      await expect(failing).rejects.toMatchObject({ code: 'STORE_IO' })
      await expect(before.store.commit([{ key: 'a/4', value }])).rejects.toMatchObject({ code: 'STORE_STOPPED' })
      await before.close()

      for (let opening = 0; opening < 3; opening++) {
        const { store, close } = await openState(stateDir)
        expect(['a/1', 'b/1', 'a/2', 'b/2'].map((key) => store.get(key) !== undefined)).toStrictEqual([
          true,
          true,
          true,
          true,
        ])
        expect([store.get('a/3') !== undefined, store.get('b/3') !== undefined]).toStrictEqual([isThere, isThere])
        expect(store.get('a/4')).toBeUndefined()
        await store.commit([{ key: `again/${opening}`, value }])
        await close()
      }
    },
  )
})

interface Outcome {
  readonly acknowledged: readonly number[]
  readonly failure: string | null
}

/** Reads the child's output until it ends, and kills it after a number of acknowledgements. */
async function watch(child: ChildProcess, killAfter: number): Promise<Outcome> {
  const acknowledged: number[] = []
  let failure: string | null = null
  const closed = once(child, 'close')
  for await (const line of createInterface({ input: child.stdout! })) {
    if (line.startsWith('failed ')) failure = line.slice('failed '.length)
    else if (/^\d+$/.test(line)) acknowledged.push(Number(line))
    if (acknowledged.length === killAfter) child.kill('SIGKILL')
  }
  await closed
  return { acknowledged, failure }
}

/** Checks the state after any end of the child. @returns first number that was never used */
async function checkPairs(stateDir: string, acknowledged: readonly number[]): Promise<number> {
  const { store, close } = await openState(stateDir)
  const missing = acknowledged.filter((n) => store.get(`a/${n}`) === undefined)
  const numbers: number[] = []
  const torn: number[] = []
  for await (const { key, value } of store.iterate({ prefix: 'a/' })) {
    const n = Number(key.slice(2))
    numbers.push(n)
    const other = store.get(`b/${n}`)
    // Both records of a commit, or neither.
    if (other === undefined || !equalBytes(value, other) || value[0] !== (n & 0xff)) torn.push(n)
  }
  let bCount = 0
  for await (const _ of store.iterate({ prefix: 'b/' })) bCount++
  expect({ missing, torn }).toStrictEqual({ missing: [], torn: [] })
  expect(bCount).toBe(numbers.length)
  await close()
  return Math.max(0, ...numbers) + 1
}

describe('a process that ends while it commits', () => {
  it('by SIGKILL keeps all acknowledged commits, and only whole commits of the others', async () => {
    const stateDir = join(tempDir(), 'state')
    const all: number[] = []
    let next = 1
    for (let round = 0; round < ROUNDS; round++) {
      const child = spawn(process.execPath, [CHILD, stateDir, String(next)], { stdio: ['ignore', 'pipe', 'inherit'] })
      const { acknowledged, failure } = await watch(child, randomInt(1, 120))
      expect(failure).toBeNull()
      expect(child.signalCode).toBe('SIGKILL')
      all.push(...acknowledged)
      next = await checkPairs(stateDir, all)
    }
    expect(all.length).toBeGreaterThanOrEqual(ROUNDS)
  }, 60_000)

  it('because a file cannot grow reports it, and continues after there is room again', async () => {
    const stateDir = join(tempDir(), 'state')
    // A limit on file sizes stops a write in the middle, like a full disk, and needs no root.
    const command = `ulimit -f ${FILE_LIMIT_BLOCKS} && exec "$0" "$@"`
    const child = spawn('sh', ['-c', command, process.execPath, CHILD, stateDir], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const { acknowledged, failure } = await watch(child, Infinity)
    expect(failure).toBe('STORE_DISK_FULL')
    expect(acknowledged.length).toBeGreaterThan(5)
    const next = await checkPairs(stateDir, acknowledged)
    const { store, close } = await openState(stateDir)
    await store.commit([{ key: `a/${next}`, value }])
    await close()
  })
})
