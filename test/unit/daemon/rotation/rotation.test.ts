import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { formatHex } from '../../../../src/core/encoding/bytes.ts'
import { MAX_EPOCH } from '../../../../src/core/limits.ts'
import type { CryptoEngine } from '../../../../src/crypto/engine.ts'
import { deriveSigningSeed, formatWords, parseWords } from '../../../../src/crypto/seed.ts'
import { OWN_LAPTOP, OWN_PHONE, ownText, TestKeeper } from '../../../support/keeper.ts'
import { deviceKey, engine, START_SEC } from '../../../support/person.ts'
import { hears, rotates, siblings, withWords } from '../../../support/rotation.ts'

const TABLET = { name: 'tablet', key: deviceKey('own tablet') }
const STOLEN = { name: 'phone', key: OWN_PHONE }
const DAY_SEC = 86_400
const STRANGERS_WORDS = formatWords(new Uint8Array(32).fill(7)).join(' ')

/** A nickname without repetitions, which deflate cannot compress. */
function randomName(n: number): string {
  return Buffer.from(deviceKey(`name ${n}`).slice(0, 12), 'hex').toString('base64url')
}

function heldEpochs(test: TestKeeper): number[] {
  return test.custody.epochs()
}

describe('a rotation', () => {
  it('signs the planned table with the next key, and then holds no other key in memory or on disk', async () => {
    const { laptop, phone, words } = await siblings()
    await hears(laptop, OWN_PHONE, phone)
    const before = await laptop.call('device.list')
    const { planned, table, notices } = await rotates(laptop, words)
    expect(planned).toMatchObject({
      fromEpoch: 0,
      epoch: 1,
      devices: before.devices,
      leftOut: [],
      gaveUp: [],
      hasSeed: false,
    })
    expect(table).toMatchObject({ personaId: before.personaId, epoch: 1, seq: 1, devices: before.devices })
    expect(notices).toStrictEqual([expect.stringContaining('cannot sign until they have the new key')])
    expect(laptop.told('own.changed')).toMatchObject([{ cause: 'rotate', table: { epoch: 1 } }])
    expect(heldEpochs(laptop)).toStrictEqual([1])
    const again = await laptop.reopened()
    expect(heldEpochs(again)).toStrictEqual([1])
    expect((await again.call('device.rename', { device: 'laptop', name: 'Laptop' })).table).toMatchObject({
      epoch: 1,
      seq: 2,
    })
  })

  it('is followed by a contact, however many they missed, and pinned by a new contact', async () => {
    const { laptop, words } = await withWords()
    const [friend, newcomer] = [await TestKeeper.open(), await TestKeeper.open()]
    await friend.sees(OWN_LAPTOP, await ownText(laptop), { name: 'Alice' })
    const { root } = friend.records.personas.get((await laptop.call('device.list')).personaId)!
    for (const epoch of [1, 2, 9]) await rotates(laptop, words, { epoch })
    const text = await ownText(laptop)
    expect(await friend.later(60).sees(OWN_LAPTOP, text)).toMatchObject({ verdict: 'accept', changes: ['rotated'] })
    expect(await newcomer.sees(OWN_LAPTOP, text, { name: 'Alice' })).toMatchObject({
      verdict: 'new',
      state: 'confirmed',
    })
    for (const test of [friend, newcomer]) {
      const contact = await test.call('contact.show', { contact: 'Alice' })
      expect(contact).toMatchObject({ epoch: 9, active: OWN_LAPTOP })
      expect(test.records.personas.get(contact.personaId!)!.root).toBe(root)
    }
  })

  it('needs no old key: a device that missed a rotation rotates to a higher epoch', async () => {
    const { laptop, phone, words } = await siblings()
    await hears(phone, OWN_LAPTOP, laptop)
    await rotates(phone, words)
    await hears(laptop, OWN_PHONE, phone)
    expect(heldEpochs(laptop)).toStrictEqual([])
    const { table } = await rotates(laptop, words)
    expect(table).toMatchObject({ epoch: 2, seq: 1 })
    expect(heldEpochs(laptop)).toStrictEqual([2])
  })

  it('uses the seed that is still on the device, and reports that theft protection is off', async () => {
    const test = await TestKeeper.withPersona()
    const { planned, notices } = await rotates(test, null, { epoch: 1 })
    expect(planned.hasSeed).toBe(true)
    expect(notices).toStrictEqual([expect.stringContaining('theft protection is off')])
    expect((await test.call('recovery.show')).words).toHaveLength(24)
  })

  it('fails with a code of its own for wrong, missing and foreign words, and changes nothing', async () => {
    const { laptop, words } = await withWords()
    const wishes = { epoch: 1 }
    const { plan } = await laptop.call('rotation.plan', wishes)
    const files = readFileSync(join(laptop.stateDir, 'secrets'))
    const commits = laptop.store.commits.length
    for (const [given, code] of [
      [{}, 'WORDS_NEEDED'],
      [{ words: 'abandon '.repeat(24) }, 'WORDS_CHECKSUM'],
      [{ words: words.split(' ').slice(1).join(' ') }, 'WORDS_COUNT'],
      [{ words: words.replace(/^\w+/, 'zzzz') }, 'WORDS_UNKNOWN'],
      [{ words: STRANGERS_WORDS }, 'WORDS_FOREIGN'],
    ] as const) {
      await expect(laptop.call('rotation.apply', { ...wishes, plan, ...given })).rejects.toMatchObject({ code })
    }
    expect(laptop.store.commits).toHaveLength(commits)
    expect(readFileSync(join(laptop.stateDir, 'secrets'))).toStrictEqual(files)
    expect(heldEpochs(laptop)).toStrictEqual([0])
  })

  it('fails with LOCKED while the daemon is locked', async () => {
    const { laptop, words } = await withWords({ passphrase: 'correct horse' })
    const locked = await laptop.reopened()
    const { plan } = await locked.call('rotation.plan', { epoch: 1 })
    const apply = { epoch: 1, plan, words }
    await expect(locked.call('rotation.apply', apply)).rejects.toMatchObject({ code: 'LOCKED' })
    await locked.call('persona.unlock', { passphrase: 'correct horse' })
    expect((await locked.call('rotation.apply', apply)).table.epoch).toBe(1)
  })

  it('signs only the table that was shown: an edit in between is noticed', async () => {
    const { laptop, words } = await withWords()
    const { plan } = await laptop.call('rotation.plan', { epoch: 1 })
    await laptop.call('device.add', TABLET)
    await expect(laptop.call('rotation.apply', { epoch: 1, plan, words })).rejects.toMatchObject({
      code: 'PLAN_CHANGED',
    })
    const shown = await laptop.call('rotation.plan', { epoch: 1 })
    for (const other of [{ epoch: 2 }, { epoch: 1, without: ['tablet'] }]) {
      const apply = { ...other, plan: shown.plan, words }
      await expect(laptop.call('rotation.apply', apply)).rejects.toMatchObject({ code: 'PLAN_CHANGED' })
    }
    expect(heldEpochs(laptop)).toStrictEqual([0])
    expect((await laptop.call('device.list')).epoch).toBe(0)
  })

  it('runs once if it is called twice at once, and loses no edit made at the same time', async () => {
    const { laptop, words } = await withWords()
    const { plan } = await laptop.call('rotation.plan', { epoch: 1 })
    const results = await Promise.allSettled([
      laptop.call('rotation.apply', { epoch: 1, plan, words }),
      laptop.call('rotation.apply', { epoch: 1, plan, words }),
      laptop.call('device.add', TABLET),
    ])
    expect(results.filter(({ status }) => status === 'fulfilled').length).toBeGreaterThan(0)
    const { epoch } = await laptop.call('device.list')
    expect(heldEpochs(laptop)).toStrictEqual([epoch])
    expect(
      (await laptop.reopened().then((again) => again.call('device.rename', { device: 'laptop', name: 'x' }))).table
        .epoch,
    ).toBe(epoch)
  })
})

