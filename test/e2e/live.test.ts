import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { formatHex } from '../../src/core/encoding/bytes.ts'
import { readCompanionKey } from '../../src/daemon/companion/key.ts'
import { person as makePerson } from '../support/person.ts'
import type { Client } from '../../src/ipc/client.ts'
import type { PairingStep } from '../../src/ipc/shapes/pairing.ts'
import { LiveHome } from '../support/live-home.ts'
import { engine, publicKeyOf, secretKeyOf } from '../support/tox-people.ts'
import { liveAbsence, TestNode } from '../support/tox-node.ts'

const absence = liveAbsence()
const LAPTOP = formatHex(publicKeyOf(41))
const PHONE = formatHex(publicKeyOf(42))
const DESK = formatHex(publicKeyOf(43))
const EVIL = formatHex(publicKeyOf(44))

interface Person {
  readonly home: LiveHome
  readonly companion: string
  readonly toxId: string
}

/** A home with a persona of one device, and its running companion. */
async function person(device: string, key: string, bootstrap: TestNode): Promise<Person> {
  const home = await LiveHome.start({ bootstrap: [await bootstrap.address()] })
  await home.admin.call('persona.init', { device: { name: device, key } })
  const { key: companion, toxId } = await home.admin.call('tox.up', {})
  return { home, companion: companion!, toxId: toxId! }
}

/** All that two people have to do: one asks by the Tox ID, the other accepts. */
async function befriend(owner: Person, friend: Person): Promise<void> {
  await friend.home.admin.call('tox.add', { id: owner.toxId })
  const asked = await owner.home.told('tox.request')
  expect(asked.key).toBe(friend.companion)
  expect(asked.personaId).not.toBeNull()
  await owner.home.admin.call('tox.add', { id: asked.key })
  await owner.home.told('contact.changed', ({ contact }) => contact.devices.length > 0)
  const met = await friend.home.told('contact.changed', ({ contact }) => contact.devices.length > 0)
  expect(met.contact).toMatchObject({ kind: 'persona', active: null, activeUnconfirmed: LAPTOP })
  expect(met.contact.devices).toMatchObject([{ key: owner.companion, companion: true, state: 'confirmed' }])
}

/** Confirms the recovery words, so that no device has the seed. */
async function confirmWords(home: LiveHome): Promise<string> {
  const { words } = await home.admin.call('recovery.show')
  const chosen = [1, 12, 24].map((position) => ({ position, word: words[position - 1]! }))
  await home.admin.call('recovery.confirm', { words: chosen })
  return words.join(' ')
}

/** A whole pairing as two command lines do it. The person compares the words. */
async function pair(old: Client, joining: Client, device: { name: string; key: string }): Promise<void> {
  const carrier = 'connection'
  const { words } = await old.call('pairing.offer', { carrier })
  await joining.call('pairing.join', { code: words.join(' '), carrier, device })
  const to = async (side: Client, { send }: PairingStep): Promise<PairingStep> =>
    await side.call('pairing.carry', { message: send! })
  const there = await to(joining, await old.call('pairing.carry', {}))
  const here = await to(old, there)
  expect(here.compare).toEqual(there.compare)
  await old.call('pairing.confirm', {})
  await to(old, await joining.call('pairing.confirm', {}))
  let theirs = there
  while (theirs.state !== 'done') theirs = await to(joining, await old.call('pairing.carry', {}))
  await to(old, theirs)
}

