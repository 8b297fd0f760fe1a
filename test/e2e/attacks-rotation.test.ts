/** The attacks of a thief with an unlocked device, by their numbers in docs/threat-model.md: real daemons, used only through their sockets. */
import { chmodSync, cpSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Client } from '../../src/ipc/client.ts'
import type { EditResult } from '../../src/ipc/shapes/own.ts'
import type { RotationWishes } from '../../src/ipc/shapes/rotation.ts'
import { DaemonProcess } from '../support/daemon.ts'
import { OWN_LAPTOP, OWN_PHONE } from '../support/keeper.ts'
import { deviceKey } from '../support/person.ts'
import { tempDir } from '../support/temp-dir.ts'

const THIEF = { name: 'spare phone', key: deviceKey('thief') }
const TABLET = { name: 'tablet', key: deviceKey('own tablet') }

interface Story {
  readonly owner: Client
  /** The phone's daemon, which the thief has, unlocked. */
  readonly thief: Client
  readonly friend: Client
  readonly words: string
}

async function text(client: Client): Promise<string> {
  return (await client.call('blob.get', {})).text
}

/** An observer sees the text on a device. */
async function shows(observer: Client, from: string, status: string): Promise<string | null> {
  return (await observer.call('observe', { from, text: status, name: 'Alice' })).verdict
}

async function rotate(owner: Client, words: string, wishes: RotationWishes): Promise<EditResult> {
  const { plan } = await owner.call('rotation.plan', wishes)
  return await owner.call('rotation.apply', { ...wishes, plan, words })
}

/** Alice has a laptop and a phone, and Bob has both as friends. Then the phone is stolen while unlocked. */
async function theft(): Promise<Story> {
  const [ownHome, phoneHome, bobHome] = [tempDir(), tempDir(), tempDir()]
  const first = await DaemonProcess.start({ home: ownHome })
  const maker = await first.connect()
  await maker.call('persona.init', { device: { name: 'laptop', key: OWN_LAPTOP } })
  const { words } = await maker.call('recovery.show', {})
  await maker.call('recovery.confirm', { words: [1, 2, 3].map((n) => ({ position: n, word: words[n - 1]! })) })
  await maker.call('device.add', { name: 'phone', key: OWN_PHONE })
  expect(await first.kill('SIGTERM')).toBe(0)
  cpSync(join(ownHome, 'state'), join(phoneHome, 'state'), { recursive: true })
  chmodSync(join(phoneHome, 'state'), 0o700)
  const [owner, thief, friend] = await Promise.all(
    [ownHome, phoneHome, bobHome].map(async (home) => (await DaemonProcess.start({ home })).connect()),
  )
  const status = await text(owner!)
  // A daemon notices that its state is a copy, and signs nothing until it has seen the current table.
  await thief!.call('persona.reconcile', { copies: [status] })
  for (const key of [OWN_LAPTOP, OWN_PHONE]) await shows(friend!, key, status)
  return { owner: owner!, thief: thief!, friend: friend!, words: words.join(' ') }
}

async function confirmed(friend: Client): Promise<string[]> {
  const { devices } = await friend.call('contact.show', { contact: 'Alice' })
  return devices.map(({ key }) => key).toSorted()
}