describe('the epoch of a rotation', () => {
  it('is one above the highest seen epoch, if a copy was read elsewhere within a day', async () => {
    const { laptop, phone } = await siblings()
    await expect(laptop.call('rotation.plan')).rejects.toMatchObject({
      code: 'EPOCH_UNSURE',
      details: { epoch: 1, copySec: null },
    })
    await hears(laptop, OWN_PHONE, phone)
    expect(await laptop.call('rotation.plan')).toMatchObject({ epoch: 1, copySec: START_SEC })
    expect(await (await laptop.later(DAY_SEC - 100).reopened()).call('rotation.plan')).toMatchObject({ epoch: 1 })
    const error = laptop.later(1).call('rotation.plan')
    await expect(error).rejects.toMatchObject({
      code: 'EPOCH_UNSURE',
      message: expect.stringContaining('since 2026-01-01') as string,
      details: expect.objectContaining({ epoch: 1 }) as object,
    })
    expect(await laptop.call('rotation.plan', { epoch: 1 })).toMatchObject({ epoch: 1 })
  })

  it.each([
    ['a profile on this machine', `profile:${OWN_PHONE}`, OWN_PHONE, 0],
    ['the text of this device itself', 'app', OWN_LAPTOP, 0],
    ['an old sighting', `profile:${OWN_LAPTOP}`, OWN_PHONE, 2 * DAY_SEC],
  ])('does not count %s as a copy', async (_, source, from, ageSec) => {
    const { laptop, phone } = await siblings()
    const text = await ownText(phone)
    await laptop.later(100).reports(source, from, text, { seenAtSec: laptop.nowSec - ageSec })
    await expect(laptop.call('rotation.plan')).rejects.toMatchObject({ code: 'EPOCH_UNSURE' })
  })

  it('does not count a copy that a friend shows: a thief has the old text too, and its epoch is used already', async () => {
    const { laptop } = await siblings()
    await laptop.sees(deviceKey('friend'), await ownText(laptop), { name: 'Bob' })
    await expect(laptop.call('rotation.plan')).rejects.toMatchObject({ code: 'EPOCH_UNSURE' })
  })

  it('does not count a copy older than the table known here', async () => {
    const { laptop, phone } = await siblings()
    await laptop.call('device.rename', { device: 'phone', name: 'mobile' })
    await hears(laptop, OWN_PHONE, phone)
    await expect(laptop.call('rotation.plan')).rejects.toMatchObject({ code: 'EPOCH_UNSURE' })
  })

  it('does not count an old table as a fresh copy because it is read or shown only now', async () => {
    const { laptop, phone } = await siblings()
    const text = await ownText(phone)
    laptop.later(DAY_SEC + 1)
    await laptop.call('persona.reconcile', { copies: [text] })
    await expect(laptop.call('rotation.plan')).rejects.toMatchObject({
      code: 'EPOCH_UNSURE',
      details: { epoch: 1, copySec: START_SEC },
    })
    await laptop.sees(OWN_PHONE, text)
    await expect(laptop.call('rotation.plan')).rejects.toMatchObject({ code: 'EPOCH_UNSURE' })
  })

  it('counts a copy that the owner gives, such as one from a friend’s profile', async () => {
    const { laptop } = await siblings()
    await laptop.call('persona.reconcile', { copies: [await ownText(laptop)] })
    expect(await laptop.call('rotation.plan')).toMatchObject({ epoch: 1 })
  })

  it('is never an epoch that was seen, and never decreases: a missed rotation is not made twice (attack 42)', async () => {
    const { laptop, phone, words } = await siblings()
    await rotates(phone, words, { epoch: 4 })
    const text = await ownText(phone)
    await laptop.sees(OWN_PHONE, text)
    const again = await laptop.reopened()
    expect(await again.call('rotation.plan')).toMatchObject({ fromEpoch: 4, epoch: 5 })
    await expect(again.call('rotation.plan', { epoch: 4 })).rejects.toMatchObject({
      code: 'EPOCH_USED',
      details: { highest: 4 },
    })
  })

  it("is not raised by a second chain: a thief of K_0 cannot use up the owner's epochs", async () => {
    const { laptop } = await withWords()
    const own = laptop.records.own.get('own')!
    const persona = laptop.records.personas.get(own.personaId)!
    const evidence = [
      { kind: 'violation', epoch: 16, seq: 1, tableHash: 'A'.repeat(64), root: 'B'.repeat(64), seenAtSec: 1, blob: '' },
    ] as const
    await laptop.store.commit([laptop.records.personas.put(own.personaId, { ...persona, evidence })])
    expect(await (await laptop.reopened()).call('rotation.plan', { epoch: 1 })).toMatchObject({ epoch: 1 })
  })

  it('ends at 16, after which the owner needs a new persona', async () => {
    const { laptop, words } = await withWords()
    await rotates(laptop, words, { epoch: MAX_EPOCH })
    await expect(laptop.call('rotation.plan', { epoch: 17 })).rejects.toMatchObject({
      code: 'EPOCHS_EXHAUSTED',
      hint: expect.stringContaining('new persona') as string,
    })
    await expect(laptop.call('rotation.plan')).rejects.toMatchObject({ code: 'EPOCHS_EXHAUSTED' })
    expect((await laptop.call('device.add', TABLET)).table.epoch).toBe(16)
  })
})

