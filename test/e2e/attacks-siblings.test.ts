/** The attacks on siblings and the order of tables, by their numbers (test/README.md), on real daemons through their sockets. */
import { cpSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { Client } from '../../src/ipc/client.ts'
import { DaemonProcess } from '../support/daemon.ts'
import { deviceKey } from '../support/person.ts'
import { tempDir } from '../support/temp-dir.ts'

const LAPTOP = { name: 'laptop', key: deviceKey('laptop') }
const PHONE = { name: 'phone', key: deviceKey('phone') }
const TABLET = { name: 'tablet', key: deviceKey('tablet') }
const WATCH = { name: 'watch', key: deviceKey('watch') }
const PASSPHRASE = 'correct horse battery'

async function started(home: string = tempDir()): Promise<{ home: string; daemon: DaemonProcess; client: Client }> {
  const daemon = await DaemonProcess.start({ home })
  return { home, daemon, client: await daemon.connect() }
}

/** Two daemons of one owner. The second started as a copy of the first. */
async function siblings(): Promise<[Client, Client]> {
  const first = await started()
  await first.client.call('persona.init', { device: LAPTOP })
  await first.client.call('device.add', PHONE)
  // Without a backup or a pairing the daemon knows that its key is nowhere else, so a copy would rightly raise an alarm.
  await first.client.call('backup.begin', { passphrase: PASSPHRASE })
  await first.daemon.kill('SIGTERM')
  const copy = tempDir()
  cpSync(first.home, copy, { recursive: true, filter: (path) => !path.includes('/run') })
  const [one, other] = [(await started(first.home)).client, (await started(copy)).client]
  await other.call('persona.reconcile', { copies: [(await one.call('blob.get')).text] })
  return [one, other]
}

/** Gives one daemon's status message to the other. */
async function hand(from: Client, to: Client): Promise<void> {
  await to.call('sibling.sync', { text: (await from.call('blob.get')).text })
}

describe('through the socket', () => {
  it('23: two honest devices that edit offline end with the same table, without an alarm', async () => {
    const [one, other] = await siblings()
    await one.call('device.add', TABLET)
    await other.call('device.rename', { device: 'phone', name: 'Handy' })
    for (let round = 0; round < 2; round++) {
      await hand(one, other)
      await hand(other, one)
    }
    const table = await one.call('device.list')
    expect(await other.call('device.list')).toStrictEqual(table)
    expect(table.devices.map(({ name }) => name).sort()).toStrictEqual(['Handy', 'laptop', 'tablet'])
    for (const client of [one, other]) expect((await client.call('alarm.list')).alarms).toStrictEqual([])
  }, 30_000)

  it('24: after a restore nothing is signed or shown until a copy was read, and nothing is lost', async () => {
    const { client } = await started()
    await client.call('persona.init', { device: LAPTOP })
    const { backup, header } = await client.call('backup.begin', { passphrase: PASSPHRASE })
    const parts = [await client.call('backup.next', { backup })]
    while (!parts.at(-1)!.isLast) parts.push(await client.call('backup.next', { backup }))
    await client.call('device.add', PHONE)
    const today = await client.call('blob.get')
    const restored = (await started()).client
    const { restore } = await restored.call('restore.begin', { header, passphrase: PASSPHRASE })
    for (const part of parts) await restored.call('restore.put', { restore, ...part })
    await restored.call('persona.unlock', { passphrase: PASSPHRASE }).catch(() => {})
    for (const refused of [restored.call('blob.get'), restored.call('device.add', TABLET)]) {
      await expect(refused).rejects.toMatchObject({ code: 'RESTORE_UNRECONCILED' })
    }
    await restored.call('persona.reconcile', { copies: [today.text] })
    const { table } = await restored.call('device.add', TABLET)
    expect(table.devices.map(({ name }) => name)).toStrictEqual(['laptop', 'phone', 'tablet'])
    expect(table.seq).toBe(today.table.seq + 1)
  }, 60_000)

  it('25: a removed device does not come back through an older sibling, nor by adding it without confirmation', async () => {
    const [one, other] = await siblings()
    await one.call('device.add', TABLET)
    await hand(one, other)
    await one.call('device.remove', { device: 'tablet' })
    for (const name of ['a', 'b', 'c']) await other.call('device.rename', { device: PHONE.key, name })
    await hand(other, one)
    expect((await one.call('device.list')).devices.map(({ key }) => key)).not.toContain(TABLET.key)
    await expect(one.call('device.add', TABLET)).rejects.toMatchObject({ code: 'DEVICE_TOMBSTONED' })
    await hand(one, other)
    expect(await other.call('device.list')).toStrictEqual(await one.call('device.list'))
  }, 30_000)

  it('47: siblings that show the same table cause no fork at a contact', async () => {
    const [one, other] = await siblings()
    const { client: friend } = await started()
    await one.call('device.add', WATCH)
    await hand(one, other)
    for (const client of [one, other]) {
      await friend.call('observe', { from: LAPTOP.key, text: (await client.call('blob.get')).text, name: 'Ada' })
    }
    const { personaId } = await one.call('device.list')
    expect(await friend.call('contact.show', { contact: personaId })).toMatchObject({ seq: 3 })
    expect((await friend.call('alarm.list')).alarms).toStrictEqual([])
  }, 30_000)
})
