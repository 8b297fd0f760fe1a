/** A disk that is full, at the start and while the daemon runs. */
import { spawnSync } from 'node:child_process'
import { readdirSync, rmSync, statfsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { RpcError, type Client } from '../../src/ipc/client.ts'
import { RESERVE_BYTES } from '../../src/store/room.ts'
import { DaemonProcess } from '../support/daemon.ts'
import { OWN_LAPTOP, OWN_PHONE } from '../support/keeper.ts'
import { deviceKey, person } from '../support/person.ts'
import { launcherOf } from '../support/programs.ts'
import { mountSmallDisk, NO_SMALL_DISK, type Scarce, type SmallDisk } from '../support/small-disk.ts'
import { tempDir } from '../support/temp-dir.ts'

const REASON = NO_SMALL_DISK === '' ? '' : ` (skipped: ${NO_SMALL_DISK})`

function smallHome(scarce: Scarce): { home: string } & SmallDisk {
  const home = tempDir()
  const disk = mountSmallDisk(home, scarce)
  onTestFinished(() => disk.unmount())
  return { home, ...disk }
}

// With many devices, so that a few hundred friends fill the file that LevelDB has open.
const DEVICES = ['phone', ...Array.from({ length: 9 }, (_, i) => `computer ${i}`)]

function friendOf(n: number): { from: string; text: string } {
  const friend = person(`friend ${n}`)
  return { from: friend.key('phone'), text: friend.table(DEVICES).text() }
}

/** Observes friends, after the first ones who are known, until one is refused. @returns the refusal, and how many are known */
async function untilFull(client: Client, known = 0): Promise<{ error: unknown; acknowledged: number }> {
  for (let n = known; n < 5000; n++) {
    try {
      await client.call('observe', friendOf(n))
    } catch (error) {
      return { error, acknowledged: n }
    }
  }
  throw new Error('the disk is not full')
}

async function untilResumed(client: Client): Promise<void> {
  for (let n = 0; n < 300; n++) {
    const { findings } = await client.call('status')
    if (!findings.some(({ code }) => code === 'STORE_FULL')) return
    await new Promise((done) => setTimeout(done, 100))
  }
  throw new Error('it does not write again')
}

async function contactsOf(client: Client): Promise<number> {
  return (await client.call('status')).counts.contacts
}

/** Bytes run out in each run, files also in `npm run test:slow`: the daemon does the same for both. */
const SCARCE: readonly Scarce[] = process.env['STORIES'] === undefined ? ['bytes'] : ['bytes', 'inodes']

describe('a disk that becomes full while the daemon runs', () => {
  it.skipIf(REASON !== '').each<Scarce>(SCARCE)(
    `is outlasted: reads are answered, nothing acknowledged is lost, and nothing refused takes effect (%s)${REASON}`,
    async (scarce) => {
      const { home, fill, free } = smallHome(scarce)
      const daemon = await DaemonProcess.start({ home })
      const client = await daemon.connect()
      await client.call('persona.init', { device: { name: 'laptop', key: OWN_LAPTOP } })
      let acknowledged = 0
      for (let round = 0; round < 2; round++) {
        fill()
        const refusal = await untilFull(client, acknowledged)
        expect(refusal.error).toBeInstanceOf(RpcError)
        expect(refusal.error).toMatchObject({ code: 'STORE_DISK_FULL' })
        acknowledged = refusal.acknowledged
        // Several at once, decided one on top of the other.
        const many = [
          client.call('device.add', { name: 'phone', key: OWN_PHONE }),
          client.call('device.rename', { device: 'laptop', name: 'desk' }),
          client.call('observe', friendOf(9000)),
        ]
        for (const outcome of await Promise.allSettled(many))
          expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'STORE_DISK_FULL' } })
        const status = await client.call('status')
        expect(status.findings).toContainEqual(expect.objectContaining({ code: 'STORE_FULL', severity: 'problem' }))
        expect(status.persona?.devices.map(({ name }) => name)).toEqual(['laptop'])
        expect(status.counts.contacts).toBe(acknowledged)
        expect((await client.call('doctor')).findings.map(({ code }) => code)).toContain('STORE_FULL')
        expect(await client.call('log.verify')).toMatchObject({ intact: true })
        free()
        await untilResumed(client)
        expect(await contactsOf(client)).toBe(acknowledged)
        await client.call('observe', friendOf(acknowledged))
        acknowledged++
      }
      await client.call('device.add', { name: 'phone', key: OWN_PHONE })
      expect(await client.call('log.verify')).toMatchObject({ intact: true })
      await daemon.kill('SIGKILL')
      const next = await DaemonProcess.start({ home })
      const after = await next.connect()
      const { persona, counts } = await after.call('status')
      expect(persona?.seq).toBe(2)
      expect(counts.contacts).toBe(acknowledged)
      for (let n = 0; n < acknowledged; n++)
        expect(await after.call('lookup', { query: deviceKey(`friend ${n} phone`) })).toBeDefined()
      expect(await next.kill('SIGTERM')).toBe(0)
    },
    120_000,
  )

  it('by a limit on file sizes serves reads, and stops in order', async () => {
    const home = tempDir()
    const first = await DaemonProcess.start({ home })
    await (await first.connect()).call('persona.init', { device: { name: 'laptop', key: OWN_LAPTOP } })
    await first.kill('SIGTERM')
    const daemon = await DaemonProcess.start({ home, fileLimitBlocks: 128 })
    const client = await daemon.connect()
    const { error, acknowledged } = await untilFull(client)
    expect(error).toMatchObject({ code: 'STORE_DISK_FULL' })
    expect(acknowledged).toBeGreaterThan(0)
    expect(await contactsOf(client)).toBe(acknowledged)
    expect(await daemon.kill('SIGTERM')).toBe(0)
    expect(daemon.log.join()).toContain('store.full')
    const next = await DaemonProcess.start({ home })
    expect(await contactsOf(await next.connect())).toBeGreaterThanOrEqual(acknowledged)
  }, 60_000)
})