describe('the table of a rotation', () => {
  it('leaves out lost devices, devices that only a sibling listed, and later ones; and keeps those that the owner names', async () => {
    const { laptop, phone } = await siblings()
    await laptop.later(1000).call('device.add', { name: 'desk', key: deviceKey('own desk') })
    await hears(phone, OWN_LAPTOP, laptop)
    await phone.call('device.add', TABLET)
    await hears(laptop, OWN_PHONE, phone)
    const planned = async (wishes: object): Promise<[string[], string[][]]> => {
      const { devices, leftOut } = await laptop.call('rotation.plan', { epoch: 1, ...wishes })
      return [devices.map(({ name }) => name), leftOut.map(({ name, why }) => [name, why])]
    }
    expect(await planned({ without: ['phone'] })).toStrictEqual([
      ['laptop', 'desk'],
      [
        ['phone', 'named'],
        ['tablet', 'unapproved'],
      ],
    ])
    expect(
      await planned({ without: [OWN_PHONE.slice(0, 8)], sinceSec: START_SEC + 1000, keep: ['tablet'] }),
    ).toStrictEqual([
      ['laptop', 'tablet'],
      [
        ['phone', 'named'],
        ['desk', 'since'],
      ],
    ])
    expect(await planned({ sinceSec: START_SEC + 1001, keep: ['tablet'] })).toStrictEqual([
      ['laptop', 'phone', 'desk', 'tablet'],
      [],
    ])
    await laptop.call('device.approve', { device: 'tablet' })
    expect(await planned({})).toStrictEqual([['laptop', 'phone', 'desk', 'tablet'], []])
    await expect(laptop.call('rotation.plan', { epoch: 1, without: ['nobody'] })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    })
  })

  it('brings back this device and a named one after a thief removed them, and approves all devices in it', async () => {
    const { laptop, phone, words } = await siblings()
    await laptop.call('device.add', TABLET)
    await hears(phone, OWN_LAPTOP, laptop)
    // The thief has the phone.
    for (const device of ['laptop', 'tablet']) await phone.call('device.remove', { device })
    await phone.call('device.add', { name: 'laptop', key: deviceKey('thief') })
    await hears(laptop, OWN_PHONE, phone)
    await expect(ownText(laptop)).rejects.toMatchObject({ code: 'OWN_DEVICE_UNLISTED' })
    const wishes = { without: ['phone'], keep: ['tablet'] }
    const { planned, table } = await rotates(laptop, words, wishes)
    expect(planned.leftOut.map(({ key, why }) => [key, why])).toStrictEqual([
      [OWN_PHONE, 'named'],
      [deviceKey('thief'), 'unapproved'],
    ])
    expect(table.devices.map(({ key }) => key).toSorted()).toStrictEqual([OWN_LAPTOP, TABLET.key].toSorted())
    expect((await laptop.call('status')).unapproved).toStrictEqual([])
    expect((await laptop.call('rotation.plan', { epoch: 2 })).leftOut).toStrictEqual([])
    expect((await laptop.call('status')).notices).toStrictEqual([])
  })

  it('drops names rather than devices, and asks which device to leave out if that is not enough', async () => {
    const { laptop, words } = await withWords()
    for (let n = 1; n < 14; n++) await laptop.call('device.add', { name: randomName(n), key: deviceKey(`own ${n}`) })
    const { planned, gaveUp, table } = await rotates(laptop, words, { epoch: 1 })
    expect([planned.gaveUp, gaveUp, table.named, table.devices.length]).toStrictEqual([['names'], ['names'], false, 14])
    await expect(laptop.call('rotation.plan', { epoch: 9 })).rejects.toMatchObject({
      code: 'ROTATION_TOO_LARGE',
      details: { room: 11, leaveOut: 3 },
      hint: 'leave out 3 more',
    })
    const without = [11, 12, 13].map(randomName)
    expect((await rotates(laptop, words, { epoch: 9, without })).table.devices).toHaveLength(11)
  })

  it('has room for devices at each of the sixteen epochs', async () => {
    const { laptop, words } = await withWords()
    const rooms: number[] = []
    for (let epoch = 1; epoch <= MAX_EPOCH; epoch++) {
      const { table } = await rotates(laptop, words, { epoch })
      const names = table.devices.slice(1).map(({ name }) => name)
      let added = names.length
      for (;;) {
        const name = `device${String(added).padStart(2, '0')}`
        try {
          await laptop.call('device.add', { name, key: deviceKey(name), again: true })
        } catch (error) {
          expect(error).toMatchObject({ code: 'TABLE_TOO_LARGE' })
          break
        }
        added++
      }
      rooms.push(added + 1)
      for (let n = 0; n < added; n++)
        await laptop.call('device.remove', { device: `device${String(n).padStart(2, '0')}` })
    }
    expect(rooms).toHaveLength(MAX_EPOCH)
    // The devices that fit with random nicknames, and without any. These nicknames compress, so the room is in between.
    for (const [epoch, named, nameless] of [
      [1, 12, 15],
      [3, 11, 14],
      [8, 9, 11],
      [16, 6, 7],
    ] as const) {
      expect(rooms[epoch - 1]).toBeGreaterThanOrEqual(named)
      expect(rooms[epoch - 1]).toBeLessThanOrEqual(nameless)
    }
  })
})

