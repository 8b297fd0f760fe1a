/** Channels of real daemons that go on from an old state: a copied home, a backup, and a machine whose whole disk was put back. */
import { spawnSync } from 'node:child_process'
import { cpSync, readdirSync, readFileSync, rmSync, watch } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Client } from '../../src/ipc/client.ts'
import { meet, readUpTo, Side, twoSides } from '../support/channel-sides.ts'
import { codeOf } from '../support/code-of.ts'
import { DiskImage } from '../support/disk-image.ts'
import { deviceKey } from '../support/person.ts'
import { tempDir } from '../support/temp-dir.ts'

const TIMEOUT_MS = 120_000 // sanity: a few seconds on an idle machine
const SHORT_FILE_BYTES = 1 + 256 + 16 // the type, the smallest frame, and the end of a file
const NONCES_BYTES = 48
const IS_SLOW = Number(process.env['PUT_BACKS'] ?? 0) > 0 // `npm run test:slow` asks for it
const CAN_MOUNT = process.getuid?.() === 0 && spawnSync('which', ['mkfs.ext4']).status === 0
const absence = IS_SLOW && CAN_MOUNT ? '' : ' (skipped: takes PUT_BACKS=1, root and mkfs.ext4)'

/** The files in the subdirectories of a folder, with their bytes. */
function framesIn(folder: string): Map<string, Buffer> {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.frame'))
  return new Map(names.map((name) => [name, readFileSync(join(folder, name))]))
}

/** Resolves with the frames of contents that have come since, once there is one. */
async function newContents(folder: string, before: ReadonlyMap<string, Buffer>): Promise<Buffer[]> {
  let ring = (): void => {}
  const watcher = watch(folder, { recursive: true }, () => ring())
  const known = [...before.values()]
  try {
    for (;;) {
      const rung = new Promise<void>((resolve) => (ring = resolve))
      const fresh = [...framesIn(folder).values()].filter(
        (bytes) => bytes.length > SHORT_FILE_BYTES && !known.some((each) => each.equals(bytes)),
      )
      if (fresh.length > 0) return fresh
      await rung
    }
  } finally {
    watcher.close()
  }
}

async function backupOf(client: Client, passphrase: string): Promise<{ header: string; boxes: string[] }> {
  const { backup, header } = await client.call('backup.begin', { passphrase })
  const boxes: string[] = []
  for (let isLast = false; !isLast;) {
    const next = await client.call('backup.next', { backup })
    boxes.push(next.box)
    isLast = next.isLast
  }
  return { header, boxes }
}

test(
  'a copy of the home sends no content and no frame of before, breaks its channels and tells the peer',
  async () => {
    const folder = tempDir()
    const [host, guest] = await twoSides({ folders: [folder] })
    const { hostId, guestId } = await meet(host, guest)
    await host.client.call('channel.send', { id: hostId, text: 'before' })
    expect(await readUpTo(guest, guestId, 1)).toEqual(['before'])
    await guest.stop()
    await host.client.call('channel.send', { id: hostId, text: 'x'.repeat(500) })
    await host.stop()
    const before = framesIn(folder)
    const copyHome = join(tempDir(), 'copy')
    cpSync(host.home, copyHome, { recursive: true, filter: (path) => !path.endsWith('.sock') })
    const copy = await new Side({ folders: [folder] }, copyHome).start()
    expect(await copy.show(hostId)).toMatchObject({ state: 'broken', reason: 'RESTORED' })
    expect(await codeOf(copy.client.call('channel.send', { id: hostId, text: 'after' }))).toBe('CHANNEL_NOT_OPEN')
    await guest.start()
    // The guest may have read already that the channel is broken.
    expect(['done', 'CHANNEL_NOT_OPEN', 'CHANNEL_BROKEN']).toContain(
      await codeOf(guest.client.call('channel.send', { id: guestId, text: 'hello' })),
    )
    await guest.until(async () => (await guest.show(guestId)).state !== 'open')
    expect(await guest.show(guestId)).toMatchObject({ state: 'broken', reason: 'PEER' })
    const own = (await copy.show(hostId)).carriers.map((url) => url.replace('folder:', ''))
    const sent = [...framesIn(folder)].filter(
      ([name]) => !before.has(name) && own.some((digits) => name.startsWith(digits)),
    )
    expect(new Set(sent.map(([, { length }]) => length))).toEqual(new Set([SHORT_FILE_BYTES]))
    const again = await meet(copy, guest)
    await copy.client.call('channel.send', { id: again.hostId, text: 'again' })
    expect(await readUpTo(guest, again.guestId, 1)).toEqual(['again'])
  },
  TIMEOUT_MS,
)

