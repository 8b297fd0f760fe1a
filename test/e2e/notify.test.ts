/** The real daemon on a real session bus (dbus-daemon), with a desktop that keeps what it is asked to show. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { once } from 'node:events'
import { describe, expect, onTestFinished, test } from 'vitest'
import { BusError } from '../../src/daemon/notify/bus.ts'
import { showNotice } from '../../src/daemon/notify/desktop.ts'
import { MAX_NOTICES } from '../../src/daemon/notify/notifier.ts'
import type { Client } from '../../src/ipc/client.ts'
import { DaemonProcess } from '../support/daemon.ts'
import { Desktop, MISSING_DBUS, startBus } from '../support/desktop.ts'
import { OWN_LAPTOP } from '../support/keeper.ts'
import { person, type Person } from '../support/person.ts'
import { tempDir } from '../support/temp-dir.ts'

async function start(address: string, config = ''): Promise<{ daemon: DaemonProcess; client: Client }> {
  const home = tempDir()
  if (config !== '') {
    mkdirSync(join(home, 'config'), { mode: 0o700 })
    writeFileSync(join(home, 'config/personad.yaml'), config, { mode: 0o600 })
  }
  const daemon = await DaemonProcess.start({ home, env: { DBUS_SESSION_BUS_ADDRESS: address } })
  const client = await daemon.connect()
  await client.call('persona.init', { device: { name: 'laptop', key: OWN_LAPTOP } })
  return { daemon, client }
}

/** Bob, or somebody with this name, shows a persona and then another one: an alarm. */
async function raiseAlarm(client: Client, bob: Person, name: string): Promise<void> {
  const observe = (text: string): Promise<unknown> => client.call('observe', { from: bob.key('phone'), text, name })
  await observe(bob.table(['phone']).text())
  await observe(bob.thief().table(['phone'], { after: null }).text())
}

async function desktopFinding(client: Client): Promise<string | undefined> {
  const { findings } = await client.call('doctor')
  return findings.find(({ code }) => code.startsWith('NOTIFY'))?.code
}

describe.skipIf(MISSING_DBUS)('on a session bus (needs dbus-daemon)', () => {
  test('the desktop shows an alarm once, with the name escaped and without a key', async () => {
    const address = await startBus()
    const desktop = await Desktop.start(address)
    const { client } = await start(address)
    const bob = person('bob on the desktop')
    await raiseAlarm(client, bob, '<b>Bob & Co</b>')
    await raiseAlarm(client, bob, '<b>Bob & Co</b>')
    const [shown] = await desktop.has(1)
    expect(shown).toMatchObject({ app: 'personad', replaces: 0, icon: '', actions: 0, urgency: 1, timeoutMs: -1 })
    expect(shown!.summary).toBe('Alarm of personad')
    expect(shown!.body).toContain('two key chains claim to be &lt;b&gt;Bob &amp; Co&lt;/b&gt;'.replace('two', 'Two'))
    expect(shown!.body).not.toMatch(/[0-9A-F]{16}/)
    expect(await desktopFinding(client)).toBe('NOTIFY')
    expect(desktop.shown).toHaveLength(1)
  })

  test('of many alarms at once the desktop shows a few', async () => {
    const address = await startBus()
    const desktop = await Desktop.start(address)
    const { client, daemon } = await start(address)
    for (let n = 0; n < 12; n++) await raiseAlarm(client, person(`crowd ${n}`), `Crowd ${n}`)
    await desktop.has(MAX_NOTICES)
    // The end of the daemon waits for what is being shown.
    await daemon.kill('SIGTERM')
    expect(desktop.shown).toHaveLength(MAX_NOTICES)
  })

  test('kinds that the configuration leaves out are not shown, and a reload turns everything off', async () => {
    const address = await startBus()
    const desktop = await Desktop.start(address)
    const { client, daemon } = await start(address, 'notify:\n  about: [alarms]\n')
    const ann = person('ann on the desktop')
    const observe = (devices: string[]): Promise<unknown> =>
      client.call('observe', { from: ann.key('phone'), text: ann.table(devices).text(), name: 'Ann' })
    await observe(['phone'])
    await observe(['phone', 'tablet'])
    await raiseAlarm(client, person('bob whom the desktop names'), 'Bob')
    await desktop.has(1)
    expect(desktop.shown.map(({ summary }) => summary)).toEqual(['Alarm of personad'])
    writeFileSync(join(daemon.home, 'config/personad.yaml'), 'notify:\n  enabled: false\n')
    const reloaded = daemon.logged('config.reloaded')
    daemon.child.kill('SIGHUP')
    await reloaded
    await raiseAlarm(client, person('carl whom nobody names'), 'Carl')
    expect(await desktopFinding(client)).toBe('NOTIFY_OFF')
    await daemon.kill('SIGTERM')
    expect(desktop.shown).toHaveLength(1)
  })

  test('a bus without a desktop, and one that is gone, cost nothing but a line in the log', async () => {
    const address = await startBus()
    const { client, daemon } = await start(address)
    expect(await desktopFinding(client)).toBe('NOTIFY_NO_DESKTOP')
    const failed = daemon.logged('notify.failed')
    await raiseAlarm(client, person('bob without a desktop'), 'Bob')
    expect(await failed).toContain('BUS_REFUSED')
    expect((await client.call('alarm.list')).alarms).toHaveLength(1)
    const { client: alone } = await start('unix:path=/nonexistent/bus')
    expect(await desktopFinding(alone)).toBe('NOTIFY_UNREACHABLE')
    const { client: none } = await start('disabled:')
    expect(await desktopFinding(none)).toBe('NOTIFY_NO_BUS')
  })

  test('the bus finds no fault with a text of any characters, and an error of the desktop is a BusError', async () => {
    const address = await startBus()
    const desktop = await Desktop.start(address)
    const [, path] = /path=([^,]+)/.exec(address)!
    const texts = ['', 'a', 'ab', 'abc', 'abcd', 'ä€😀', 'nul\0inside', 'x'.repeat(10_000)]
    for (const text of texts) await showNotice([path!], { kind: 'alarms', urgency: 'low', summary: text, body: text })
    expect(desktop.shown.map(({ summary }) => summary)).toEqual([
      ...texts.slice(0, 6),
      'nulinside',
      `${'x'.repeat(399)}…`,
    ])
    desktop.refuses = 'org.freedesktop.Notifications.Error.ExcessNotificationGeneration'
    const notice = { kind: 'alarms', urgency: 'low', summary: 's', body: 'b' } as const
    await expect(showNotice([path!], notice)).rejects.toMatchObject({
      code: 'BUS_REFUSED',
      message: expect.stringContaining('ExcessNotificationGeneration'),
    })
  })
})

test.each([
  ['closes at once', ''],
  ['refuses the user', 'REJECTED EXTERNAL\r\n'],
  ['sends no message after the greeting', `OK 00\r\n${'\xff'.repeat(64)}`],
])('a bus that %s is a BusError', async (_, greeting) => {
  const path = join(tempDir(), 'bus')
  const server = createServer((socket) => {
    socket.on('error', () => {}).once('data', () => void socket.end(Buffer.from(greeting, 'latin1')))
  }).listen(path)
  onTestFinished(() => void server.close())
  await once(server, 'listening')
  const notice = { kind: 'alarms', urgency: 'low', summary: 's', body: 'b' } as const
  await expect(showNotice([path], notice)).rejects.toThrow(BusError)
})