describe('a sibling that did not rotate', () => {
  it('accepts and shows the new table, and has erased the old key before it answers', async () => {
    const { laptop, phone, words } = await siblings()
    await rotates(phone, words, { epoch: 1 })
    const text = await ownText(phone)
    expect(await laptop.sees(OWN_PHONE, text)).toMatchObject({ verdict: 'accept' })
    expect(heldEpochs(laptop)).toStrictEqual([])
    expect(await ownText(laptop)).toBe(text)
    for (const test of [laptop, await laptop.reopened()]) {
      expect(test.custody.isLocked).toBe(false)
      await expect(test.call('device.add', TABLET)).rejects.toMatchObject({ code: 'KEY_SUPERSEDED' })
      expect(test.keeper.resignDueSec()).toBeNull()
      expect((await test.call('status')).notices).toContainEqual(
        expect.stringContaining('another of your devices has rotated the key'),
      )
    }
  })

  it('erases the old key at the unlock if it was locked', async () => {
    const passphrase = 'correct horse'
    const { laptop, words } = await withWords({ passphrase })
    await laptop.call('device.add', STOLEN)
    const phone = await laptop.copied(OWN_PHONE)
    await phone.call('persona.unlock', { passphrase })
    await rotates(phone, words, { epoch: 1 })
    const locked = await laptop.reopened()
    await locked.sees(OWN_PHONE, await ownText(phone))
    expect((await locked.call('device.list')).epoch).toBe(1)
    await locked.call('persona.unlock', { passphrase })
    expect(heldEpochs(locked)).toStrictEqual([])
    const again = await locked.reopened()
    await again.call('persona.unlock', { passphrase })
    expect(heldEpochs(again)).toStrictEqual([])
  })

  it('follows with the recovery words: it has the new key, and replays its earlier edits', async () => {
    const { laptop, phone, words } = await siblings()
    await laptop.call('device.add', TABLET)
    await rotates(phone, words, { epoch: 3 })
    await hears(laptop, OWN_PHONE, phone)
    await expect(laptop.call('rotation.follow', { words: STRANGERS_WORDS })).rejects.toMatchObject({
      code: 'WORDS_FOREIGN',
    })
    await expect(laptop.call('rotation.follow')).rejects.toMatchObject({ code: 'WORDS_NEEDED' })
    const { table } = await laptop.call('rotation.follow', { words })
    expect(table.epoch).toBe(3)
    expect(heldEpochs(laptop)).toStrictEqual([3])
    await expect(laptop.call('rotation.follow', { words })).rejects.toMatchObject({ code: 'NOTHING_TO_FOLLOW' })
    await hears(phone, OWN_LAPTOP, laptop)
    expect(await phone.call('device.list')).toStrictEqual(await laptop.call('device.list'))
    const dropped = laptop.told('own.intent-dropped').map(({ intent }) => intent)
    const isThere = table.devices.some(({ key }) => key === TABLET.key)
    expect(isThere || dropped.includes('add tablet')).toBe(true)
  })
})

