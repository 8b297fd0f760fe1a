/** Observing a status that did not change, as at each connect of a friend, against one bare check of its signature. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { decodeBlob, signedMessage } from '../src/core/blob.ts'
import { parseStatus } from '../src/core/token.ts'
import type { CryptoEngine } from '../src/crypto/engine.ts'
import { Custody } from '../src/daemon/custody/custody.ts'
import type { Keeper } from '../src/daemon/keeper/keeper.ts'
import { openKeeper } from '../src/daemon/open-keeper.ts'
import { openMemoryStore } from '../src/store/memory-store.ts'
import { statePaths } from '../src/store/state-dir.ts'
import { formatRatio, formatUs, quantile, type Row } from './measure.ts'
import { friend, nowSec } from './people.ts'

const FRIENDS = 256 // of one batch, as a scan has them
const SOURCE = 'bench'

/** A keeper without a persona, over a store in memory: an unchanged status writes nothing. */
async function openBenchKeeper(directory: string, engine: CryptoEngine): Promise<Keeper> {
  const atSec = nowSec()
  const custody = await Custody.open(statePaths(directory), engine, {
    delay: () => Promise.resolve(),
    credential: null,
  })
  const options = { store: openMemoryStore(), custody, engine, nowSec: () => atSec, publish: () => {} }
  const onStoreFailure = (error: unknown): void => {
    throw new Error('the store in memory failed', { cause: error })
  }
  return await openKeeper({ ...options, onStoreFailure }, null)
}

export async function benchObserve(engine: CryptoEngine, isQuick: boolean): Promise<Row[]> {
  const rows: Row[] = []
  for (const devices of [1, 14]) rows.push(await unchanged(engine, devices, isQuick ? 5 : 40))
  return rows
}

async function unchanged(engine: CryptoEngine, devices: number, rounds: number): Promise<Row> {
  const directory = mkdtempSync(join(tmpdir(), 'personad-bench-'))
  try {
    const keeper = await openBenchKeeper(directory, engine)
    const shown = Array.from({ length: FRIENDS }, (_, i) => friend(engine, i, devices))
    await keeper.observe(shown, SOURCE)
    const checks = shown.map(({ text }) => bareCheck(text, engine))
    const times: { bare: number[]; observed: number[] } = { bare: [], observed: [] }
    for (let round = -rounds; round < rounds; round++) {
      const started = performance.now()
      if (!checks.every((check) => check())) throw new Error('a signature just made is not valid')
      const between = performance.now()
      const results = await keeper.observe(shown, SOURCE)
      const ended = performance.now()
      if (!results.every(({ verdict }) => verdict === 'refresh')) throw new Error('a status changed')
      if (round < 0) continue
      times.bare.push(((between - started) * 1000) / FRIENDS)
      times.observed.push(((ended - between) * 1000) / FRIENDS)
    }
    const [bareUs, observedUs] = [quantile(times.bare, 0.5), quantile(times.observed, 0.5)]
    return {
      what: `observe of an unchanged status, ${devices} devices`,
      figure: `${formatUs(observedUs)}; ${formatRatio(observedUs / bareUs)} of one bare verify (${formatUs(bareUs)})`,
    }
  } finally {
    rmSync(directory, { recursive: true })
  }
}

function bareCheck(text: string, engine: CryptoEngine): () => boolean {
  const content = parseStatus(text)
  if (content.kind !== 'token') throw new Error('the text just made has no token')
  const { signature, bytes, signingKey } = decodeBlob(content.blob)
  const message = signedMessage(bytes)
  return () => engine.verify(signature, message, signingKey)
}
