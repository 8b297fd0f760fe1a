/**
 * Commits pairs of records to the store in argv[2] until it is killed or a write fails. Prints each number once it is
 * acknowledged.
 */
import { writeSync } from 'node:fs'
import { StoreError } from '../../src/store/errors.ts'
import { openState } from './state-dir.ts'

const CALLERS = 8 // so that most writes hold several commits
const PADDING_BYTES = 3000 // so that records cross the 32 KiB blocks of LevelDB's log

const [, , stateDir = '', first = '1'] = process.argv
const { store } = await openState(stateDir)
let next = Number(first)

async function commitForEver(): Promise<void> {
  for (;;) {
    const n = next++
    const value = new Uint8Array(PADDING_BYTES).fill(n)
    await store.commit([
      { key: `a/${n}`, value },
      { key: `b/${n}`, value },
    ])
    // Synchronous: the outside knows what was acknowledged before the next write starts.
    writeSync(1, `${n}\n`)
  }
}

try {
  await Promise.all(Array.from({ length: CALLERS }, commitForEver))
} catch (error) {
  writeSync(1, `failed ${error instanceof StoreError ? error.code : String(error)}\n`)
  process.exit(1)
}
