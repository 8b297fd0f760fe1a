import { randomInt } from 'node:crypto'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  watch,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { DaemonProcess } from '../support/daemon.ts'
import { OWN_LAPTOP } from '../support/keeper.ts'
import { lossesOf, nothingYet, workUntilGone, type Acknowledged } from '../support/kill-loop.ts'
import { person, type Person } from '../support/person.ts'
import { tempDir } from '../support/temp-dir.ts'

const ROUNDS = 12
const REFUSED = 78 // EX_CONFIG: a retry does not help
const LAPTOP = { name: 'laptop', key: OWN_LAPTOP }

/** Sends calls of all kinds at once until the daemon, killed after so many answers, is gone. */
async function workUntilKilled(
  daemon: DaemonProcess,
  bob: Person,
  known: Acknowledged,
  signal: NodeJS.Signals,
): Promise<void> {
  let answersLeft = randomInt(1, 100)
  const clients = [await daemon.connect(), await daemon.connect(), await daemon.connect()] as const
  await workUntilGone(clients, { laptop: OWN_LAPTOP, bob }, known, () => {
    if (--answersLeft === 0) daemon.child.kill(signal)
  })
}

async function checkKept(daemon: DaemonProcess, bob: Person, known: Acknowledged): Promise<void> {
  const client = await daemon.connect()
  expect(await lossesOf(client, bob, known)).toEqual([])
  const table = await client.call('device.list')
  const { text } = await client.call('blob.get')
  expect(await client.call('verify', { text, from: OWN_LAPTOP })).toMatchObject({
    valid: true,
    verdict: 'refresh',
    listsSender: true,
    blob: { seq: table.seq, devices: table.devices },
  })
  await client.close()
}

async function initialised(home: string): Promise<DaemonProcess> {
  const daemon = await DaemonProcess.start({ home })
  const client = await daemon.connect()
  await client.call('persona.init', { device: LAPTOP })
  await client.close()
  return daemon
}

describe('a daemon killed at any moment', () => {
  it('still has everything it acknowledged after a restart, and its heads never go back', async () => {
    const home = tempDir()
    const bob = person('bob')
    const known = nothingYet()
    let daemon = await initialised(home)
    let ran = 0
    for (let round = 0; round < ROUNDS; round++) {
      await workUntilKilled(daemon, bob, known, 'SIGKILL')
      expect(await daemon.ended).toBe('SIGKILL')
      daemon = await DaemonProcess.start({ home })
      await checkKept(daemon, bob, known)
      ran++
    }
    expect(ran).toBe(ROUNDS)
    expect(await daemon.kill('SIGTERM')).toBe(0)
    expect(readdirSync(join(home, 'state')).filter((name) => name.endsWith('.tmp'))).toStrictEqual([])
  }, 120_000)

  it('while it creates the persona has either all of it or nothing after a restart', async () => {
    for (const until of ['seed', 'secrets']) {
      const home = tempDir()
      const daemon = await DaemonProcess.start({ home })
      const client = await daemon.connect()
      const seen = new Promise<void>((done) => {
        const watcher = watch(join(home, 'state'), (_, name) => {
          if (name !== until) return
          daemon.child.kill('SIGKILL')
          watcher.close()
          done()
        })
      })
      await Promise.allSettled([client.call('persona.init', { device: LAPTOP }), seen])
      expect(await daemon.ended).toBe('SIGKILL')
      const after = await DaemonProcess.start({ home })
      const again = await after.connect()
      const { persona } = await again.call('status')
      const table = persona ?? (await again.call('persona.init', { device: LAPTOP })).table
      expect(table).toMatchObject({ seq: 1, devices: [LAPTOP] })
      expect((await again.call('recovery.show')).words).toHaveLength(24)
      expect(await after.kill('SIGTERM')).toBe(0)
    }
  }, 30_000)

  it('by SIGTERM during calls ends with 0 and keeps what it answered', async () => {
    const home = tempDir()
    const bob = person('bob')
    const known = nothingYet()
    let daemon = await initialised(home)
    for (let round = 0; round < 3; round++) {
      await workUntilKilled(daemon, bob, known, 'SIGTERM')
      expect(await daemon.ended).toBe(0)
      daemon = await DaemonProcess.start({ home })
      await checkKept(daemon, bob, known)
    }
  }, 30_000)
})

