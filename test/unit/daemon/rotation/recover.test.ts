import { readdirSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { MAX_EPOCH } from '../../../../src/core/limits.ts'
import { deriveSigningSeed, parseWords } from '../../../../src/crypto/seed.ts'
import type { EditResult } from '../../../../src/ipc/shapes/own.ts'
import { codeOf } from '../../../support/code-of.ts'
import { OWN_LAPTOP, OWN_PHONE, ownText, TestKeeper } from '../../../support/keeper.ts'
import { deviceKey, engine, person, Person, seedOf } from '../../../support/person.ts'
import { everything } from '../../../support/snapshot.ts'

const NEW_PC = { name: 'new pc', key: deviceKey('new pc') }

interface Lost {
  readonly laptop: TestKeeper
  readonly words: string
  readonly personaId: string
  /** The owner's status message, which friends have. */
  readonly text: string
  readonly oldText: string
}

async function lost(): Promise<Lost> {
  const laptop = await TestKeeper.withPersona()
  const words = (await laptop.call('recovery.show')).words.join(' ')
  const oldText = await ownText(laptop)
  await laptop.later(60).call('device.add', { name: 'phone', key: OWN_PHONE })
  const { personaId } = await laptop.call('device.list')
  return { laptop, words, personaId, text: await ownText(laptop), oldText }
}

async function rotated(keeper: TestKeeper, words: string, keep: string[] = []): Promise<EditResult> {
  const { plan } = await keeper.call('rotation.plan', { keep })
  return await keeper.call('rotation.apply', { keep, plan, words })
}

describe('recovering from the words', () => {
  it('uses the newest of many copies, and can only sign the rotation, which keeps the devices that the owner names', async () => {
    const { laptop, words, personaId, text, oldText } = await lost()
    const keeper = await TestKeeper.open({ nowSec: laptop.nowSec + 1000 })
    const bob = person('bob')
    const copies = [oldText, bob.table(['pc']).text(), text, 'words', 'persona:nothing']
    const result = await keeper.call('persona.recover', { words, copies })
    expect(result).toMatchObject({
      from: { epoch: 0, seq: 2 },
      mustRotate: true,
      table: { personaId, epoch: 0, seq: 2 },
    })
    expect(await codeOf(keeper.call('device.add', NEW_PC))).toBe('RESTORE_UNRECONCILED')
    expect(await codeOf(keeper.call('persona.reconcile', { force: true }))).toBe('KEY_SUPERSEDED')
    await keeper.call('persona.reconcile', { copies: [text] })
    expect(await codeOf(keeper.call('device.add', NEW_PC))).toBe('KEY_SUPERSEDED')
    expect(await codeOf(keeper.keeper.resign())).toBe('KEY_SUPERSEDED')
    const again = await keeper.reopened()
    const { table } = await rotated(again, words, ['phone'])
    expect([table.personaId, table.epoch, table.devices.map(({ key }) => key)]).toEqual([personaId, 1, [OWN_PHONE]])
    expect((await again.call('device.add', NEW_PC)).table.devices.map(({ name }) => name)).toEqual(['phone', 'new pc'])
    expect((await laptop.call('verify', { text: await ownText(again) })).verdict).toBe('accept')
    expect((await (await again.reopened()).call('status')).theftProtection).toBe(true)
  })

  it('asks for the epoch if the copy is old: the key may have been rotated since, and a thief may have the next one', async () => {
    const { laptop, words, text } = await lost()
    laptop.later(2 * 365 * 86_400)
    const { plan } = await laptop.call('rotation.plan', { epoch: 1 })
    await laptop.call('rotation.apply', { epoch: 1, plan, words })
    const keeper = await TestKeeper.open({ nowSec: laptop.nowSec + 86_400 })
    await keeper.call('persona.recover', { words, copies: [text] })
    expect(await codeOf(keeper.call('rotation.plan', {}))).toBe('EPOCH_UNSURE')
    expect(await keeper.call('rotation.plan', { epoch: 9 })).toMatchObject({ epoch: 9 })
  })

  it('asks for the rotation if it was interrupted before it, and for nothing that would not help', async () => {
    const { laptop, words, text } = await lost()
    const keeper = await TestKeeper.open({ nowSec: laptop.nowSec + 1000 })
    await keeper.call('persona.recover', { words, copies: [text] })
    for (const each of [keeper, await keeper.reopened()]) {
      const { findings } = await each.call('status')
      expect(findings.map(({ code }) => code)).toEqual(['RECOVER_UNFINISHED'])
    }
    await rotated(keeper, words)
    expect((await keeper.call('status')).notices).toEqual([])
  })

  it('leaves out every device that is not named: a thief may have added one', async () => {
    const { laptop, words, text } = await lost()
    const keeper = await TestKeeper.open({ nowSec: laptop.nowSec + 1000 })
    await keeper.call('persona.recover', { words, copies: [text] })
    expect((await rotated(keeper, words)).table.devices).toEqual([])
  })

  it('rotates above the highest epoch of all copies, and uses what is known of the persona as a contact', async () => {
    const { laptop, words, personaId, text } = await lost()
    const keeper = await TestKeeper.open({ nowSec: laptop.nowSec })
    await keeper.sees(OWN_LAPTOP, text, { name: 'me, on my laptop' })
    expect((await keeper.call('contact.list', {})).total).toBe(1)
    const { from } = await keeper.call('persona.recover', { words })
    expect(from).toMatchObject({ epoch: 0, seq: 2 })
    expect((await keeper.call('contact.list', {})).total).toBe(0)
    expect(await codeOf(keeper.call('rotation.plan', {}))).toBe('EPOCH_UNSURE')
    const { plan } = await keeper.call('rotation.plan', { epoch: 5 })
    const { table } = await keeper.call('rotation.apply', { epoch: 5, plan, words })
    expect([table.personaId, table.epoch]).toEqual([personaId, 5])
    const second = await TestKeeper.open({ nowSec: laptop.nowSec })
    await second.call('persona.recover', { words, copies: [await ownText(keeper), text] })
    expect((await rotated(second, words)).table.epoch).toBe(6)
  })

  it('starts an empty table at the epoch that the owner names if there is no copy, and contacts follow it', async () => {
    const { laptop, words, personaId } = await lost()
    const keeper = await TestKeeper.open({ nowSec: laptop.nowSec + 1000 })
    expect(await codeOf(keeper.call('persona.recover', { words }))).toBe('EPOCH_UNSURE')
    const params = { words, epoch: 3, device: NEW_PC, passphrase: 'sealed again' }
    const { table, from, mustRotate } = await keeper.call('persona.recover', params)
    expect([table.personaId, table.epoch, table.seq, from, mustRotate]).toEqual([personaId, 3, 1, null, false])
    expect((await laptop.call('verify', { text: await ownText(keeper) })).verdict).toBe('accept')
    const locked = await keeper.reopened()
    expect(await codeOf(locked.call('device.add', { name: 'phone', key: OWN_PHONE }))).toBe('LOCKED')
    await locked.call('persona.unlock', { passphrase: 'sealed again' })
    expect(await codeOf(locked.call('device.add', { name: 'phone', key: OWN_PHONE }))).toBe('done')
    expect(readdirSync(keeper.stateDir)).not.toContain('seed')
  })

  it('uses no table of another chain of its PersonaID, whatever its number: somebody else has the first key', async () => {
    const { laptop, words, personaId, text } = await lost()
    const seed = parseWords(words)
    const first = engine.signKeyPair(deriveSigningSeed(seed, 0, engine))
    const others = Array.from({ length: MAX_EPOCH }, (_, i) => engine.signKeyPair(seedOf(`thief ${i}`)))
    const thief = new Person('thief', [first, ...others])
    expect(thief.id).toBe(personaId)
    const theirs = thief.table(['pc'], { seq: 900 }).text()
    const keeper = await TestKeeper.open({ nowSec: laptop.nowSec })
    expect(await codeOf(keeper.call('persona.recover', { words, copies: [theirs] }))).toBe('CHAIN_DIFFERS')
    const { from } = await keeper.call('persona.recover', { words, copies: [theirs, text] })
    expect(from).toMatchObject({ epoch: 0, seq: 2 })
  })

  it('replaces another chain that was seen here first, and keeps it as evidence', async () => {
    const { laptop, words, personaId, text } = await lost()
    const first = engine.signKeyPair(deriveSigningSeed(parseWords(words), 0, engine))
    const others = Array.from({ length: MAX_EPOCH }, (_, i) => engine.signKeyPair(seedOf(`thief ${i}`)))
    const thief = new Person('thief', [first, ...others])
    const keeper = await TestKeeper.open({ nowSec: laptop.nowSec })
    await keeper.sees(thief.key('pc'), thief.table(['pc'], { seq: 900 }), { name: 'me' })
    const { from, table } = await keeper.call('persona.recover', { words, copies: [text] })
    expect([from?.seq, table.devices.map(({ key }) => key)]).toEqual([2, [OWN_LAPTOP, OWN_PHONE]])
    expect((await keeper.call('alarm.list')).alarms).toMatchObject([{ code: 'CHAIN_DISPUTED', personaId }])
    expect((await keeper.call('contact.list', {})).total).toBe(0)
    const again = await keeper.reopened()
    expect((await rotated(again, words, ['laptop'])).table).toMatchObject({ epoch: 1, devices: [{ key: OWN_LAPTOP }] })
    expect((await laptop.call('verify', { text: await ownText(again) })).verdict).toBe('accept')
  })

  it('knows the last table of the persona even from a forgotten contact', async () => {
    const { laptop, words, text } = await lost()
    const { plan } = await laptop.call('rotation.plan', { epoch: 3 })
    await laptop.call('rotation.apply', { epoch: 3, plan, words })
    const keeper = await TestKeeper.open({ nowSec: laptop.nowSec })
    await keeper.sees(OWN_LAPTOP, await ownText(laptop), { name: 'me' })
    await keeper.call('contact.forget', { contact: 'me' })
    const { from } = await keeper.call('persona.recover', { words, copies: [text] })
    expect(from).toMatchObject({ epoch: 3, seq: 1 })
    await expect(keeper.call('rotation.plan', { epoch: 3 })).rejects.toMatchObject({ code: 'EPOCH_USED' })
    expect(await keeper.call('rotation.plan', { epoch: 4 })).toMatchObject({ fromEpoch: 3, epoch: 4 })
  })

  it('refuses words that are not recovery words, a listed device and an existing persona, and leaves nothing', async () => {
    const { laptop, words } = await lost()
    expect(await codeOf(laptop.call('persona.recover', { words }))).toBe('PERSONA_EXISTS')
    const keeper = await TestKeeper.open({ nowSec: laptop.nowSec })
    const wrong = words.split(' ').toReversed().join(' ')
    expect(await codeOf(keeper.call('persona.recover', { words: wrong, epoch: 1 }))).toMatch(/^WORDS_/)
    const bob = person('bob')
    await keeper.sees(bob.key('pc'), bob.table(['pc']), { name: 'Bob' })
    const before = await everything(keeper.store)
    const device = { name: 'mine', key: bob.key('pc') }
    expect(await codeOf(keeper.call('persona.recover', { words, epoch: 1, device }))).toBe('DEVICE_OF_CONTACT')
    expect(await everything(keeper.store)).toEqual(before)
    expect(readdirSync(keeper.stateDir)).toEqual([])
    expect(await codeOf(keeper.call('persona.recover', { words, epoch: 1 }))).toBe('done')
  })
})

describe('what comes after a recovery', () => {
  it.each([
    ['a device to keep that nobody knows', { keep: ['tablet'] }, 'NOT_FOUND'],
    ['a nickname that is not one', { device: { name: 'a\nb', key: NEW_PC.key } }, 'NICKNAME_CHARACTER'],
    [
      'a nickname that another device has',
      { keep: ['phone'], device: { name: 'PHONE', key: NEW_PC.key } },
      'NICKNAME_TWICE',
    ],
    ['an epoch that was used', { epoch: 1 }, 'EPOCH_USED'],
  ])('is checked before the persona is installed: %s', async (_what, wishes, code) => {
    const { laptop, words } = await lost()
    const { plan } = await laptop.call('rotation.plan', { epoch: 1 })
    await laptop.call('rotation.apply', { epoch: 1, plan, words })
    const copies = [await ownText(laptop)]
    const keeper = await TestKeeper.open({ nowSec: laptop.nowSec + 1000 })
    expect(await codeOf(keeper.call('persona.recover', { words, copies, ...wishes }))).toBe(code)
    expect((await keeper.call('status')).persona).toBeNull()
    expect(await codeOf(keeper.call('persona.recover', { words, copies }))).toBe('done')
  })
})