describe('another rotation of the own persona', () => {
  it('at the same epoch raises ROTATE_AGAIN once on both, and the second rotation ends it', async () => {
    const { laptop, phone, words } = await siblings()
    await rotates(laptop, words, { epoch: 1 })
    await rotates(phone, words, { epoch: 1, without: ['laptop'] })
    await phone.call('device.rename', { device: 'phone', name: 'Phone' })
    const [fromLaptop, fromPhone] = [await ownText(laptop), await ownText(phone)]
    for (let times = 0; times < 3; times++) {
      await laptop.later(100).sees(OWN_PHONE, fromPhone)
      await phone.later(100).sees(OWN_LAPTOP, fromLaptop)
    }
    expect(laptop.told('alarm').map(({ code }) => code)).toStrictEqual(['ROTATE_AGAIN', 'OWN_DEVICE_UNLISTED'])
    expect(phone.told('alarm').map(({ code }) => code)).toStrictEqual(['ROTATE_AGAIN'])
    const { table } = await rotates(laptop, words)
    expect(table).toMatchObject({ epoch: 2 })
    await hears(phone, OWN_LAPTOP, laptop)
    expect(await phone.call('device.list')).toStrictEqual(table)
    expect([...laptop.told('alarm'), ...phone.told('alarm')]).toStrictEqual([])
  })

  describe('to the same epoch, whose key a thief has, raises ROTATE_AGAIN', () => {
    /** The tablet missed the laptop's rotation, by which the phone got the key, and leaves the phone out of its own. */
    async function twice(): Promise<{ laptop: TestKeeper; tablet: TestKeeper; phone: TestKeeper; words: string }> {
      const { laptop, words } = await withWords()
      for (const device of [{ name: 'phone', key: OWN_PHONE }, TABLET]) await laptop.call('device.add', device)
      const tablet = await laptop.copied(TABLET.key)
      await rotates(laptop, words, { epoch: 1 })
      const phone = await laptop.copied(OWN_PHONE)
      await rotates(tablet.later(1000), words, { epoch: 1, without: ['phone'] })
      await hears(phone.later(1000), TABLET.key, tablet)
      tablet.events.length = 0
      return { laptop, tablet, phone, words }
    }

    it('also when the thief chains a table with the lost device onto the right one; one more rotation ends it', async () => {
      const { tablet, phone, words } = await twice()
      await phone.call('device.add', { name: 'phone', key: OWN_PHONE, again: true })
      for (let times = 0; times < 3; times++) await hears(tablet, OWN_PHONE, phone)
      expect(tablet.told('alarm')).toMatchObject([{ code: 'ROTATE_AGAIN', personaId: expect.any(String) as string }])
      const { findings, unapproved } = await tablet.call('status')
      expect(findings.map(({ code }) => code)).toContain('ROTATE_AGAIN')
      expect(unapproved).toMatchObject([{ key: OWN_PHONE }])
      const { table } = await rotates(tablet, words, { epoch: 2 })
      expect(table.devices.map(({ key }) => key)).not.toContain(OWN_PHONE)
      expect((await tablet.call('status')).findings.map(({ code }) => code)).not.toContain('ROTATE_AGAIN')
    })

    it('also when the table with the lost device is a later one, whose predecessor is not known here', async () => {
      const { tablet, phone } = await twice()
      await phone.call('device.add', { name: 'phone', key: OWN_PHONE, again: true })
      await phone.call('device.rename', { device: 'laptop', name: 'den' })
      await phone.call('device.add', { name: 'new', key: deviceKey('new') })
      await hears(tablet, OWN_PHONE, phone)
      expect(tablet.told('alarm').map(({ code }) => code)).toStrictEqual(['ROTATE_AGAIN'])
    })

    it('until the owner approves the device, if it was the owner who added it again elsewhere', async () => {
      const { tablet, phone } = await twice()
      await phone.call('device.add', { name: 'phone', key: OWN_PHONE, again: true })
      await hears(tablet, OWN_PHONE, phone)
      await tablet.call('device.approve', { device: 'phone' })
      expect((await tablet.call('status')).findings.map(({ code }) => code)).not.toContain('ROTATE_AGAIN')
      await phone.call('device.rename', { device: 'phone', name: 'mobile' })
      tablet.events.length = 0
      await hears(tablet, OWN_PHONE, phone)
      expect(tablet.told('alarm')).toStrictEqual([])
    })

    it('but not for a table that lists only devices of the rotation', async () => {
      const { laptop, tablet } = await twice()
      await hears(laptop.later(2000), TABLET.key, tablet)
      await laptop.call('device.rename', { device: 'laptop', name: 'den' })
      await hears(tablet.later(2000), OWN_LAPTOP, laptop)
      expect((await tablet.call('device.list')).devices.map(({ name }) => name)).toContain('den')
      expect(tablet.told('alarm')).toStrictEqual([])
    })
  })

  it('at a higher epoch raises ROTATE_AGAIN too, unless it was made after ours', async () => {
    const { laptop, phone, words } = await siblings()
    await rotates(laptop, words, { epoch: 1 })
    await rotates(phone, words, { epoch: 2 })
    await hears(laptop, OWN_PHONE, phone)
    expect(laptop.told('alarm')).toMatchObject([{ code: 'ROTATE_AGAIN' }])
    await rotates(laptop, words, { epoch: 3 })
    await hears(phone, OWN_LAPTOP, laptop)
    await rotates(phone, words, { epoch: 4 })
    await hears(laptop, OWN_PHONE, phone)
    expect([...laptop.told('alarm'), ...phone.told('alarm')]).toStrictEqual([])
  })

  it('is not raised by a sibling’s edit with the new key', async () => {
    const { laptop, phone, words } = await siblings()
    await rotates(laptop, words, { epoch: 1 })
    await hears(phone, OWN_LAPTOP, laptop)
    await phone.call('rotation.follow', { words })
    await phone.call('device.add', TABLET)
    await hears(laptop, OWN_PHONE, phone)
    expect(laptop.told('alarm')).toStrictEqual([])
    expect((await laptop.call('device.list')).devices).toHaveLength(3)
  })
})