test(
  'a restored backup names the channels that are lost, sends nothing, and meets the peer again by a new invite',
  async () => {
    const folder = tempDir()
    const passphrase = 'a backup of yesterday'
    const [host, guest] = await twoSides({ folders: [folder] })
    await host.client.call('persona.init', { device: { name: 'laptop', key: deviceKey('laptop') } })
    const { hostId, guestId } = await meet(host, guest)
    const { header, boxes } = await backupOf(host.client, passphrase)
    await host.client.call('channel.send', { id: hostId, text: 'after the backup' })
    expect(await readUpTo(guest, guestId, 1)).toEqual(['after the backup'])
    await host.stop()
    const before = framesIn(folder)

    const restored = await new Side({ folders: [folder] }).start()
    const { restore } = await restored.client.call('restore.begin', { header, passphrase })
    for (const [i, box] of boxes.entries())
      await restored.client.call('restore.put', { restore, box, isLast: i === boxes.length - 1 })
    const { channels } = await restored.client.call('channel.list', {})
    expect(channels).toMatchObject([{ id: hostId, name: 'Guest', state: 'broken', reason: 'RESTORED' }])
    for (const call of [
      restored.client.call('channel.send', { id: hostId, text: 'x' }),
      restored.client.call('channel.read', { id: hostId, after: 0 }),
    ])
      expect(await codeOf(call)).toBe('CHANNEL_NOT_OPEN')
    await restored.stop()
    await restored.start()
    await restored.client.call('persona.unlock', { passphrase })
    expect((await restored.show(hostId)).state).toBe('broken')
    expect([...framesIn(folder).keys()]).toEqual([...before.keys()])
    expect(await codeOf(restored.client.call('channel.invite', {}))).toBe('RESTORE_UNRECONCILED')
    const { invite } = await restored.client.call('channel.invite', { persona: false })
    const { id } = await guest.client.call('channel.accept', { invite })
    await guest.until(async () => (await guest.show(id)).state === 'open')
    expect(await restored.client.call('channel.close', { id: hostId })).toEqual({ state: 'closed' })
  },
  TIMEOUT_MS,
)

test.skipIf(absence !== '')(
  `a machine that is put back uses no key and nonce twice, both sides say broken, and a new invite mends it${absence}`,
  async () => {
    const folder = tempDir()
    const disk = new DiskImage()
    const machine = new Side({ folders: [folder] }, disk.directory)
    const [peer] = await Promise.all([new Side({ folders: [folder] }).start(), machine.start()])
    const { hostId, guestId } = await meet(machine, peer)
    await machine.client.call('channel.send', { id: hostId, text: 'one' })
    expect(await readUpTo(peer, guestId, 1)).toEqual(['one'])
    await machine.stop()
    disk.save()

    // Frames of contents that the machine has sealed.
    const seen: Buffer[] = []
    const sendAlone = async (text: string): Promise<void> => {
      await peer.stop()
      await machine.start()
      const before = framesIn(folder)
      // Longer than the smallest frame.
      await machine.client.call('channel.send', { id: hostId, text: text.repeat(100) })
      seen.push(...(await newContents(folder, before)))
      await machine.stop()
      await peer.start()
    }
    await sendAlone('two')
    expect(await readUpTo(peer, guestId, 2, 1)).toEqual(['two'.repeat(100)])
    await peer.stop()

    // The last ack of the peer lies there: the machine notices by itself.
    disk.putBack()
    await machine.start()
    await machine.until(async () => (await machine.show(hostId)).state !== 'open')
    expect((await machine.show(hostId)).reason).toBe('ACK_AHEAD')
    await machine.stop()

    // Once more, and nothing lies there that says so.
    for (const name of framesIn(folder).keys()) rmSync(join(folder, name))
    disk.putBack()
    await sendAlone('three')
    await peer.until(async () => (await peer.show(guestId)).state !== 'open')
    expect(await peer.show(guestId)).toMatchObject({ state: 'broken', reason: 'NUMBER_TWICE', received: 2 })
    await machine.start()
    await machine.until(async () => (await machine.show(hostId)).state !== 'open')
    expect(await machine.show(hostId)).toMatchObject({ state: 'broken', reason: 'PEER' })

    const frames = new Map(seen.map((bytes) => [bytes.toString('hex'), bytes]))
    const nonces = [...frames.values()].map((bytes) => bytes.toString('hex', 1, 1 + NONCES_BYTES))
    expect([new Set(nonces).size, frames.size]).toEqual([2, 2])

    const again = await meet(machine, peer)
    await machine.client.call('channel.send', { id: again.hostId, text: 'again' })
    expect(await readUpTo(peer, again.guestId, 1)).toEqual(['again'])
  },
  TIMEOUT_MS,
)
