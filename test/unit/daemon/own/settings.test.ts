/** Settings of the document: edits of the owner that replay and rotations treat as the devices. */
import { describe, expect, it } from 'vitest'
import { decodeBlob } from '../../../../src/core/blob.ts'
import { settingsOf, type SettingKey, type Settings } from '../../../../src/core/document.ts'
import { verifyBlob } from '../../../../src/core/verify.ts'
import { parseStatus } from '../../../../src/core/token.ts'
import { OWN_LAPTOP, OWN_PHONE, ownText, TestKeeper } from '../../../support/keeper.ts'
import { deviceKey, engine } from '../../../support/person.ts'
import { hears, rotates, siblings, withWords } from '../../../support/rotation.ts'

const READ = 'AAAAAAAAAAAAAAAAAAAAAA'
const TABLET = { name: 'tablet', key: deviceKey('own tablet') }

async function set(test: TestKeeper, key: SettingKey, value: string | null): Promise<void> {
  const found = (await settings(test))[key] ?? null
  await test.keeper.change(() => test.keeper.own.edit({ kind: 'set', key, found, value }))
}

/** The settings that a friend reads in the status message. */
async function settings(test: TestKeeper): Promise<Settings> {
  const status = parseStatus(await ownText(test))
  if (status.kind !== 'token') throw new Error(status.kind)
  const { content } = verifyBlob(decodeBlob(status.blob), engine)
  if (!content.ok) throw new Error(content.message)
  return settingsOf(content.document)
}

describe('a setting', () => {
  it('stays in every later table until the owner takes it out', async () => {
    const test = await TestKeeper.withPersona()
    await set(test, 'announce', 'public')
    expect(test.told('own.changed').map(({ cause }) => cause)).toEqual(['set'])
    await test.call('device.add', TABLET)
    const again = await test.reopened()
    await again.call('device.rename', { device: 'tablet', name: 'slate' })
    expect(await settings(again)).toEqual({ announce: 'public' })
    await set(again, 'announce', null)
    expect(await settings(again)).toEqual({})
  })

  it('comes back over the table of a sibling that did not know it, and both end with one table', async () => {
    const { laptop, phone } = await siblings()
    await set(laptop, 'announce', 'public')
    await phone.later(60).call('device.add', TABLET)
    await phone.call('device.rename', { device: 'tablet', name: 'slate' })
    await hears(laptop.later(60), OWN_PHONE, phone)
    expect(await settings(laptop)).toEqual({ announce: 'public' })
    await hears(phone, OWN_LAPTOP, laptop)
    expect(await settings(phone)).toEqual({ announce: 'public' })
    expect((await phone.call('device.list')).devices).toEqual((await laptop.call('device.list')).devices)
  })

  it('of the owner survives a rotation, and one that somebody else set does not, except the reading key', async () => {
    const { laptop, phone, words } = await siblings()
    await set(laptop, 'at', 'ours')
    await hears(phone, OWN_LAPTOP, laptop)
    // A thief of the phone signs with the same key.
    for (const [key, value] of [
      ['read', READ],
      ['announce', 'public'],
      ['at', 'theirs'],
    ] as const)
      await set(phone, key, value)
    await hears(laptop, OWN_PHONE, phone)
    expect(await settings(laptop)).toEqual({ read: READ, announce: 'public', at: 'theirs' })
    const { planned } = await rotates(laptop, words)
    expect(planned.settings).toEqual({ read: READ, at: 'ours' })
    expect(await settings(laptop)).toEqual({ read: READ, at: 'ours' })
  })

  it('of the owner takes the place of a reading key that is none, which a thief set to fill the table', async () => {
    const { laptop, phone, words } = await siblings()
    await set(laptop, 'read', READ)
    await hears(phone, OWN_LAPTOP, laptop)
    const noise = [1, 2, 3, 4, 5].map((n) => deviceKey(`noise ${n}`)).join('')
    await set(phone, 'read', noise)
    await hears(laptop, OWN_PHONE, phone)
    expect(await settings(laptop)).toEqual({ read: noise })
    const { planned } = await rotates(laptop, words)
    expect(planned).toMatchObject({ settings: { read: READ }, gaveUp: [] })
    expect(await settings(laptop)).toEqual({ read: READ })
  })

  it('that does not fit after a rotation is given up, and the plan says so', async () => {
    const { laptop: test, words } = await withWords()
    // Digits without repetitions, which deflate cannot shorten by much.
    await set(test, 'announce', [1, 2, 3, 4].map((n) => deviceKey(`noise ${n}`)).join(''))
    for (let n = 0; n < 10; n++)
      await test.call('device.add', { name: `d${n}`, key: deviceKey(`d${n}`) }).catch(() => {})
    const { planned } = await rotates(test, words, { epoch: 9 })
    expect(planned.gaveUp).toContain('settings')
    expect(await settings(test)).toEqual({})
  })
})
