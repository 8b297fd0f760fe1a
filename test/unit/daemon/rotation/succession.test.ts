import { describe, expect, it } from 'vitest'
import { formatBase64url, formatHex, parseBase64url } from '../../../../src/core/encoding/bytes.ts'
import { settingsOf, type Settings } from '../../../../src/core/document.ts'
import { readStatement } from '../../../../src/core/succession/statement.ts'
import { decodeVerified, type VerifiedBlob } from '../../../../src/core/verify.ts'
import { formatWords } from '../../../../src/crypto/seed.ts'
import type { EditResult } from '../../../../src/ipc/shapes/own.ts'
import type { SuccessionPlan, SuccessionWishes } from '../../../../src/ipc/shapes/rotation.ts'
import { OWN_LAPTOP, OWN_PHONE, ownText, TestKeeper } from '../../../support/keeper.ts'
import { pair } from '../../../support/pairing.ts'
import { deviceKey, engine, person } from '../../../support/person.ts'
import { confirmWords, rotates, siblings, withWords } from '../../../support/rotation.ts'

const TABLET = { name: 'tablet', key: deviceKey('own tablet') }
const STRANGERS_WORDS = formatWords(new Uint8Array(32).fill(7)).join(' ')

async function succeeds(
  test: TestKeeper,
  words: string | null,
  wishes: SuccessionWishes = {},
): Promise<EditResult & { planned: SuccessionPlan }> {
  const planned = await test.call('succession.plan', wishes)
  const given = words === null ? {} : { words }
  return { planned, ...(await test.call('succession.apply', { ...wishes, plan: planned.plan, ...given })) }
}

function headOf(test: TestKeeper): VerifiedBlob {
  const { personaId } = test.records.own.get('own')!
  return decodeVerified(parseBase64url(test.records.personas.get(personaId)!.head!)!, engine)
}

function settingsNow(test: TestKeeper): Settings {
  const { content } = headOf(test)
  return content.ok ? settingsOf(content.document) : {}
}

/** The epoch from which friends can judge the statement that the own table carries; null without one. */
function fromOf(test: TestKeeper): number | null {
  const { content } = headOf(test)
  return content.ok ? (readStatement(content.document)?.from ?? null) : null
}

