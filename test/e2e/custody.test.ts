/** The lock as its owner uses it: commands, a signal, a key from the service manager. */
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readSealMode } from '../../src/crypto/seal.ts'
import type { DaemonEvent } from '../../src/ipc/methods/events.ts'
import { DaemonProcess } from '../support/daemon.ts'
import { OWN_LAPTOP } from '../support/keeper.ts'
import { Home } from '../support/persona.ts'
import { tempDir } from '../support/temp-dir.ts'

const LAPTOP = { device: { name: 'laptop', key: OWN_LAPTOP } }
const passphrase = 'correct horse battery staple'

describe('persona passphrase', () => {
  it('sets, changes and removes it, each by files, stdin or a descriptor, and lock and unlock follow it', async () => {
    const home = new Home()
    await home.start()
    const file = (name: string, text: string): string => {
      const path = join(home.directory, name)
      writeFileSync(path, `${text}\n`, { mode: 0o600 })
      return path
    }
    const [one, two, wrong] = [file('one', 'first words'), file('two', 'second words'), file('wrong', 'no')]
    expect(await home.failure(['lock'])).toBe('1 NO_PERSONA')
    await home.done(['init', '--device', 'laptop', '--key', OWN_LAPTOP])
    expect(await home.failure(['lock'])).toBe('1 NO_PASSPHRASE')
    expect(await home.failure(['passphrase', 'change', '--old-passphrase-file', one, '--passphrase-file', two])).toBe(
      '1 NO_PASSPHRASE',
    )
    expect(await home.done(['passphrase', 'set', '--passphrase-file', '-'], { stdin: 'first words\n' })).toContain(
      'the new passphrase seals the signing key',
    )
    expect(await home.failure(['passphrase', 'set', '--passphrase-file', two])).toBe('1 PASSPHRASE_SET')
    expect(await home.done(['lock'])).toContain('locked')
    expect(await home.json(['status'])).toMatchObject({ locked: true })
    expect(await home.failure(['device', 'rename', 'laptop', 'desk'])).toBe('1 LOCKED')
    expect(await home.failure(['unlock', '--passphrase-file', wrong])).toBe('1 SEAL_WRONG_PASSPHRASE')
    await home.done(['unlock', '--passphrase-file', one])
    expect(await home.failure(['passphrase', 'change', '--old-passphrase-file', '-', '--passphrase-file', '-'])).toBe(
      '2 USAGE',
    )
    expect(await home.failure(['passphrase', 'remove', '--old-passphrase-file', wrong])).toBe('1 SEAL_WRONG_PASSPHRASE')
    expect(await home.failure(['passphrase', 'remove'])).toBe('1 NO_TERMINAL')
    await home.done(['passphrase', 'change', '--old-passphrase-file', one, '--passphrase-file', two])
    await home.stop()
    await home.start()
    expect(await home.json(['status'])).toMatchObject({ locked: true })
    await home.done(['unlock', '--passphrase-file', two])
    expect(await home.json(['passphrase', 'remove', '--old-passphrase-file', two])).toStrictEqual({
      sealing: 'unsealed',
    })
  }, 60_000)
})

describe('SIGUSR1', () => {
  it('locks the key, causes an event, and opens no debugger, with and without --disable-sigusr1', async () => {
    const options = ['', '--disable-sigusr1']
    for (const nodeOptions of options) {
      const home = tempDir()
      const daemon = await DaemonProcess.start({ home, env: { NODE_OPTIONS: nodeOptions } })
      const client = await daemon.connect()
      await client.call('persona.init', { ...LAPTOP, passphrase })
      const told = new Promise<DaemonEvent>((resolve) => {
        void client
          .subscribe(['locked'], (event) => resolve(event as DaemonEvent))
          .then(() => daemon.child.kill('SIGUSR1'))
      })
      expect(await told).toMatchObject({ event: 'locked', data: { locked: true, cause: 'signal' } })
      expect((await client.call('status')).locked).toBe(true)
      expect(readFileSync(`/proc/${daemon.child.pid}/net/tcp`, 'utf8')).not.toContain(':240D 00000000:0000 0A')
      await client.call('persona.unlock', { passphrase })
      expect(await daemon.kill('SIGTERM')).toBe(0)
      expect(daemon.log.join()).not.toContain('Debugger')
    }
    expect(options).toHaveLength(2)
  }, 60_000)

  it('without a passphrase changes nothing', async () => {
    const daemon = await DaemonProcess.start({ home: tempDir() })
    const client = await daemon.connect()
    await client.call('persona.init', LAPTOP)
    daemon.child.kill('SIGUSR1')
    expect((await client.call('device.rename', { device: 'laptop', name: 'desk' })).table.seq).toBe(2)
    expect(await daemon.kill('SIGTERM')).toBe(0)
    expect(daemon.log.join()).toContain('daemon.not-locked')
  })
})

describe('the setting custody', () => {
  it('locks the key by itself, and a reload applies it', async () => {
    const home = tempDir()
    mkdirSync(join(home, 'config'))
    const config = join(home, 'config/personad.yaml')
    writeFileSync(config, 'custody:\n  idle_seconds: 600\n', { mode: 0o600 })
    const daemon = await DaemonProcess.start({ home })
    const client = await daemon.connect()
    await client.call('persona.init', { ...LAPTOP, passphrase })
    const told = new Promise<DaemonEvent>((resolve) => {
      void client
        .subscribe(['locked'], (event) => resolve(event as DaemonEvent))
        .then(() => {
          writeFileSync(config, 'custody:\n  idle_seconds: 10\n')
          daemon.child.kill('SIGHUP')
        })
    })
    expect(await told).toMatchObject({ data: { locked: true, cause: 'idle' } })
  }, 60_000)
})

describe('a key in the credential directory', () => {
  it('opens the daemon at each start, and without it the daemon refuses to start', async () => {
    const [home, directory] = [tempDir(), tempDir()]
    const key = join(directory, 'personad.key')
    writeFileSync(key, 'ab'.repeat(32))
    chmodSync(key, 0o400)
    const env = { CREDENTIALS_DIRECTORY: directory }
    const first = await DaemonProcess.start({ home, env })
    await (await first.connect()).call('persona.init', LAPTOP)
    expect(await first.kill('SIGTERM')).toBe(0)
    const files = ['secrets', 'seed'].map((name) => readSealMode(readFileSync(join(home, 'state', name))))
    expect(files).toStrictEqual(['key', 'key'])
    const second = await DaemonProcess.start({ home, env })
    expect((await (await second.connect()).call('device.rename', { device: 'laptop', name: 'desk' })).table.seq).toBe(2)
    expect(await second.kill('SIGTERM')).toBe(0)
    const third = await DaemonProcess.start({ home, env: { CREDENTIALS_DIRECTORY: '' } })
    expect(await third.ended).toBe(78)
    expect(third.log.join()).toContain('CREDENTIAL_MISSING')
    chmodSync(key, 0o444)
    const fourth = await DaemonProcess.start({ home, env })
    expect(await fourth.ended).toBe(78)
    expect(fourth.log.join()).toContain('CREDENTIAL_UNUSABLE')
  }, 60_000)
})
