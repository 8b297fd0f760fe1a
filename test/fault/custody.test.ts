import { mkdtempSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { Custody } from '../../src/daemon/custody/custody.ts'
import { removeLeftovers, type DurableFs } from '../../src/durable/file.ts'
import { statePaths } from '../../src/store/state-dir.ts'
import { faultyFs, type FaultKind } from '../support/faulty-fs.ts'
import { quickEngine as engine } from '../support/quick-engine.ts'
import { tempDir } from '../support/temp-dir.ts'

const [OLD, NEW] = ['the old passphrase', 'the new passphrase']
const CREDENTIAL = new Uint8Array(32).fill(7)
const LATER = new Uint8Array(32).fill(9)
const KINDS: readonly FaultKind[] = ['not-persisted', 'persisted', 'dead']

interface Work {
  readonly name: string
  readonly before: string | null
  readonly act: (custody: Custody) => Promise<void>
  readonly after: string | null
  readonly epochsAfter: readonly number[]
  readonly withSeed: boolean
  readonly credential: boolean
}

const WORKS: readonly Work[] = [
  ...[true, false].flatMap((withSeed) =>
    [true, false].flatMap((credential) => {
      const sort = `${withSeed ? 'with' : 'without'} a seed, ${credential ? 'with' : 'without'} a credential`
      const common = { withSeed, credential, epochsAfter: [0] }
      const change = (from: string | null, to: string | null) => (custody: Custody) =>
        custody.changePassphrase(from, to)
      return [
        { ...common, name: `setting a passphrase, ${sort}`, before: null, act: change(null, NEW), after: NEW },
        { ...common, name: `changing it, ${sort}`, before: OLD, act: change(OLD, NEW), after: NEW },
        { ...common, name: `removing it, ${sort}`, before: OLD, act: change(OLD, null), after: null },
      ]
    }),
  ),
  {
    name: 'adding a key',
    before: OLD,
    act: (custody) => custody.addKey(1, LATER),
    after: OLD,
    epochsAfter: [0, 1],
    withSeed: true,
    credential: false,
  },
  {
    name: 'erasing a key',
    before: null,
    act: (custody) => custody.keepOnly(5),
    after: null,
    epochsAfter: [],
    withSeed: true,
    credential: false,
  },
]

interface Found {
  readonly passphrase: string | null
  readonly epochs: readonly number[]
  readonly words: string | null
}

function open(stateDir: string, work: Work, fs?: DurableFs): Promise<Custody> {
  const paths = { ...statePaths(stateDir), ...(fs === undefined ? {} : { fs }) }
  const credential = work.credential ? CREDENTIAL : null
  return Custody.open(paths, engine, { delay: () => Promise.resolve(), credential })
}

/** The state that the next start finds, tried with both passphrases. */
async function find(stateDir: string, work: Work): Promise<Found[]> {
  await removeLeftovers(stateDir)
  const found: Found[] = []
  for (const passphrase of [null, OLD, NEW]) {
    const custody = await open(stateDir, work)
    if (passphrase === null && custody.isLocked) continue
    if (passphrase !== null && !custody.isLocked) continue
    try {
      if (passphrase !== null) await custody.unlock(passphrase)
    } catch {
      continue
    }
    found.push({ passphrase, ...held(custody) })
    expect(readdirSync(stateDir).sort()).toStrictEqual(custody.hasSeed ? ['secrets', 'seed'] : ['secrets'])
  }
  return found
}

function held(custody: Custody): Omit<Found, 'passphrase'> {
  return { epochs: custody.epochs(), words: custody.hasSeed ? custody.seed.words().join(' ') : null }
}

async function prepared(
  work: Work,
  fs?: DurableFs,
): Promise<{ stateDir: string; custody: Custody; words: string | null }> {
  const stateDir = mkdtempSync(join(tempDir(), 'custody-'))
  const first = await open(stateDir, work)
  await first.create(work.before)
  if (!work.withSeed) await first.seed.erase()
  const custody = await open(stateDir, work, fs)
  if (work.before !== null) await custody.unlock(work.before)
  return { stateDir, custody, words: held(custody).words }
}

describe.each(WORKS)('$name', (work) => {
  it('leaves two files that one passphrase opens, wherever it is cut short', async () => {
    const whole = faultyFs()
    const { stateDir, custody, words } = await prepared(work, whole)
    await work.act(custody)
    const [old, new_] = [
      { passphrase: work.before, epochs: [0], words },
      { passphrase: work.after, epochs: work.epochsAfter, words },
    ]
    expect(await find(stateDir, work)).toStrictEqual([new_])
    const seen = new Set<string>()
    let ran = 0
    for (const kind of KINDS) {
      for (let failAt = 0; failAt < whole.calls.length; failAt++, ran++) {
        const test = await prepared(work, faultyFs(failAt, kind))
        const failures: unknown[] = []
        test.custody.watch({ failed: (error) => failures.push(error), lockChanged: () => {} })
        const place = `${kind} at call ${failAt}, ${whole.calls[failAt]}`
        const outcome = await work.act(test.custody).then(
          () => 'done',
          () => 'failed',
        )
        const found = await find(test.stateDir, work)
        const possible = [old, new_].map((one) => ({ ...one, words: test.words }))
        expect(found, place).toHaveLength(1)
        expect(possible, place).toContainEqual(found[0])
        const isNew = found[0]!.passphrase === work.after && found[0]!.epochs.length === work.epochsAfter.length
        seen.add(isNew ? 'new' : 'old')
        if (outcome === 'done') expect(isNew, place).toBe(true)
        // Memory matches the disk. After an unknown outcome nothing continues.
        expect(test.custody.isLocked, place).toBe(failures.length > 0)
        if (failures.length === 0)
          expect(held(test.custody), place).toStrictEqual({ epochs: found[0]!.epochs, words: test.words })
      }
    }
    expect(ran).toBe(3 * whole.calls.length)
    expect(ran).toBeGreaterThan(20)
    expect(seen).toStrictEqual(new Set(['old', 'new']))
  })
})

describe('a custody that continues after a failed change', () => {
  it('seals new files in the same way as the files on disk', async () => {
    const work = WORKS.find(({ name }) => name.startsWith('changing it, with a seed'))!
    const whole = faultyFs()
    await prepared(work, whole).then(({ custody }) => work.act(custody))
    let ran = 0
    for (let failAt = 0; failAt < whole.calls.length; failAt++) {
      // One fault, and then the system works again.
      const { stateDir, custody, words } = await prepared(work, faultyFs(failAt, 'not-persisted', 'ENOSPC'))
      const isDone = await work.act(custody).then(
        () => true,
        () => false,
      )
      if (custody.isLocked) continue
      ran++
      await custody.addKey(1, LATER)
      expect(await find(stateDir, work)).toStrictEqual([{ passphrase: isDone ? NEW : OLD, epochs: [0, 1], words }])
    }
    expect(ran).toBeGreaterThan(5)
  })
})
