import { execFileSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { formatHex } from '../../src/core/bytes.ts'
import { LiveHome } from '../support/live-home.ts'
import { publicKeyOf, secretKeyOf } from '../support/tox-people.ts'
import { tempDir } from '../support/temp-dir.ts'
import { liveAbsence, TestNode } from '../support/tox-node.ts'

const absence = liveAbsence()
const LAPTOP = formatHex(publicKeyOf(41))
const PHONE = formatHex(publicKeyOf(42))
const FRIEND = formatHex(publicKeyOf(43))

/** A home with a persona and its companion, running. */
async function person(
  device: string,
  key: string,
  bootstrap: TestNode,
): Promise<{ home: LiveHome; companion: string; toxId: string }> {
  const home = await LiveHome.start({ bootstrap: [await bootstrap.address()] })
  await home.admin.call('persona.init', { device: { name: device, key } })
  const { key: companion, toxId } = await home.admin.call('tox.up', {})
  return { home, companion: companion!, toxId: toxId! }
}

describe.skipIf(absence !== null)(`the companion ${absence === null ? '' : `(skipped: ${absence})`}`, () => {
  test('carries the tables of three machines: a new phone is confirmed and active for a friend who does nothing', async () => {
    const bootstrap = new TestNode({ secretKey: secretKeyOf(40) })
    const owner = await person('laptop', LAPTOP, bootstrap)
    const friend = await person('desk', FRIEND, bootstrap)

    // The friend asks by the Tox ID, the owner lets him in: the one thing that each of them does.
    await friend.home.admin.call('tox.add', { id: owner.toxId })
    const asked = await owner.home.told('tox.request')
    expect(asked.key).toBe(friend.companion)
    expect(asked.personaId).not.toBeNull()
    await owner.home.admin.call('tox.add', { id: asked.key })
    const met = await friend.home.told('contact.changed', ({ contact }) => contact.devices.length > 0)
    expect(met.contact).toMatchObject({ kind: 'persona', active: null, activeUnconfirmed: LAPTOP })
    expect(met.contact.devices).toMatchObject([{ key: owner.companion, companion: true, state: 'confirmed' }])
    await owner.home.told('contact.changed', ({ contact }) => contact.devices.length > 0)

    // A second machine of the owner's: the same state, and a companion of its own.
    await owner.home.stop()
    const directory = tempDir()
    execFileSync('cp', ['-a', join(owner.home.home, 'state'), directory])
    rmSync(join(directory, 'state/companion'))
    const nodes = [await bootstrap.address()]
    const laptop = await LiveHome.start({ home: owner.home.home, bootstrap: nodes })
    const phone = await LiveHome.start({ home: directory, bootstrap: nodes })
    const { key: second } = await phone.admin.call('tox.up', { name: 'phone companion' })
    // The laptop lets it in by the table that came with the request, and takes the table.
    await laptop.told('own.changed', ({ table }) => table.devices.some(({ key }) => key === second))
    await friend.home.told('device.added', ({ device }) => device.key === second)
    await friend.home.told('contact.changed', ({ contact }) => contact.devices.some(({ key }) => key === second))

    // The phone's client, which knows nothing of personas: its profile has the friend's companion, as "tox follow" puts it there.
    const client = new TestNode({ secretKey: secretKeyOf(42), name: 'Alice', bootstrap: nodes })
    client.add(friend.companion)
    await client.reported('self')
    const started = performance.now()
    await laptop.admin.call('device.add', { name: 'phone', key: PHONE })
    await laptop.admin.call('device.activate', { device: 'phone' })
    await friend.home.told('device.added', ({ device }) => device.key === PHONE)
    const claimedMs = performance.now() - started
    await phone.told('own.changed', ({ table }) => table.devices[0]!.key === PHONE)
    client.send({ type: 'show', text: (await phone.admin.call('blob.get', { words: 'on the road' })).text })
    await friend.home.told('contact.changed', ({ contact }) => contact.active === PHONE)
    const confirmedMs = performance.now() - started

    const app = await friend.home.daemon.connect('app')
    const found = await app.call('lookup', { query: PHONE })
    expect(found.device).toMatchObject({ state: 'confirmed', sources: ['live'] })
    for (const home of [laptop, phone, friend.home]) await home.stop()
    onTestFinished(() => {})
  })
})