describe('recovery check', () => {
  it('reports whether words belong to the own persona, even while locked, and changes nothing', async () => {
    const { laptop, words } = await withWords({ passphrase: 'correct horse' })
    const locked = await laptop.reopened()
    const commits = locked.store.commits.length
    expect(await locked.call('recovery.check', { words: `  ${words.toUpperCase()}\n` })).toStrictEqual({
      belongs: true,
    })
    expect(await locked.call('recovery.check', { words: STRANGERS_WORDS })).toStrictEqual({ belongs: false })
    await expect(locked.call('recovery.check', { words: 'abandon' })).rejects.toMatchObject({ code: 'WORDS_COUNT' })
    expect(locked.store.commits).toHaveLength(commits)
  })
})

describe('the seed', () => {
  it('from typed words is wiped everywhere after use, and so is the signing seed derived from it', async () => {
    const held = new Set<Uint8Array>()
    const wiped: string[] = []
    const watching: CryptoEngine = {
      ...engine,
      secret: (length) => {
        const secret = engine.secret(length)
        held.add(secret)
        return secret
      },
      wipe: (secret) => {
        wiped.push(formatHex(secret))
        held.add(secret)
        engine.wipe(secret)
      },
    }
    const { laptop, words } = await withWords({ engine: watching })
    held.clear()
    wiped.length = 0
    await rotates(laptop, words, { epoch: 1 })
    await laptop.call('recovery.check', { words })
    const seed = parseWords(words)
    const secrets = [seed, deriveSigningSeed(seed, 0, engine), deriveSigningSeed(seed, 1, engine)].map(formatHex)
    // Once for each command: the words are read into guarded memory, without a copy.
    expect(wiped.filter((hex) => hex === secrets[0])).toHaveLength(2)
    const left = [...held].map(formatHex)
    expect(left.length).toBeGreaterThan(4)
    for (const secret of secrets) expect(left).not.toContain(secret)
  })

  it('of another chain of the same PersonaID does not count as the own one', async () => {
    const { laptop, words } = await withWords()
    const { personaId } = await laptop.call('device.list')
    const persona = laptop.records.personas.get(personaId)!
    await laptop.store.commit([laptop.records.personas.put(personaId, { ...persona, root: 'AB'.repeat(32) })])
    const again = await laptop.reopened()
    expect(await again.call('recovery.check', { words })).toStrictEqual({ belongs: false })
    const { plan } = await again.call('rotation.plan', { epoch: 1 })
    const apply = again.call('rotation.apply', { epoch: 1, plan, words })
    await expect(apply).rejects.toMatchObject({ code: 'WORDS_FOREIGN' })
  })
})

