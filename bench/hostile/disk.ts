/**
 * A program: fills a small disk below a running daemon, frees it, kills the daemon, and looks for what was acknowledged. Prints JSON.
 * bench/hostile.ts runs it in a mount namespace of its own: `unshare --mount node bench/hostile/disk.ts bytes|inodes`.
 */
import { loadEngine } from '../../src/crypto/load.ts'
import { hasCode } from '../../src/cli/io/connect.ts'
import { mountSmallDisk, type Scarce } from '../../test/support/small-disk.ts'
import { deviceKey } from '../../test/support/person.ts'
import { makeHome, removeHome, startDaemon, type RunningDaemon } from '../daemon.ts'
import { friend } from '../people.ts'

const MAX_WRITES = 8000 // sanity: far more than the disk holds
const WRITES_WITH_ROOM = 300
const ROUNDS = 2

const scarce = process.argv[2] as Scarce
const engine = await loadEngine('sodium')
const acknowledged: string[] = []
let number = 0

/** Writes at most so many records. @returns false once the disk is full */
async function write({ admin }: RunningDaemon, count: number): Promise<boolean> {
  for (let n = 0; n < count; n++) {
    const observation = friend(engine, number++)
    try {
      await admin.call('observe', observation)
    } catch (error) {
      if (hasCode(error, 'STORE_DISK_FULL')) return false
      throw error
    }
    acknowledged.push(observation.from)
  }
  return true
}

async function untilResumed({ admin }: RunningDaemon): Promise<void> {
  for (let n = 0; n < 300; n++) {
    const { findings } = await admin.call('status')
    if (!findings.some(({ code }) => code === 'STORE_FULL')) return
    await new Promise((done) => setTimeout(done, 100))
  }
  throw new Error('the daemon does not write again')
}

async function missingIn({ admin }: RunningDaemon): Promise<number> {
  let missing = 0
  for (const query of acknowledged) if ((await admin.call('lookup', { query })).contact === null) missing++
  return missing
}

const home = makeHome()
const disk = mountSmallDisk(home, scarce)
try {
  const daemon = await startDaemon(home)
  await daemon.admin.call('persona.init', { device: { name: 'laptop', key: deviceKey('own laptop') } })
  let missingWhileFull = 0
  for (let round = 0; round < ROUNDS; round++) {
    await write(daemon, WRITES_WITH_ROOM)
    disk.fill()
    if (await write(daemon, MAX_WRITES)) throw new Error('the disk did not become full')
    missingWhileFull += await missingIn(daemon)
    disk.free()
    await untilResumed(daemon)
  }
  const gone = new Promise((done) => daemon.process.once('exit', done))
  daemon.process.kill('SIGKILL')
  await gone
  const next = await startDaemon(home)
  console.log(JSON.stringify({ writes: acknowledged.length, missingWhileFull, lost: await missingIn(next) }))
  await next.stop()
} finally {
  disk.unmount()
  removeHome(home)
}
