import { randomInt } from 'node:crypto'
import { expect, it } from 'vitest'
import { DaemonProcess } from '../support/daemon.ts'
import { OWN_LAPTOP } from '../support/keeper.ts'
import { killAt } from '../support/kill-at.ts'
import { tempDir } from '../support/temp-dir.ts'

const ROUNDS = 12
const WRITES_SEEN = 12 // about as many writes as the directory reports during a rotation

it('a daemon killed in the middle of a rotation has either the old key and table or the new ones, and continues', async () => {
  const home = tempDir()
  let daemon = await DaemonProcess.start({ home })
  const maker = await daemon.connect()
  await maker.call('persona.init', { device: { name: 'laptop', key: OWN_LAPTOP } })
  const { words } = await maker.call('recovery.show')
  await maker.call('recovery.confirm', { words: [1, 2, 3].map((n) => ({ position: n, word: words[n - 1]! })) })
  let acknowledged = 0
  let [killed, rotated] = [0, 0]
  for (let round = 0; round < ROUNDS; round++) {
    const client = await daemon.connect()
    const { epoch } = await client.call('device.list')
    const { plan } = await client.call('rotation.plan', { epoch: epoch + 1 })
    const { stop } = killAt(daemon, home, randomInt(1, WRITES_SEEN))
    const apply = { epoch: epoch + 1, plan, words: words.join(' ') }
    const done = await client.call('rotation.apply', apply).then(
      ({ table }) => table.epoch,
      () => null,
    )
    if (done !== null) acknowledged = done
    if (daemon.child.exitCode === null) daemon.child.kill('SIGKILL')
    stop()
    expect(await daemon.ended).toBe('SIGKILL')
    if (done === null) killed++
    daemon = await DaemonProcess.start({ home })
    const after = await daemon.connect()
    const table = await after.call('device.list')
    expect([epoch, epoch + 1]).toContain(table.epoch)
    expect(table.epoch).toBeGreaterThanOrEqual(acknowledged)
    if (table.epoch > epoch) rotated++
    // The only key left is that of the head, and others accept what it signs.
    expect((await after.call('device.rename', { device: OWN_LAPTOP, name: `laptop ${round}` })).table.epoch).toBe(
      table.epoch,
    )
    const { text } = await after.call('blob.get')
    expect(await after.call('verify', { text })).toMatchObject({ valid: true, verdict: 'refresh' })
    await after.close()
  }
  expect(killed + rotated).toBeGreaterThanOrEqual(ROUNDS)
  expect(killed).toBeGreaterThan(0)
}, 120_000)
