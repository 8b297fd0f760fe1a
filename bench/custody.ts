/**
 * Times that the owner waits: an unlock against the Argon2id it needs, and a signed table against the syncs it needs.
 */
import type { CryptoEngine } from '../src/crypto/engine.ts'
import { DEFAULT_SEAL_COST } from '../src/crypto/sealing.ts'
import { Custody } from '../src/daemon/custody/custody.ts'
import { statePaths } from '../src/store/state-dir.ts'
import { makeHome, removeHome, startDaemon } from './daemon.ts'
import { BareSyncs } from './durable.ts'
import { formatRatio, quantile, timedMs, type Row } from './measure.ts'

const SYNCS_A_COMMIT = 2 // LevelDB's log, then the anchor: src/store/anchor.ts
const WARM_UP_EDITS = 200 // until the memory of own tables is full and the compiler has seen everything
const PASSPHRASE = 'correct horse battery staple'
const DEVICE_KEY = 'D759E0CA9B8CFC31D75AD16D1EDAD6D3FA1ABA6E5EBB9DEF4F9C2F22B3C63D07'

export async function benchCustody(engine: CryptoEngine, isQuick: boolean): Promise<Row[]> {
  return [
    await benchUnlock(engine, isQuick ? 1 : 15),
    isQuick ? await benchSign(5, 5) : await benchSign(WARM_UP_EDITS, 400),
  ]
}

/** Seed and signing keys, as before the recovery words are confirmed: one Argon2id opens both files. */
async function benchUnlock(engine: CryptoEngine, rounds: number): Promise<Row> {
  const home = makeHome()
  const custody = await Custody.open(statePaths(home), engine, { delay: () => Promise.resolve() })
  await custody.create(PASSPHRASE)
  const [passphrase, salt] = [engine.randomBytes(28), engine.randomBytes(16)]
  const [bare, unlocks]: [number[], number[]] = [[], []]
  for (let i = 0; i < rounds; i++) {
    bare.push(await timedMs(() => engine.argon2id(passphrase, salt, DEFAULT_SEAL_COST)))
    custody.lock('request')
    unlocks.push(await timedMs(() => custody.unlock(PASSPHRASE)))
  }
  custody.close()
  removeHome(home)
  const [unlockMs, bareMs] = [quantile(unlocks, 0.5), quantile(bare, 0.5)]
  const { passes, memoryBytes } = DEFAULT_SEAL_COST
  const cost = `Argon2id, ${passes} passes over ${memoryBytes / 1024 / 1024} MiB`
  return { what: 'unlock', figure: `${unlockMs.toFixed(0)} ms; ${formatRatio(unlockMs / bareMs)} of one ${cost}` }
}

/**
 * An edit through the socket, from the call to its answer, which comes once the table is on disk. Its two syncs are
 * measured right after each edit rather than in one series: an idle disk takes longer, and every edit finds the disk
 * idle.
 */
async function benchSign(warmUp: number, count: number): Promise<Row> {
  const home = makeHome()
  const daemon = await startDaemon(home)
  const disk = new BareSyncs()
  try {
    await daemon.admin.call('persona.init', { device: { name: 'name', key: DEVICE_KEY } })
    const rename = (i: number): Promise<unknown> =>
      daemon.admin.call('device.rename', { device: DEVICE_KEY, name: `name ${i}` })
    for (let i = 0; i < warmUp; i++) await rename(-1 - i)
    const [edits, syncs]: [number[], number[]] = [[], []]
    for (let i = 0; i < count; i++) {
      edits.push(await timedMs(() => rename(i)))
      syncs.push(disk.timeMs(SYNCS_A_COMMIT))
    }
    const [editMs, syncMs] = [quantile(edits, 0.5), quantile(syncs, 0.5)]
    const figure = `${editMs.toFixed(2)} ms; ${formatRatio(editMs / syncMs)} of the ${SYNCS_A_COMMIT} bare fdatasyncs it needs (${syncMs.toFixed(2)} ms; asked: 3)`
    return { what: 'a new table signed and durable', figure }
  } finally {
    disk.close()
    await daemon.stop()
    removeHome(home)
  }
}
