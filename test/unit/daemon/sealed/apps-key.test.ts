import { copyFileSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { unseal } from '../../../../src/crypto/seal.ts'
import { UNSEALED } from '../../../../src/crypto/sealing.ts'
import { SLOT_BYTES } from '../../../../src/daemon/sealed/key-file.ts'
import { OWN_LAPTOP, TestKeeper } from '../../../support/keeper.ts'
import { quickEngine as engine } from '../../../support/quick-engine.ts'
import { TestSealed, TEXTS, type SealedStory } from '../../../support/sealed.ts'

const passphrase = 'correct horse battery staple'
const LAPTOP = { device: { name: 'laptop', key: OWN_LAPTOP } }
const CREDENTIAL = Uint8Array.from({ length: 32 }, (_, i) => 5 * i + 1)
const LOCKED: unknown = expect.objectContaining({ code: 'APPS_LOCKED' })

async function withPersona(story: SealedStory = {}, sealedBy: string | null = passphrase): Promise<TestSealed> {
  const test = await TestKeeper.open({ engine, ...story })
  await test.call('persona.init', { ...LAPTOP, ...(sealedBy === null ? {} : { passphrase: sealedBy }) })
  return await TestSealed.over(test, { engine, ...story })
}

/** How each slot of the file is sealed. */
function sealers({ file }: TestSealed): (string | undefined)[] {
  const bytes = readFileSync(file)
  return [0, 1].map((place) => ['empty', 'unsealed', 'credential', 'secrets'][bytes[place * SLOT_BYTES]!])
}

describe('the apps key without a passphrase', () => {
  it('is open from the start on, also without a persona', async () => {
    const test = await TestSealed.open({ engine })
    await test.put('a', 'a state')
    expect(sealers(test)).toStrictEqual(['unsealed', 'empty'])
    expect(statSync(test.file)).toMatchObject({ size: 2 * SLOT_BYTES, mode: 0o100600 })
    const next = await test.reopened()
    expect(next.sealed.key.isOpen).toBe(true)
    expect(next.get('a')).toBe('a state')
  })

  it('is sealed by the secrets as soon as there is a persona', async () => {
    const test = await TestSealed.open({ engine })
    await test.put('a', 'a state')
    await test.test.call('persona.init', LAPTOP)
    expect(sealers(test)).toStrictEqual(['unsealed', 'empty'])
    await test.sealed.change.run()
    expect(sealers(test)).toStrictEqual(['empty', 'secrets'])
    expect((await test.reopened()).get('a')).toBe('a state')
  })

  it('is sealed by the credential where the service has one and no persona is there', async () => {
    const test = await TestSealed.open({ engine, credential: CREDENTIAL })
    await test.put('a', 'a state')
    expect(sealers(test)).toStrictEqual(['credential', 'empty'])
    expect((await test.reopened()).get('a')).toBe('a state')
    // Opened without the credential.
    const { stateDir, store } = test.test
    const without = await TestSealed.open({ engine, stateDir, store })
    expect(without.sealed.key.closed).toStrictEqual({ why: 'credential' })
    expect(without.codes).toStrictEqual(['APPS_KEY_UNUSABLE'])
  })

  it('opens for a persona of an earlier version, whose secrets then hold the secret that seals it', async () => {
    const test = await TestKeeper.open({ engine })
    await test.call('persona.init', LAPTOP)
    const content = (): Uint8Array => unseal(readFileSync(join(test.stateDir, 'secrets')), UNSEALED, engine)
    const old = content()
    expect(old[0]).toBe(1)
    const { keeper } = await test.reopened()
    expect(content()).toStrictEqual(old)
    const sealed = await TestSealed.over(test, { engine })
    expect([content()[0], content().length]).toStrictEqual([3, old.length + 33])
    expect(content().slice(34)).toStrictEqual(old.slice(1))
    await sealed.put('a', 'a state')
    const next = await sealed.reopened()
    expect(next.get('a')).toBe('a state')
    expect(next.test.custody.epochs()).toStrictEqual(keeper.custody.epochs())
  })
})

describe('the apps key beside a passphrase', () => {
  it('is closed until the first unlock, and then open until the daemon ends', async () => {
    const test = await withPersona()
    await test.put('a', 'a state')
    expect(sealers(test)).toStrictEqual(['secrets', 'empty'])
    test.test.custody.lock('request')
    expect(test.get('a')).toBe('a state')
    await test.put('b', 'another')
    const next = await test.reopened()
    expect(next.sealed.key.closed).toStrictEqual({ why: 'locked' })
    expect(next.codes).toStrictEqual(['APPS_LOCKED'])
    expect(() => next.get('a')).toThrow(LOCKED)
    await expect(next.put('c', 'no')).rejects.toThrow(LOCKED)
    await expect(next.all()).rejects.toThrow(LOCKED)
    let opened = 0
    const end = next.sealed.key.whenOpened(() => opened++)
    await next.test.call('persona.unlock', { passphrase })
    expect(opened).toBe(1)
    expect(await next.all()).toStrictEqual([
      ['a', 'a state'],
      ['b', 'another'],
    ])
    expect(next.codes).toStrictEqual(['APPS_KEY'])
    end()
  })

  it('closes with the signing key under the setting "locked", at once', async () => {
    const test = await withPersona({ setting: 'locked' })
    await test.put('a', 'a state')
    let opened = 0
    const end = test.sealed.key.whenOpened(() => opened++)
    expect(opened).toBe(1)
    test.test.custody.lock('request')
    expect(() => test.get('a')).toThrow(LOCKED)
    await test.test.call('persona.unlock', { passphrase })
    expect([opened, test.get('a')]).toStrictEqual([2, 'a state'])
    end()
    // The limit of the time that the secrets are open counts too.
    test.test.later(601).custody.expire()
    expect(() => test.get('a')).toThrow(LOCKED)
    await test.test.call('persona.unlock', { passphrase })
    expect(opened).toBe(2)
  })

  it('is open from the start on under the setting "start"', async () => {
    const test = await withPersona({ setting: 'start' })
    await test.put('a', 'a state')
    expect(sealers(test)).toStrictEqual(['unsealed', 'empty'])
    const next = await test.reopened()
    expect(next.test.custody.isLocked).toBe(true)
    expect(next.get('a')).toBe('a state')
    const kept = await withPersona({ setting: 'start', credential: CREDENTIAL })
    expect(sealers(kept)).toStrictEqual(['credential', 'empty'])
  })

  it('follows a reloaded setting, with another key that was never on disk as the old one was', async () => {
    const test = await withPersona({ setting: 'start' })
    await test.put('a', 'a state')
    test.test.custody.lock('request')
    await test.sealed.key.choose('unlock')
    // Locked, nothing can be sealed by the secrets, and what is open stays open.
    expect(test.sealed.key.isDue()).toBe(false)
    expect(test.get('a')).toBe('a state')
    await test.test.call('persona.unlock', { passphrase })
    await test.sealed.change.run()
    expect(sealers(test)).toStrictEqual(['empty', 'secrets'])
    await test.sealed.key.choose('locked')
    test.test.custody.lock('request')
    expect(() => test.get('a')).toThrow(LOCKED)
    await test.test.call('persona.unlock', { passphrase })
    await test.sealed.key.choose('start')
    await test.sealed.change.run()
    expect(sealers(test)).toStrictEqual(['unsealed', 'empty'])
    expect((await test.reopened({ setting: 'start' })).get('a')).toBe('a state')
  })

  it('stays closed under "start" while its file still needs the passphrase', async () => {
    const test = await withPersona()
    await test.put('a', 'a state')
    const next = await test.reopened({ setting: 'start' })
    expect(next.sealed.key.closed).toStrictEqual({ why: 'locked' })
    await next.test.call('persona.unlock', { passphrase })
    await next.sealed.change.run()
    expect((await next.reopened()).get('a')).toBe('a state')
  })

  it('stays closed while only one of two keys opens: the records of the other are not lost', async () => {
    const test = await withPersona({ setting: 'start' })
    await test.put('a', 'by the first key')
    await test.sealed.key.choose('unlock')
    await test.sealed.key.draw()
    await test.put('b', 'by the second key')
    expect(sealers(test)).toStrictEqual(['unsealed', 'secrets'])
    const next = await test.reopened({ setting: 'start' })
    expect(next.sealed.key.closed).toStrictEqual({ why: 'locked' })
    await next.test.call('persona.unlock', { passphrase })
    expect(await next.all()).toHaveLength(2)
    await next.sealed.change.run()
    await next.sealed.change.run()
    expect(sealers(next)).toStrictEqual(['unsealed', 'empty'])
    expect(await (await next.reopened({ setting: 'start' })).all()).toHaveLength(2)
  })

  it('needs no new file for another passphrase, and opens with that alone', async () => {
    const test = await withPersona()
    await test.put('a', 'a state')
    const before = readFileSync(test.file)
    await test.test.call('passphrase.change', { present: passphrase, passphrase: 'another' })
    expect(readFileSync(test.file).equals(before)).toBe(true)
    const next = await test.reopened()
    await expect(next.test.call('persona.unlock', { passphrase })).rejects.toMatchObject({
      code: 'SEAL_WRONG_PASSPHRASE',
    })
    expect(next.sealed.key.isOpen).toBe(false)
    await next.test.call('persona.unlock', { passphrase: 'another' })
    expect(next.get('a')).toBe('a state')
    await next.test.call('passphrase.remove', { present: 'another' })
    expect((await next.reopened()).get('a')).toBe('a state')
    await next.test.call('passphrase.set', { passphrase })
    expect((await next.reopened()).sealed.key.isOpen).toBe(false)
  })
})

describe('the file of the apps key', () => {
  it('opens without the secrets of a persona that was left', async () => {
    const test = await withPersona()
    await test.put('a', 'a state')
    const { words } = await test.test.call('recovery.show')
    await test.test.call('recovery.confirm', {
      words: [1, 2, 3, 4].map((position) => ({ position, word: words[position - 1]! })),
    })
    await test.test.call('persona.leave')
    expect(sealers(test)).toStrictEqual(['unsealed', 'empty'])
    expect(test.get('a')).toBe('a state')
    expect((await test.reopened()).get('a')).toBe('a state')
  })

  it('that is gone costs the records, and the owner hears of it', async () => {
    const test = await withPersona({}, null)
    await test.put('a', 'a state')
    rmSync(test.file)
    const next = await test.reopened()
    expect(next.get('a')).toBeUndefined()
    expect(await next.all()).toStrictEqual([])
    expect(next.codes).toStrictEqual(['APPS_RECORDS_LOST'])
    await next.put('b', 'another')
    const ids: string[] = []
    for await (const id of next.sealed.records.onDisk(TEXTS).ids()) ids.push(id)
    expect(ids).toStrictEqual(['a', 'b'])
    await next.inChange((texts) => texts.delete('a'))
    const last = await next.reopened()
    expect([last.get('b'), last.codes]).toStrictEqual(['another', ['APPS_KEY']])
  })

  it('of another store stays as it is, and closes what apps keep', async () => {
    const [test, other] = [await withPersona({}, null), await withPersona({}, null)]
    await test.put('a', 'a state')
    const right = readFileSync(test.file)
    copyFileSync(other.file, test.file)
    const next = await test.reopened()
    expect(next.codes).toStrictEqual(['APPS_KEY_UNUSABLE'])
    expect(() => next.get('a')).toThrow(LOCKED)
    expect(readFileSync(test.file).equals(readFileSync(other.file))).toBe(true)
    // The right file at any later check opens them.
    writeFileSync(test.file, right)
    await next.sealed.key.settle()
    expect(next.get('a')).toBe('a state')
  })

  it.each([
    ['others can read it', 0o644, (bytes: Uint8Array) => bytes, 'failed'],
    ['it is cut', 0o600, (bytes: Uint8Array) => bytes.subarray(1), 'foreign'],
    ['its key is damaged', 0o600, (bytes: Uint8Array) => bytes.with(60, bytes[60]! ^ 1), 'foreign'],
    ['it claims another seal', 0o600, (bytes: Uint8Array) => bytes.with(0, 1), 'foreign'],
  ])('closes what apps keep where %s', async (_, mode, change, why) => {
    const test = await withPersona({}, null)
    await test.put('a', 'a state')
    const bytes = change(readFileSync(test.file))
    rmSync(test.file)
    writeFileSync(test.file, bytes, { mode })
    const next = await test.reopened()
    expect(next.sealed.key.closed).toMatchObject({ why })
    expect(next.codes).toStrictEqual(['APPS_KEY_UNUSABLE'])
    expect(readFileSync(test.file).equals(bytes)).toBe(true)
  })

  it('is overwritten before it is removed with everything else', async () => {
    const test = await withPersona({}, null)
    await test.sealed.key.erase()
    expect(readFileSync(test.file).every((byte) => byte === 0)).toBe(true)
    expect(test.sealed.key.isOpen).toBe(false)
  })
})