describe('a succession', () => {
  it('makes a new persona with the devices of the table, words of its own, and no secret of the old one', async () => {
    const { laptop, words } = await withWords()
    await laptop.call('device.add', { name: 'phone', key: OWN_PHONE })
    const before = await laptop.call('device.list')
    laptop.events.length = 0
    const { table, planned, gaveUp, findings } = await succeeds(laptop, words)
    expect(planned).toMatchObject({ personaId: before.personaId, devices: before.devices, leftOut: [], hasSeed: false })
    expect(table).toMatchObject({ epoch: 0, seq: 1, devices: before.devices })
    expect(table.personaId).not.toBe(before.personaId)
    expect([gaveUp, fromOf(laptop)]).toStrictEqual([[], 0])
    expect(findings.map(({ code }) => code)).toStrictEqual(['OTHERS_MUST_JOIN', 'UNPROTECTED'])
    expect(laptop.told('own.changed')).toMatchObject([{ cause: 'succeed', table: { personaId: table.personaId } }])
    expect(laptop.custody.epochs()).toStrictEqual([0])
    const fresh = (await laptop.call('recovery.show')).words.join(' ')
    expect(await laptop.call('recovery.check', { words: fresh })).toStrictEqual({ belongs: true })
    expect(await laptop.call('recovery.check', { words })).toStrictEqual({ belongs: false })
    const again = await laptop.reopened()
    expect((await again.call('recovery.show')).words.join(' ')).toBe(fresh)
    expect(await again.call('status')).toMatchObject({
      theftProtection: false,
      persona: { personaId: table.personaId },
    })
    await confirmWords(again)
    expect((await again.call('device.rename', { device: 'phone', name: 'mobile' })).table.seq).toBe(2)
    expect(fromOf(again)).toBe(0)
  })

  it('is followed by a friend, and the old persona does not become a contact of its owner', async () => {
    const { laptop, words } = await withWords()
    await laptop.call('device.add', { name: 'phone', key: OWN_PHONE })
    const friend = await TestKeeper.open()
    const old = await ownText(laptop)
    await friend.sees(OWN_LAPTOP, old, { name: 'Alice' })
    const { table } = await succeeds(laptop, words, { without: ['phone'] })
    await friend.later(100).sees(OWN_LAPTOP, await ownText(laptop))
    expect(await friend.call('contact.show', { contact: 'Alice' })).toMatchObject({ personaId: table.personaId })
    await laptop.later(100).sees(OWN_PHONE, old, { name: 'phone' })
    expect(await laptop.call('contact.list')).toMatchObject({ total: 0 })
    expect((await laptop.call('contact.show', { contact: table.personaId })).others).toMatchObject([
      { key: OWN_PHONE, state: 'former' },
    ])
  })

  it('uses the seed that is still on the device, and replaces it', async () => {
    const test = await TestKeeper.withPersona()
    const { words: old } = await test.call('recovery.show')
    await succeeds(test, null)
    const { words } = await test.call('recovery.show')
    expect(words).toHaveLength(24)
    expect(words).not.toStrictEqual(old)
    expect((await (await test.reopened()).call('recovery.show')).words).toStrictEqual(words)
  })

  it('can be made at every epoch, the last included, and by a device that missed a rotation', async () => {
    const { laptop, phone, words } = await siblings()
    await rotates(phone, words, { epoch: 16 })
    await laptop.later(100).sees(OWN_PHONE, await ownText(phone))
    expect(laptop.custody.epochs()).toStrictEqual([])
    const { planned, table } = await succeeds(laptop, words)
    expect([planned.epoch, table.epoch]).toStrictEqual([16, 0])
    expect((await laptop.call('device.add', TABLET)).table.seq).toBe(2)
  })

  it('fails with a code of its own for wrong, missing and foreign words, and changes nothing', async () => {
    const { laptop, words } = await withWords()
    const { plan } = await laptop.call('succession.plan')
    const { personaId } = await laptop.call('device.list')
    for (const [given, code] of [
      [{}, 'WORDS_NEEDED'],
      [{ words: 'abandon '.repeat(24) }, 'WORDS_CHECKSUM'],
      [{ words: words.replace(/^\w+/, 'zzzz') }, 'WORDS_UNKNOWN'],
      [{ words: STRANGERS_WORDS }, 'WORDS_FOREIGN'],
    ] as const) {
      await expect(laptop.call('succession.apply', { plan, ...given })).rejects.toMatchObject({ code })
    }
    await laptop.call('device.add', TABLET)
    await expect(laptop.call('succession.apply', { plan, words })).rejects.toMatchObject({ code: 'PLAN_CHANGED' })
    expect((await laptop.call('device.list')).personaId).toBe(personaId)
    expect(laptop.custody.successor.position()).toBeNull()
  })

  it('leaves out what a rotation would, and replays no earlier edit', async () => {
    const { laptop, phone, words } = await siblings()
    await phone.call('device.add', TABLET)
    await laptop.later(100).sees(OWN_PHONE, await ownText(phone))
    const { planned } = await succeeds(laptop, words, { without: ['phone'] })
    expect(planned.devices.map(({ name }) => name)).toStrictEqual(['laptop'])
    expect(planned.leftOut.map(({ name, why }) => [name, why])).toStrictEqual([
      ['phone', 'named'],
      ['tablet', 'unapproved'],
    ])
    const again = await laptop.reopened()
    expect((await again.call('device.rename', { device: 'laptop', name: 'Laptop' })).table.devices).toHaveLength(1)
  })

  it('says from which epoch contacts can follow, and is refused if none could', async () => {
    const { laptop, words } = await withWords()
    for (let i = 2; i <= 14; i++) await laptop.call('device.add', { name: `device ${i}`, key: deviceKey(`own ${i}`) })
    await expect(laptop.call('succession.plan')).rejects.toMatchObject({
      code: 'ROTATION_TOO_LARGE',
      details: { room: 13, leaveOut: 1 },
    })
    const without = ['device 14', 'device 13', 'device 12', 'device 11']
    const { planned } = await succeeds(laptop, words, { without })
    expect(planned.followFrom).toBeGreaterThan(3)
    expect(Math.abs((fromOf(laptop) ?? 99) - planned.followFrom)).toBeLessThanOrEqual(1)
    expect(planned.gaveUp).toStrictEqual([])
  })

  it('keeps the settings that a rotation keeps, and so does the next rotation; a thief’s go', async () => {
    const { laptop, words } = await withWords()
    const read = formatBase64url(new Uint8Array(16).fill(3))
    await laptop.keeper.change(() => laptop.keeper.own.edit({ kind: 'set', key: 'read', found: null, value: read }))
    await laptop.keeper.change(() =>
      laptop.keeper.own.edit({ kind: 'set', key: 'announce', found: null, value: 'contacts' }),
    )
    const thief = await laptop.copied(OWN_PHONE)
    await thief.later(10).call('device.add', { name: 'phone', key: OWN_PHONE })
    await thief.keeper.change(() =>
      thief.keeper.own.edit({ kind: 'set', key: 'announce', found: 'contacts', value: 'public' }),
    )
    await laptop.later(100).sees(OWN_PHONE, await ownText(thief))
    const { planned } = await succeeds(laptop, words)
    const kept = { read, announce: 'contacts' }
    expect([planned.settings, planned.gaveUp, settingsNow(laptop)]).toStrictEqual([kept, [], kept])
    const fresh = (await laptop.call('recovery.show')).words.join(' ')
    await confirmWords(laptop)
    await rotates(laptop, fresh, { epoch: 1 })
    expect(settingsNow(laptop)).toStrictEqual(kept)
  })

  it('gives up a setting before a link of the statement, and nicknames before it is refused', async () => {
    const { laptop, words } = await withWords()
    const at = Array.from({ length: 3 }, (_, i) => formatBase64url(engine.sha512(Uint8Array.of(i))))
    await laptop.keeper.change(() => laptop.keeper.own.edit({ kind: 'set', key: 'at', found: null, value: at }))
    const { followFrom, gaveUp, settings } = await laptop.call('succession.plan')
    expect([followFrom, gaveUp, settings]).toStrictEqual([0, ['settings'], {}])
    await laptop.keeper.change(() => laptop.keeper.own.edit({ kind: 'set', key: 'at', found: at, value: null }))
    for (let i = 2; i <= 10; i++) {
      const name = formatHex(engine.sha512(Uint8Array.of(i))).slice(0, 32)
      await laptop.call('device.add', { name, key: deviceKey(`own ${i}`) })
    }
    const { planned, table } = await succeeds(laptop, words)
    expect([planned.gaveUp, table.named, table.devices.length]).toStrictEqual([['names'], false, 10])
    expect(fromOf(laptop)).not.toBeNull()
  })

  it('is refused after a restore until the state is reconciled', async () => {
    const { laptop, words } = await withWords()
    await laptop.keeper.change(() => laptop.keeper.own.wasCopied())
    await expect(succeeds(laptop, words)).rejects.toMatchObject({ code: 'RESTORE_UNRECONCILED' })
  })

  it('is refused while locked', async () => {
    const { laptop, words } = await withWords({ passphrase: 'correct horse' })
    const locked = await laptop.reopened()
    const { plan } = await locked.call('succession.plan')
    await expect(locked.call('succession.apply', { plan, words })).rejects.toMatchObject({ code: 'LOCKED' })
    expect((await locked.call('device.list')).personaId).toBe((await laptop.call('device.list')).personaId)
  })

  it('is finished by the unlock if the key was locked once the new persona was on disk', async () => {
    const { laptop, words } = await withWords({ passphrase: 'correct horse' })
    laptop.onEvent = ({ event }) => {
      if (event === 'own.changed') laptop.custody.lock('request')
    }
    const { table } = await succeeds(laptop, words)
    laptop.onEvent = () => {}
    const again = await laptop.reopened()
    for (const test of [again, laptop]) {
      expect(test.custody.isLocked).toBe(true)
      await test.call('persona.unlock', { passphrase: 'correct horse' })
      expect([test.custody.epochs(), test.custody.successor.position()]).toStrictEqual([[0], null])
      expect((await test.call('recovery.show')).words).toHaveLength(24)
    }
    expect((await again.call('device.add', TABLET)).table).toMatchObject({ personaId: table.personaId, seq: 2 })
  })
})