describe.skipIf(absence !== null)(`the companion ${absence === null ? '' : `(skipped: ${absence})`}`, () => {
  test(
    'shows the tables of three machines to a friend who does nothing, and a thief gains nothing',
    { timeout: 120_000 },
    async () => {
      const bootstrap = new TestNode({ secretKey: secretKeyOf(40) })
      const nodes = [await bootstrap.address()]
      const owner = await person('laptop', LAPTOP, bootstrap)
      const words = await confirmWords(owner.home)
      const friend = await person('desk', DESK, bootstrap)
      await befriend(owner, friend)

      // The phone joins: its client, which does not know personas, and its daemon with a companion of its own. The client's profile has
      // the friend's companion, as "tox follow" would add it.
      const laptop = owner.home
      const phone = await LiveHome.start({ bootstrap: nodes })
      const client = new TestNode({ secretKey: secretKeyOf(42), name: 'Alice', bootstrap: nodes })
      client.add(friend.companion)
      await pair(laptop.admin, phone.admin, { name: 'phone', key: PHONE })
      const { key: second } = await phone.admin.call('tox.up', { name: 'phone companion' })
      // The laptop accepts it because of the table in the request, and imports the table.
      await laptop.told('own.changed', ({ table }) => table.devices.some(({ key }) => key === second))
      await friend.home.told('device.added', ({ device }) => device.key === PHONE)
      await friend.home.told('contact.changed', ({ contact }) => contact.devices.some(({ key }) => key === second))
      await laptop.admin.call('device.activate', { device: 'phone' })
      await phone.told('own.changed', ({ table }) => table.devices[0]!.key === PHONE)
      client.send({ type: 'show', text: (await phone.admin.call('blob.get', { words: 'on the road' })).text })
      await friend.home.told('contact.changed', ({ contact }) => contact.active === PHONE)
      const app = await friend.home.daemon.connect('app')
      expect(await app.call('lookup', { query: PHONE })).toMatchObject({
        contact: { active: PHONE, activeUnconfirmed: null },
        device: { state: 'confirmed', sources: ['live'] },
      })

      // The laptop is lost. The owner rotates on the phone with the recovery words. The friend follows without a question.
      await laptop.stop()
      const wishes = { without: ['laptop', 'companion'] }
      const { plan, devices } = await phone.admin.call('rotation.plan', wishes)
      expect(devices.map(({ key }) => key)).toEqual([PHONE, second])
      await phone.admin.call('rotation.apply', { ...wishes, plan, words })
      const rotated = await friend.home.told('contact.changed', ({ contact }) => contact.epoch === 1)
      expect(rotated.contact.others.map(({ key, state }) => [key, state])).toContainEqual([owner.companion, 'former'])
      const before = await app.call('contact.show', { contact: rotated.contact.personaId! })
      expect(before).toMatchObject({ active: PHONE, claims: [] })

      // The thief of the laptop has its key and its companion, and signs a table with a device of their own.
      const thief = await LiveHome.start({ home: laptop.home, bootstrap: [] })
      await thief.admin.call('device.add', { name: 'evil', key: EVIL })
      await thief.admin.call('device.activate', { device: 'evil' })
      const { text } = await thief.admin.call('blob.get', {})
      const stolen = (await readCompanionKey(join(laptop.home, 'state/companion'), machineId(), engine))!
      expect(formatHex(stolen.publicKey)).toBe(owner.companion)
      const loot = new TestNode({ secretKey: stolen.secretKey, text, bootstrap: nodes })
      loot.add(friend.companion)
      await loot.reported('friend', ({ connection }) => connection !== 'none')
      // The next table makes an alarm, which proves that the first was heard.
      const stranger = makePerson('Zoe').table([{ name: 'loot', key: owner.companion }])
      loot.send({ type: 'show', text: stranger.text() })
      await friend.home.told('alarm', ({ code, key }) => code === 'PERSONA_SWITCHED' && key === owner.companion)
      const after = await app.call('contact.show', { contact: rotated.contact.personaId! })
      expect(after).toMatchObject({ epoch: 1, seq: before.seq, active: PHONE, claims: [] })
      expect(await app.call('lookup', { query: EVIL })).toMatchObject({ by: 'none', contact: null })

      const log = [...friend.home.daemon.log, ...phone.daemon.log].join('\n')
      expect(log).toContain('"tox.ready"')
      expect(log).not.toMatch(/persona:[\w-]{20}|on the road/)
      for (const home of [phone, friend.home]) await home.stop()
    },
  )
})

function machineId(): string | null {
  try {
    return readFileSync('/etc/machine-id', 'utf8')
  } catch {
    return null
  }
}