describe('the thief of an unlocked phone', () => {
  it('17: is noticed when they remove the others and add a device, and one rotation shuts them out for everybody who knew c_0', async () => {
    const { owner, thief, friend, words } = await theft()
    await thief.call('device.add', THIEF)
    await thief.call('device.remove', { device: 'laptop' })
    const stolen = await text(thief)
    for (const key of [OWN_PHONE, THIEF.key]) await shows(friend, key, stolen)
    expect(await confirmed(friend)).toEqual([OWN_PHONE, THIEF.key].toSorted())
    expect(await shows(owner, OWN_PHONE, stolen)).toBe('accept')
    await expect(owner.call('device.add', TABLET)).rejects.toMatchObject({ code: 'OWN_DEVICE_UNLISTED' })
    const { table } = await rotate(owner, words, { without: ['phone'] })
    expect(table).toMatchObject({ epoch: 1, devices: [{ name: 'laptop', key: OWN_LAPTOP }] })
    expect(await shows(friend, OWN_LAPTOP, await text(owner))).toBe('accept')
    expect(await confirmed(friend)).toEqual([OWN_LAPTOP])
    // From here on neither contact nor owner accepts what the thief's daemon signs.
    await thief.call('device.rename', { device: THIEF.name, name: 'Alice' })
    for (const observer of [friend, owner]) expect(await shows(observer, THIEF.key, await text(thief))).toBe('stale')
    expect(await confirmed(friend)).toEqual([OWN_LAPTOP])
    // Once it sees the rotation, it has no key any more.
    await shows(thief, OWN_LAPTOP, await text(owner))
    await expect(thief.call('device.add', TABLET)).rejects.toMatchObject({ code: 'KEY_SUPERSEDED' })
  }, 60_000)

  it('18: cannot name another next key: rotating with other words is refused on the phone', async () => {
    const { owner, thief, friend } = await theft()
    const other = await DaemonProcess.start({ home: tempDir() })
    const stranger = await other.connect()
    await stranger.call('persona.init', { device: { name: 'x', key: deviceKey('x') } })
    const { words } = await stranger.call('recovery.show', {})
    const { plan } = await thief.call('rotation.plan', { epoch: 1 })
    const apply = thief.call('rotation.apply', { epoch: 1, plan, words: words.join(' ') })
    await expect(apply).rejects.toMatchObject({ code: 'WORDS_FOREIGN' })
    await expect(thief.call('rotation.apply', { epoch: 1, plan })).rejects.toMatchObject({ code: 'WORDS_NEEDED' })
    expect(await shows(friend, OWN_PHONE, await text(thief))).toBe('refresh')
    expect((await owner.call('device.list', {})).epoch).toBe(0)
  }, 60_000)

  it('41: cannot carry an added device through the rotation', async () => {
    const { owner, thief, friend, words } = await theft()
    await thief.call('device.add', THIEF)
    const before = await text(thief)
    for (const observer of [owner, friend]) await shows(observer, OWN_PHONE, before)
    await shows(friend, THIEF.key, before)
    const planned = await owner.call('rotation.plan', { without: ['phone'] })
    expect(planned.leftOut).toMatchObject([
      { key: OWN_PHONE, why: 'named' },
      { key: THIEF.key, why: 'unapproved' },
    ])
    await rotate(owner, words, { without: ['phone'] })
    await shows(friend, OWN_LAPTOP, await text(owner))
    expect(await confirmed(friend)).toEqual([OWN_LAPTOP])
    expect((await friend.call('lookup', { query: THIEF.key })).device).toMatchObject({ state: 'former' })
  }, 60_000)

  it('42: does not profit from a missed rotation: the owner rotates above it, or is warned, also of one made twice', async () => {
    const { owner, thief: phone, friend, words } = await theft()
    // Nobody stole this phone: its owner rotates on it, and the laptop does not hear of it.
    await rotate(phone, words, { epoch: 1 })
    const unheard = await text(phone)
    await expect(owner.call('rotation.plan', {})).rejects.toMatchObject({ code: 'EPOCH_UNSURE', details: { epoch: 1 } })
    const alarms: string[] = []
    const told = new Promise<void>((done) => {
      void owner.subscribe(['alarm'], (event) => {
        if (event.event === 'alarm') alarms.push(event.data.code)
        done()
      })
    })
    // The owner wrongly claims that there was no rotation.
    await rotate(owner, words, { epoch: 1, without: ['phone'] })
    expect(await shows(owner, OWN_PHONE, unheard)).toBe('fork')
    await told
    expect(alarms).toContain('ROTATE_AGAIN')
    const { table } = await rotate(owner, words, {})
    expect(table.epoch).toBe(2)
    await shows(friend, OWN_PHONE, unheard)
    await shows(friend, OWN_LAPTOP, await text(owner))
    expect(await friend.call('contact.show', { contact: 'Alice' })).toMatchObject({ epoch: 2, active: OWN_LAPTOP })
  }, 60_000)

  it.each(['ask', 'pin'] as const)(
    '43: stays confirmed under no policy of a contact after a proven rotation (%s)',
    async (policy) => {
      const { owner, friend, words } = await theft()
      await friend.call('contact.policy', { contact: 'Alice', policy })
      await rotate(owner, words, { epoch: 1, without: ['phone'] })
      await shows(friend, OWN_LAPTOP, await text(owner))
      expect(await confirmed(friend)).toEqual([OWN_LAPTOP])
      expect((await friend.call('lookup', { query: OWN_PHONE })).device).toMatchObject({ state: 'former' })
    },
    60_000,
  )
})