describe('the statement that the own persona follows another one', () => {
  it('stays over edits and rotations, and ends when the owner says so', async () => {
    const { laptop, words: old } = await withWords()
    await succeeds(laptop, old)
    const words = (await laptop.call('recovery.show')).words.join(' ')
    await confirmWords(laptop)
    await laptop.call('device.add', TABLET)
    expect(fromOf(laptop)).toBe(0)
    await rotates(laptop, words, { epoch: 1 })
    expect(fromOf(laptop)).toBe(0)
    expect((await laptop.call('succession.end')).table).toMatchObject({ epoch: 1, seq: 2 })
    expect(fromOf(laptop)).toBeNull()
    await expect(laptop.call('succession.end')).rejects.toMatchObject({ code: 'NO_STATEMENT' })
    await rotates(laptop, words, { epoch: 2 })
    expect(fromOf(laptop)).toBeNull()
  })

  it('is cut, and then given up, before an edit fails or a name goes', async () => {
    const { laptop, words } = await withWords()
    await succeeds(laptop, words)
    const froms: (number | null)[] = []
    const gaveUp: string[] = []
    for (let i = 2; i <= 14; i++) {
      const result = await laptop.call('device.add', { name: `device ${i}`, key: deviceKey(`own ${i}`) })
      froms.push(fromOf(laptop))
      gaveUp.push(...result.gaveUp)
    }
    expect(froms.at(0)).toBe(0)
    expect(froms.at(-1)).toBeNull()
    expect(gaveUp).toStrictEqual(['predecessor'])
    expect((await laptop.call('device.list')).named).toBe(true)
  })

  it('is carried on by a sibling that joined, and by one that knows only the table', async () => {
    const { laptop, words } = await withWords()
    await succeeds(laptop, words)
    await laptop.call('device.add', { name: 'phone', key: OWN_PHONE })
    const phone = await laptop.copied(OWN_PHONE)
    await phone.call('device.rename', { device: 'phone', name: 'mobile' })
    expect(fromOf(phone)).toBe(0)
    await phone.keeper.change(() => {
      const { predecessor: _predecessor, ...own } = phone.keeper.state.own()!
      phone.keeper.state.putOwn(own)
    })
    await phone.call('device.rename', { device: 'mobile', name: 'phone' })
    expect(fromOf(phone)).toBe(0)
  })
})

