import { mkdirSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { examineStore } from '../../../../src/cli/daemon/examine-store.ts'
import { encodeUtf8 } from '../../../../src/core/encoding/bytes.ts'
import { openState } from '../../../support/state-dir.ts'
import { tempDir } from '../../../support/temp-dir.ts'

/** A closed state directory: some records in a table, and 6 commits after it in the log; the last one has number 10. */
async function made(): Promise<string> {
  const stateDir = join(tempDir(), 'state')
  for (const [from, to] of [
    [1, 3],
    [4, 9],
  ] as const) {
    const { store, close } = await openState(stateDir)
    for (let n = from; n <= to; n++) await store.commit([{ key: `a/${n}`, value: encodeUtf8(`value ${n}`.repeat(20)) }])
    await close()
  }
  return stateDir
}

function only(stateDir: string, pattern: RegExp): string {
  const [name] = readdirSync(join(stateDir, 'store')).filter((name) => pattern.test(name))
  return join(stateDir, 'store', name!)
}

function flip(file: string, at: number): void {
  const bytes = readFileSync(file)
  bytes[at]! ^= 1
  writeFileSync(file, bytes)
}

it('a whole store has no faults, one that was never made is none, and one in use is not examined', async () => {
  const stateDir = await made()
  expect(await examineStore(stateDir)).toEqual([])
  const empty = join(tempDir(), 'state')
  expect(await examineStore(empty)).toBeNull()
  mkdirSync(empty, { mode: 0o700 })
  expect(await examineStore(empty)).toBeNull()
  expect(readdirSync(empty)).toEqual([])
  const { close } = await openState(stateDir)
  await expect(examineStore(stateDir)).rejects.toMatchObject({ code: 'STORE_LOCKED' })
  await close()
})

it('each damaged file is named with the place in it and the loss, also several at once, and nothing is changed', async () => {
  const stateDir = await made()
  const [log, table] = [only(stateDir, /\.log$/), only(stateDir, /\.ldb$/)]
  flip(log, 400)
  flip(table, 30)
  const before = [log, table].map((file) => readFileSync(file))
  const faults = (await examineStore(stateDir))!
  expect(faults).toMatchObject(
    [
      {
        code: 'STORE_CORRUPT',
        message: expect.stringMatching(/ldb is damaged at byte \d+/),
        loss: /records in this table/,
      },
      { code: 'STORE_CORRUPT', message: expect.stringMatching(/log is damaged at byte \d+/), loss: /up to number 10/ },
    ].map(({ loss, ...rest }) => ({ ...rest, loss: expect.stringMatching(loss) })),
  )
  expect([log, table].map((file) => readFileSync(file))).toEqual(before)
})

it.each([
  ['anchor', 'STORE_MISSING', 'number of the last commit'],
  ['store/CURRENT', 'STORE_MISSING', 'list of its files'],
  ['store', 'STORE_MISSING', 'all records'],
])('a missing %s is a fault', async (name, code, loss) => {
  const stateDir = await made()
  rmSync(join(stateDir, name), { recursive: true })
  expect(await examineStore(stateDir)).toMatchObject([{ code, loss: expect.stringContaining(loss) }])
})

it('a log that ends too early is whole by itself, and lost commits all the same', async () => {
  const stateDir = await made()
  const log = only(stateDir, /\.log$/)
  truncateSync(log, readFileSync(log).length - 100)
  expect(await examineStore(stateDir)).toMatchObject([
    { code: 'STORE_LOST_WRITES', message: expect.stringMatching(/ends at commit 9, but 10 was acknowledged/) },
  ])
})