describe('a daemon refuses to start', () => {
  async function refusal(home: string): Promise<string> {
    const daemon = await DaemonProcess.start({ home })
    expect(await daemon.ended).toBe(REFUSED)
    return daemon.log.filter((line) => line.includes('"daemon.failed"')).join('')
  }

  /** A home whose daemon created a persona and was stopped. */
  async function stoppedHome(): Promise<string> {
    const home = tempDir()
    const daemon = await initialised(home)
    expect(await daemon.kill('SIGTERM')).toBe(0)
    return home
  }

  it('beside another one, names it, and leaves its sockets alone', async () => {
    const home = tempDir()
    const daemon = await initialised(home)
    expect(await refusal(home)).toMatch(new RegExp(`process ${daemon.child.pid}.*STORE_LOCKED`))
    const client = await daemon.connect()
    expect((await client.call('device.list')).seq).toBe(1)
  })

  it('with a state directory that others may enter or that is a link', async () => {
    const [open, linked] = [tempDir(), tempDir()]
    mkdirSync(join(open, 'state'))
    chmodSync(join(open, 'state'), 0o755)
    expect(await refusal(open)).toMatch(/0755.*STATE_DIR_OPEN_TO_OTHERS/)
    expect(statSync(join(open, 'state')).mode & 0o777).toBe(0o755)
    mkdirSync(join(linked, 'elsewhere'), { mode: 0o700 })
    symlinkSync(join(linked, 'elsewhere'), join(linked, 'state'))
    expect(await refusal(linked)).toContain('STATE_DIR_SYMLINK')
  })

  it('with secrets that others may read', async () => {
    const home = await stoppedHome()
    for (const name of ['secrets', 'seed']) {
      chmodSync(join(home, 'state', name), 0o644)
      expect(await refusal(home)).toMatch(new RegExp(`access to .*/${name} .*SECRETS_OPEN_TO_OTHERS`))
      chmodSync(join(home, 'state', name), 0o600)
    }
  })

  it('with a store with one flipped byte, and names the file', async () => {
    const home = tempDir()
    const daemon = await initialised(home)
    const client = await daemon.connect()
    for (const name of ['a', 'b', 'c']) await client.call('device.rename', { device: OWN_LAPTOP, name })
    expect(await daemon.kill('SIGTERM')).toBe(0)
    const store = join(home, 'state/store')
    const log = readdirSync(store).find((name) => name.endsWith('.log') && statSync(join(store, name)).size > 500)!
    const bytes = readFileSync(join(store, log))
    bytes[300]! ^= 1
    writeFileSync(join(store, log), bytes)
    expect(await refusal(home)).toMatch(new RegExp(`${log} is damaged at byte.*doctor.*STORE_CORRUPT`))
  })

  it('without its former store or secrets, and creates no new ones', async () => {
    const home = await stoppedHome()
    const state = join(home, 'state')
    renameSync(join(state, 'store'), join(home, 'store'))
    expect(await refusal(home)).toContain('STORE_MISSING')
    renameSync(join(state, 'anchor'), join(home, 'anchor'))
    expect(await refusal(home)).toContain('STORE_MISSING')
    rmSync(join(state, 'store'), { recursive: true, force: true })
    renameSync(join(home, 'store'), join(state, 'store'))
    renameSync(join(home, 'anchor'), join(state, 'anchor'))
    renameSync(join(state, 'secrets'), join(home, 'secrets'))
    expect(await refusal(home)).toContain('SECRETS_MISSING')
    expect(existsSync(join(state, 'secrets'))).toBe(false)
    renameSync(join(home, 'secrets'), join(state, 'secrets'))
    const daemon = await DaemonProcess.start({ home })
    expect((await (await daemon.connect()).call('device.list')).devices).toStrictEqual([LAPTOP])
  })

  it('when the path of its socket is too long for the system', async () => {
    const home = join(tempDir(), 'x'.repeat(100))
    expect(await refusal(home)).toContain('SOCKET_PATH_TOO_LONG')
  })

  it('with a broken configuration, and names line and column', async () => {
    const home = tempDir()
    mkdirSync(join(home, 'config'))
    writeFileSync(join(home, 'config/personad.yaml'), 'log:\n  level: loud\n')
    expect(await refusal(home)).toMatch(/line 2, column 10.*CONFIG_VALUE/)
    expect(existsSync(join(home, 'state'))).toBe(false)
  })
})