describe('a sibling that sees a successor of its own persona', () => {
  it('signs nothing more for the old one, says so, and can leave it', async () => {
    const { laptop, phone, words } = await siblings()
    const { table } = await succeeds(laptop, words)
    phone.events.length = 0
    await phone.later(100).sees(OWN_LAPTOP, await ownText(laptop))
    expect(phone.told('own.changed')).toMatchObject([{ cause: 'succeeded' }])
    const edit = phone.call('device.add', TABLET)
    await expect(edit).rejects.toMatchObject({
      code: 'PERSONA_SUCCEEDED',
      details: { successor: table.personaId },
    })
    expect((await phone.call('status')).findings).toMatchObject([{ code: 'PERSONA_SUCCEEDED', severity: 'problem' }])
    expect((await phone.call('alarm.list')).alarms.map(({ code }) => code)).toStrictEqual(['PERSONA_SUCCEEDED'])
    expect(await phone.call('contact.list')).toMatchObject({ total: 0 })
    expect(phone.keeper.resignDueSec()).toBeNull()
    const again = await phone.reopened()
    await expect(again.call('device.add', TABLET)).rejects.toMatchObject({ code: 'PERSONA_SUCCEEDED' })
    expect((await again.call('persona.leave')).status).toBeNull()
  })

  it('leaves the old persona and joins the new one, which then is its only own one', async () => {
    const { laptop, phone, words } = await siblings()
    const bob = person('bob of the siblings')
    await phone.sees(bob.key('pc'), bob.table(['pc']), { name: 'Bob' })
    const { table } = await succeeds(laptop, words)
    await phone.later(100).sees(OWN_LAPTOP, await ownText(laptop))
    await phone.call('persona.leave')
    await pair(laptop.later(200), phone.later(100), { join: { device: { name: 'phone', key: OWN_PHONE } } })
    expect((await phone.call('device.list')).personaId).toBe(table.personaId)
    const { contacts } = await phone.call('contact.list')
    expect(contacts.map(({ name }) => name)).toStrictEqual(['Bob'])
    expect((await phone.call('device.rename', { device: 'phone', name: 'mobile' })).table.devices).toHaveLength(2)
    expect(fromOf(phone)).toBe(0)
    await phone.later(100).sees(OWN_LAPTOP, await ownText(phone))
    expect((await phone.call('contact.show', { contact: table.personaId })).devices).toMatchObject([
      { key: OWN_LAPTOP },
      { key: OWN_PHONE },
    ])
  })

  it('goes on after a rotation, which only the owner of the words can make', async () => {
    const { laptop, phone, words } = await siblings()
    await succeeds(laptop, words)
    await phone.later(100).sees(OWN_LAPTOP, await ownText(laptop))
    await rotates(phone, words, { epoch: 1 })
    expect((await phone.call('device.add', TABLET)).table).toMatchObject({ epoch: 1, seq: 2 })
  })

  it('only raises an alarm if the last key is in use, since a thief may have it', async () => {
    const { laptop, phone, words } = await siblings()
    await rotates(phone, words, { epoch: 16 })
    await laptop.later(100).sees(OWN_PHONE, await ownText(phone))
    await succeeds(laptop, words)
    await phone.later(200).sees(OWN_LAPTOP, await ownText(laptop))
    expect((await phone.call('alarm.list')).alarms.map(({ code }) => code)).toStrictEqual(['PERSONA_SUCCEEDED'])
    expect((await phone.call('device.add', TABLET)).table.epoch).toBe(16)
  })

  it('goes on, and can make a successor, once it learns that the last key was in use', async () => {
    const { laptop, phone, words } = await siblings()
    await rotates(phone, words, { epoch: 16 })
    const last = await ownText(phone)
    // Whoever had the phone could sign this; the laptop has not seen epoch 16.
    await succeeds(phone, words)
    await laptop.later(100).sees(OWN_PHONE, await ownText(phone))
    await expect(laptop.call('succession.plan')).rejects.toMatchObject({ code: 'PERSONA_SUCCEEDED' })
    await laptop.later(100).sees(OWN_PHONE, last)
    expect((await succeeds(laptop, words)).planned.epoch).toBe(16)
  })

  it('is not stopped by a statement of somebody else', async () => {
    const { laptop } = await withWords()
    const mallory = person('mallory who has no words')
    const other = person('somebody of mallory')
    await laptop.sees(mallory.key('phone'), mallory.table(['phone'], { predecessor: other.names(mallory) }))
    expect((await laptop.call('device.add', TABLET)).table.seq).toBe(2)
    expect((await laptop.call('alarm.list')).alarms).toStrictEqual([])
  })
})

describe('the end of the chain', () => {
  it.each([
    [12, []],
    [13, ['EPOCHS_RUN_OUT']],
    [15, ['EPOCHS_RUN_OUT']],
    [16, ['LAST_EPOCH']],
  ])('at epoch %i the status says %j', async (epoch, codes) => {
    const { laptop, words } = await withWords()
    await rotates(laptop, words, { epoch })
    const { findings, theftProtection } = await laptop.call('status')
    expect(findings.map(({ code }) => code).filter((code) => /EPOCH/.test(code))).toStrictEqual(codes)
    expect(theftProtection).toBe(epoch < 16)
  })
})
