/** One flipped bit in store or anchor: it is refused, or nothing is different. And salvage names what it leaves out. */
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { StoreError } from '../../src/store/errors.ts'
import { readSalvageable } from '../../src/store/salvage/read.ts'
import { statePaths } from '../../src/store/state-dir.ts'
import type { CryptoEngine } from '../../src/crypto/engine.ts'
import { openState } from '../../test/support/state-dir.ts'
import { deviceKey } from '../../test/support/person.ts'
import { makeHome, observeAll, removeHome, startDaemon } from '../daemon.ts'
import type { Row } from '../measure.ts'
import { friend } from '../people.ts'

type Records = Map<string, string>

/** A state directory that a real daemon wrote in three runs, so that records are in tables and in a log. */
async function makeState(engine: CryptoEngine, home: string): Promise<string> {
  for (let run = 0; run < 3; run++) {
    const daemon = await startDaemon(home)
    if (run === 0) await daemon.admin.call('persona.init', { device: { name: 'laptop', key: deviceKey('own laptop') } })
    await observeAll(
      daemon.admin,
      Array.from({ length: 12 }, (_, n) => friend(engine, 12 * run + n)),
    )
    await daemon.stop()
  }
  return join(home, 'state')
}

async function recordsOf(state: string): Promise<Records> {
  const { store, close } = await openState(state)
  try {
    const records: Records = new Map()
    for await (const { key, value } of store.iterate({ prefix: '' }))
      records.set(key, Buffer.from(value).toString('base64'))
    return records
  } finally {
    await close()
  }
}

function isSame(a: Records, b: Records): boolean {
  return a.size === b.size && [...a].every(([key, value]) => b.get(key) === value)
}

/** Flips as many bits, one at a time, spread evenly over all files. */
export async function bitFlips(engine: CryptoEngine, flips: number): Promise<Row[]> {
  const home = makeHome()
  const counts = { refused: 0, same: 0, different: 0, unnamed: 0 }
  try {
    const state = await makeState(engine, home)
    // Kept apart: opening a store writes to it.
    const kept = join(home, 'kept')
    mkdirSync(kept)
    for (const name of ['store', 'anchor']) cpSync(join(state, name), join(kept, name), { recursive: true })
    const truth = await recordsOf(state)
    const names = readdirSync(join(kept, 'store')).filter((name) =>
      /^(CURRENT|MANIFEST-\d+|\d+\.(log|ldb))$/.test(name),
    )
    const files = ['anchor', ...names.map((name) => `store/${name}`)].map(
      (name) => [name, readFileSync(join(kept, name))] as const,
    )
    const bits = files.reduce((sum, [, bytes]) => sum + 8 * bytes.length, 0)
    const copy = join(home, 'copy')
    for (let n = 0; n < flips; n++) {
      rmSync(copy, { recursive: true, force: true })
      mkdirSync(copy, { mode: 0o700 })
      cpSync(kept, copy, { recursive: true })
      flipBit(copy, files, Math.floor((n + 0.5) * (bits / flips)))
      if (!(await isNamed(copy, truth))) counts.unnamed++
      counts[await outcomeOf(copy, truth)]++
    }
  } finally {
    removeHome(home)
  }
  const { refused, same, different, unnamed } = counts
  return [
    {
      what: `${flips} bit flips in store and anchor`,
      figure: `${refused} refused, ${same} without a difference, ${different} silent differences`,
    },
    { what: 'salvage after the same flips', figure: `${unnamed} with a loss that it does not name` },
  ]
}

function flipBit(state: string, files: readonly (readonly [string, Buffer])[], bit: number): void {
  let at = bit
  for (const [name, bytes] of files) {
    if (at < 8 * bytes.length) {
      const changed = Uint8Array.from(bytes)
      changed[at >> 3]! ^= 1 << (at & 7)
      writeFileSync(join(state, name), changed)
      return
    }
    at -= 8 * bytes.length
  }
}

async function outcomeOf(state: string, truth: Records): Promise<'refused' | 'same' | 'different'> {
  try {
    return isSame(truth, await recordsOf(state)) ? 'same' : 'different'
  } catch (error) {
    if (error instanceof StoreError) return 'refused'
    throw error
  }
}

/** Whether salvage has all records, or says that something is missing. */
async function isNamed(state: string, truth: Records): Promise<boolean> {
  const { records, mayBeOlder } = await readSalvageable(statePaths(state))
  const found = new Map([...records].map(([key, value]) => [key, Buffer.from(value).toString('base64')]))
  const expected = new Map([...truth].filter(([key]) => key !== 'commit'))
  return mayBeOlder || isSame(expected, found)
}
