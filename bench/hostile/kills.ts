/** SIGKILL at any moment while clients write: everything that was acknowledged is there after the next start. */
import { randomInt } from 'node:crypto'
import { join } from 'node:path'
import { connect, type Client } from '../../src/ipc/client.ts'
import { lossesOf, nothingYet, workUntilGone } from '../../test/support/kill-loop.ts'
import { deviceKey, person } from '../../test/support/person.ts'
import { makeHome, removeHome, startDaemon } from '../daemon.ts'
import type { Row } from '../measure.ts'

/** @param answers acknowledged writes of all loops together, at least */
export async function killLoops(loops: number, answers: number): Promise<Row[]> {
  const home = makeHome()
  const laptop = deviceKey('own laptop')
  const bob = person('bob of the kill loops')
  const known = nothingYet()
  const losses: string[] = []
  const started = performance.now()
  try {
    let daemon = await startDaemon(home)
    await daemon.admin.call('persona.init', { device: { name: 'laptop', key: laptop } })
    for (let loop = 1; loop <= loops; loop++) {
      const admin = (): Promise<Client> => connect({ socketPath: join(home, 'run/admin/admin.sock') })
      const before = known.friends
      const each = Math.ceil((answers - known.answers) / (loops - loop + 1))
      // The last loops make up for short ones, so that the sum is reached.
      let left = loop === loops ? each : randomInt(Math.ceil(each / 2), Math.ceil(each * 1.5) + 1)
      const { process: child } = daemon
      const gone = new Promise((done) => child.once('exit', done))
      await workUntilGone([daemon.admin, await admin(), await admin()], { laptop, bob }, known, () => {
        if (--left === 0) child.kill('SIGKILL')
      })
      await gone
      daemon = await startDaemon(home)
      losses.push(...(await lossesOf(daemon.admin, bob, known, before + 1)))
    }
    losses.push(...(await lossesOf(daemon.admin, bob, known)))
    await daemon.stop()
  } finally {
    removeHome(home)
  }
  const seconds = Math.round((performance.now() - started) / 1000)
  for (const loss of losses.slice(0, 10)) console.log(`LOST: ${loss}`)
  return [
    {
      what: `${loops} times SIGKILL while clients write`,
      figure: `${known.answers} acknowledged writes, ${losses.length} lost (${seconds} s)`,
    },
  ]
}