describe('a start', () => {
  it.skipIf(REASON !== '').each<Scarce>(SCARCE)(
    `on a full disk answers reads at once, also the third one, and writes again once there is room (%s)${REASON}`,
    async (scarce) => {
      const { home, fill, free } = smallHome(scarce)
      let daemon = await DaemonProcess.start({ home })
      const first = await daemon.connect()
      await first.call('persona.init', { device: { name: 'laptop', key: OWN_LAPTOP } })
      for (let n = 0; n < 200; n++) await first.call('observe', friendOf(n))
      await daemon.kill('SIGKILL')
      fill()
      let acknowledged = 200
      for (let round = 0; round < 3; round++) {
        daemon = await DaemonProcess.start({ home })
        expect(daemon.log.join()).not.toContain('start.waits')
        const client = await daemon.connect()
        const status = await client.call('status')
        expect(status.findings).toContainEqual(expect.objectContaining({ code: 'STORE_FULL', severity: 'problem' }))
        expect(status.persona?.devices.map(({ name }) => name)).toEqual(['laptop'])
        expect(status.counts.contacts).toBe(acknowledged)
        if (scarce === 'bytes') {
          const refusal = await untilFull(client, acknowledged)
          expect(refusal.error).toMatchObject({ code: 'STORE_DISK_FULL' })
          acknowledged = await contactsOf(client)
        }
        expect(await daemon.kill(round === 1 ? 'SIGKILL' : 'SIGTERM')).toBe(round === 1 ? 'SIGKILL' : 0)
      }
      daemon = await DaemonProcess.start({ home })
      const client = await daemon.connect()
      free()
      await untilResumed(client)
      await client.call('device.add', { name: 'phone', key: OWN_PHONE })
      expect(await contactsOf(client)).toBe(acknowledged)
      expect(await client.call('log.verify')).toMatchObject({ intact: true })
      await daemon.kill('SIGTERM')
      expect(readdirSync(join(home, 'state/reserve')).length).toBe(16)
    },
    120_000,
  )

  it.skipIf(REASON !== '')(
    `on a full disk without the reserve waits for room, and needs nobody to try again${REASON}`,
    async () => {
      const { home, fill, free } = smallHome('bytes')
      const first = await DaemonProcess.start({ home })
      await (await first.connect()).call('persona.init', { device: { name: 'laptop', key: OWN_LAPTOP } })
      await first.kill('SIGKILL')
      rmSync(join(home, 'state/reserve'), { recursive: true })
      fill()
      const daemon = DaemonProcess.spawn({ home })
      await daemon.logged('start.waits')
      free()
      await daemon.logged('daemon.ready')
      expect((await (await daemon.connect()).call('status')).persona?.seq).toBe(1)
    },
    120_000,
  )

  it.skipIf(REASON !== '')(`sets no room aside that would be the last${REASON}`, async () => {
    const home = tempDir()
    const disk = mountSmallDisk(home, 'bytes', 12)
    onTestFinished(() => disk.unmount())
    const daemon = await DaemonProcess.start({ home })
    expect(await daemon.kill('SIGTERM')).toBe(0)
    const { bavail, bsize } = statfsSync(join(home, 'state'))
    const kept = readdirSync(join(home, 'state/reserve')).length
    expect([kept > 0, kept < 16, bavail * bsize >= RESERVE_BYTES]).toEqual([true, true, true])
  })

  it('with too many open files waits too, and does not count as refused', async () => {
    const home = tempDir()
    await (await DaemonProcess.start({ home })).kill('SIGTERM')
    // Enough for Node itself, but not for the store.
    const limited = ['8', 'prlimit', '--nofile=26:26', process.execPath, launcherOf('personad'), '--home', home]
    const { stderr } = spawnSync('timeout', limited, { encoding: 'utf8' })
    expect(stderr).toContain('start.waits')
    expect(stderr).toMatch(/[Tt]oo many open files/)
    expect(stderr).not.toContain('daemon.failed')
    const next = await DaemonProcess.start({ home })
    expect(await next.kill('SIGTERM')).toBe(0)
  }, 60_000)
})