describe('leaving', () => {
  it('removes this device in a last table, and leaves no secret and no persona here', async () => {
    const { laptop, phone } = await siblings()
    const { personaId } = await laptop.call('device.list')
    const left = await laptop.call('persona.leave')
    expect(left).toMatchObject({ personaId, remaining: [STOLEN] })
    for (const test of [laptop, await laptop.reopened()]) {
      expect(test.custody.hasSecrets).toBe(false)
      expect((await test.call('status')).persona).toBeNull()
      expect(await test.call('lookup', { query: personaId })).toMatchObject({ contact: { kind: 'persona', seq: 3 } })
      await expect(test.call('device.list')).rejects.toMatchObject({ code: 'NO_PERSONA' })
    }
    await phone.later(100).sees(OWN_LAPTOP, left.status!)
    expect((await phone.call('device.list')).devices).toStrictEqual([STOLEN])
    expect((await phone.call('device.add', TABLET)).table.seq).toBe(4)
    await laptop.call('persona.init', { device: { name: 'new', key: deviceKey('new') } })
    expect((await laptop.call('device.list')).devices).toHaveLength(1)
    // The daemon remembers none of the tables of the persona it left.
    const past = []
    for await (const [, table] of laptop.records.past.iterate()) past.push(table.seq)
    expect(past).toStrictEqual([1])
  })

  it('signs nothing if another device has removed this one already', async () => {
    const { laptop, phone, words } = await siblings()
    await phone.call('device.remove', { device: 'laptop' })
    await hears(laptop, OWN_PHONE, phone)
    expect(await laptop.call('persona.leave')).toMatchObject({ status: null, remaining: [STOLEN] })
    const other = await siblings()
    await rotates(other.phone, other.words, { epoch: 1 })
    await hears(other.laptop, OWN_PHONE, other.phone)
    expect(await other.laptop.call('persona.leave')).toMatchObject({ status: null })
    expect(words).not.toBe(other.words)
  })

  it('is refused while the only copy of the seed may be here, or the key is locked', async () => {
    const test = await TestKeeper.withPersona()
    await expect(test.call('persona.leave')).rejects.toMatchObject({ code: 'RECOVERY_UNCONFIRMED' })
    const { laptop } = await withWords({ passphrase: 'correct horse' })
    const locked = await laptop.reopened()
    await expect(locked.call('persona.leave')).rejects.toMatchObject({ code: 'LOCKED' })
    expect((await locked.call('device.list')).devices).toHaveLength(1)
  })
})
