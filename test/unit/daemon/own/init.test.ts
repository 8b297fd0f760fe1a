import { copyFileSync, existsSync, readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { formatHex } from '../../../../src/core/encoding/bytes.ts'
import { StoreError } from '../../../../src/store/errors.ts'
import type { ChosenWord } from '../../../../src/ipc/methods/own.ts'
import { openMemoryStore } from '../../../../src/store/memory-store.ts'
import { statePaths } from '../../../../src/store/state-dir.ts'
import { seedState } from '../../../../src/daemon/own/seed.ts'
import { Custody } from '../../../../src/daemon/custody/custody.ts'
import { OWN_LAPTOP, TestKeeper, WriteGate } from '../../../support/keeper.ts'
import { engine, person, START_SEC } from '../../../support/person.ts'
import { quickEngine } from '../../../support/quick-engine.ts'
import { tempDir } from '../../../support/temp-dir.ts'

const LAPTOP = { name: 'laptop', key: OWN_LAPTOP }

function chosen(words: readonly string[], ...positions: number[]): ChosenWord[] {
  return positions.map((position) => ({ position, word: words[position - 1]! }))
}

/** Makes the record one of a device that never had the seed, as records without the field are read. */
async function forgetSeed({ keeper }: TestKeeper): Promise<void> {
  await keeper.change(() => keeper.state.putOwn({ ...keeper.state.own()!, hadSeed: false }))
}

function secretFiles(test: TestKeeper): string[] {
  return readdirSync(test.stateDir).sort()
}

describe('init', () => {
  it('works without a device, and the empty table is a valid blob', async () => {
    const test = await TestKeeper.open()
    const { table } = await test.call('persona.init')
    expect(table).toMatchObject({ epoch: 0, seq: 1, timeSec: START_SEC, named: true, devices: [] })
    const { text } = await test.call('blob.get')
    expect(await test.call('verify', { text })).toMatchObject({ valid: true, verdict: 'refresh', words: '' })
  })

  it('works with a first device, which is the active one', async () => {
    const test = await TestKeeper.open()
    const { table } = await test.call('persona.init', { device: LAPTOP })
    expect(table.devices).toStrictEqual([LAPTOP])
    expect(await test.call('lookup', { query: OWN_LAPTOP })).toMatchObject({
      by: 'device',
      contact: { kind: 'own', personaId: table.personaId, active: OWN_LAPTOP },
      device: { state: 'confirmed' },
    })
  })

  it('is refused a second time, and the first persona stays', async () => {
    const test = await TestKeeper.withPersona()
    const before = await test.call('device.list')
    await expect(test.call('persona.init')).rejects.toMatchObject({ code: 'PERSONA_EXISTS' })
    expect(await test.call('device.list')).toStrictEqual(before)
  })

  it('runs once if it is called twice at once', async () => {
    const test = await TestKeeper.open()
    const outcomes = await Promise.allSettled([
      test.call('persona.init', { device: LAPTOP }),
      test.call('persona.init', { device: LAPTOP }),
    ])
    expect(outcomes.map((outcome) => outcome.status)).toStrictEqual(['fulfilled', 'rejected'])
    expect((await (await test.reopened()).call('device.list')).devices).toStrictEqual([LAPTOP])
  })

  it.each([
    ['a nickname that is refused', { name: 'lap\u202Etop', key: OWN_LAPTOP }, 'NICKNAME_CHARACTER'],
    ['a key of low order', { name: 'laptop', key: '00'.repeat(32) }, 'DEVICE_KEY_LOW_ORDER'],
  ])('with %s leaves no persona and no secrets', async (_, device, code) => {
    const test = await TestKeeper.open()
    await expect(test.call('persona.init', { device })).rejects.toMatchObject({ code })
    expect(secretFiles(test)).toStrictEqual([])
    await expect(test.call('device.list')).rejects.toMatchObject({ code: 'NO_PERSONA' })
    expect((await test.call('persona.init', { device: LAPTOP })).table.seq).toBe(1)
  })

  it("is refused with a contact's device as long as the contact has it", async () => {
    const test = await TestKeeper.open()
    const bob = person('bob')
    await test.sees(bob.key('phone'), bob.table(['phone']))
    const device = { name: 'phone', key: bob.key('phone') }
    await expect(test.call('persona.init', { device })).rejects.toMatchObject({ code: 'DEVICE_OF_CONTACT' })
    expect(secretFiles(test)).toStrictEqual([])
  })

  it('without published names shows nicknames only to the owner', async () => {
    const test = await TestKeeper.open()
    const { table } = await test.call('persona.init', { device: LAPTOP, unnamed: true })
    expect(table).toMatchObject({ named: false, devices: [LAPTOP] })
    const { text } = await test.call('blob.get')
    const stranger = await TestKeeper.open()
    const seen = await stranger.call('verify', { text })
    expect(seen.blob!.devices).toStrictEqual([
      { name: `device-${OWN_LAPTOP.slice(0, 8).toLowerCase()}`, key: OWN_LAPTOP },
    ])
    const { table: renamed } = await test.call('device.rename', { device: 'laptop', name: 'workhorse' })
    expect(renamed).toMatchObject({ named: false, devices: [{ name: 'workhorse' }] })
  })

  it('stores secrets in files that only the user can read', async () => {
    const test = await TestKeeper.withPersona()
    expect(secretFiles(test)).toStrictEqual(['secrets', 'seed'])
    for (const name of secretFiles(test)) expect(statSync(join(test.stateDir, name)).mode & 0o777).toBe(0o600)
  })
})

describe('the rest of an init after a crash', () => {
  it('is discarded by the next start if the store does not have the persona', async () => {
    const stateDir = join(tempDir(), 'state')
    const before = await TestKeeper.open({ stateDir })
    await Custody.open(statePaths(stateDir), engine, { delay: () => Promise.resolve() }).then((custody) =>
      custody.create(null),
    )
    expect(secretFiles(before)).toStrictEqual(['secrets', 'seed'])
    const test = await before.reopened()
    expect(secretFiles(test)).toStrictEqual([])
    expect((await test.call('status')).persona).toBeNull()
    expect((await test.call('persona.init')).table.seq).toBe(1)
  })

  it('is kept if a failed write was on disk after all', async () => {
    const store = openMemoryStore()
    let fails = true
    const failing = {
      ...store,
      commit: async (writes: Parameters<typeof store.commit>[0]) => {
        await store.commit(writes)
        if (fails) throw new StoreError('STORE_IO', 'EIO')
      },
    }
    const before = await TestKeeper.open({ store: failing })
    await expect(before.call('persona.init', { device: LAPTOP })).rejects.toThrow('EIO')
    fails = false
    const test = await before.reopened()
    expect((await test.call('device.add', { name: 'phone', key: person('me').key('phone') })).table.seq).toBe(2)
  })

  it('shows no recovery words before the persona is on disk', async () => {
    const gate = new WriteGate()
    const test = await TestKeeper.open({ store: openMemoryStore(gate.pass) })
    gate.shut()
    const init = test.call('persona.init', { device: LAPTOP })
    await gate.arrived()
    await expect(test.call('recovery.show')).rejects.toMatchObject({ code: 'NO_PERSONA' })
    gate.open()
    await init
    expect((await test.call('recovery.show')).words).toHaveLength(24)
  })

  it('prevents a start if the store has the persona and the secrets are gone', async () => {
    const test = await TestKeeper.withPersona()
    rmSync(join(test.stateDir, 'secrets'))
    await expect(test.reopened()).rejects.toMatchObject({ code: 'SECRETS_MISSING' })
  })

  it("prevents a start with another persona's secrets", async () => {
    const [test, other] = [await TestKeeper.withPersona(), await TestKeeper.withPersona()]
    copyFileSync(join(other.stateDir, 'secrets'), join(test.stateDir, 'secrets'))
    await expect(test.reopened()).rejects.toMatchObject({ code: 'SECRETS_FOREIGN' })
  })
})

describe('a passphrase', () => {
  const passphrase = 'correct horse battery staple'

  async function lockedKeeper(): Promise<TestKeeper> {
    const before = await TestKeeper.open()
    await before.call('persona.init', { device: LAPTOP, passphrase })
    expect((await before.call('status')).locked).toBe(false)
    return await before.reopened()
  }

  it('locks the key at each start: the daemon reads everything and signs nothing', async () => {
    const test = await lockedKeeper()
    expect(await test.call('status')).toMatchObject({ locked: true, persona: { devices: [LAPTOP] } })
    expect((await test.call('blob.get', { words: 'hello' })).text).toMatch(/^hello persona:/)
    const phone = { name: 'phone', key: person('me').key('phone') }
    await expect(test.call('device.add', phone)).rejects.toMatchObject({ code: 'LOCKED' })
    await expect(test.call('recovery.show')).rejects.toMatchObject({ code: 'LOCKED' })
    expect(test.keeper.resignDueSec()).toBeNull()
    expect(await test.call('persona.unlock', { passphrase })).toStrictEqual({ locked: false })
    expect((await test.call('device.add', phone)).table.seq).toBe(2)
    expect((await test.call('recovery.show')).words).toHaveLength(24)
  })

  it('once typed, lets the daemon sign the table that came due meanwhile', async () => {
    const test = await lockedKeeper()
    await test.later(7 * 86_400 - 1).call('persona.unlock', { passphrase })
    expect((await test.call('device.list')).timeSec).toBe(START_SEC)
    const late = await test.later(1).reopened()
    await late.call('persona.unlock', { passphrase })
    expect(await late.call('device.list')).toMatchObject({ timeSec: START_SEC + 7 * 86_400, seq: 1 })
  })

  it('delays the next guess longer after each wrong one, until the right one', async () => {
    const test = await lockedKeeper()
    const outcomes = await Promise.allSettled([
      test.call('persona.unlock', { passphrase: 'wrong' }),
      test.call('persona.unlock', { passphrase: 'wrong again' }),
      test.call('persona.unlock', { passphrase }),
    ])
    expect(outcomes.map((outcome) => outcome.status)).toStrictEqual(['rejected', 'rejected', 'fulfilled'])
    expect(outcomes[0]).toMatchObject({ reason: { code: 'SEAL_WRONG_PASSPHRASE' } })
    expect(test.delays).toStrictEqual([0, 0.1, 0.2])
    expect((await test.call('status')).locked).toBe(false)
  })

  it('is not needed without a persona or without a passphrase', async () => {
    const none = await TestKeeper.open()
    await expect(none.call('persona.unlock', { passphrase })).rejects.toMatchObject({ code: 'NO_PERSONA' })
    const open = await TestKeeper.withPersona()
    await expect(open.call('persona.unlock', { passphrase })).rejects.toMatchObject({ code: 'NO_PASSPHRASE' })
  })
})

describe('the recovery words', () => {
  it('are shown until they are confirmed, and then the seed is erased from memory and disk', async () => {
    const test = await TestKeeper.withPersona()
    const { words } = await test.call('recovery.show')
    expect((await test.call('recovery.show')).words).toStrictEqual(words)
    expect(await test.call('status')).toMatchObject({ theftProtection: false })
    expect(await test.call('recovery.confirm', { words: chosen(words, 3, 11, 24) })).toStrictEqual({ confirmed: true })
    expect(secretFiles(test)).toStrictEqual(['secrets'])
    expect(await test.call('status')).toMatchObject({ theftProtection: true, notices: [] })
    for (const keeper of [test, await test.reopened()]) {
      await expect(keeper.call('recovery.show')).rejects.toMatchObject({ code: 'RECOVERY_CONFIRMED' })
      await expect(keeper.call('recovery.confirm', { words: chosen(words, 1, 2, 3) })).rejects.toMatchObject({
        code: 'RECOVERY_CONFIRMED',
      })
    }
  })

  it('are neither shown, confirmed nor used from the seed file of another persona', async () => {
    const [test, other] = [await TestKeeper.withPersona(), await TestKeeper.withPersona()]
    const { words } = await other.call('recovery.show')
    copyFileSync(join(other.stateDir, 'seed'), join(test.stateDir, 'seed'))
    const next = await test.reopened()
    const { plan } = await next.call('rotation.plan', { epoch: 1 })
    for (const call of [
      next.call('recovery.show'),
      next.call('recovery.confirm', { words: chosen(words, 3, 11, 24) }),
      next.call('rotation.apply', { epoch: 1, plan }),
    ]) {
      await expect(call).rejects.toMatchObject({ code: 'SECRETS_FOREIGN' })
    }
    expect(await next.call('status')).toMatchObject({ theftProtection: false })
    expect(seedState(next.keeper)).toBe('foreign')
    expect(secretFiles(next)).toStrictEqual(['secrets', 'seed'])
  })

  it('whose file was deleted are lost, also when an older version made the persona, and were never elsewhere', async () => {
    const test = await TestKeeper.withPersona()
    await forgetSeed(test)
    const older = await test.reopened()
    expect(older.records.own.get('own')?.hadSeed).toBe(true)
    rmSync(join(test.stateDir, 'seed'))
    const next = await older.reopened()
    await expect(next.call('recovery.show')).rejects.toMatchObject({ code: 'RECOVERY_LOST' })
    expect(seedState(next.keeper)).toBe('lost')
    await forgetSeed(next)
    const joined = await next.reopened()
    await expect(joined.call('recovery.show')).rejects.toMatchObject({ code: 'RECOVERY_ELSEWHERE' })
  })

  it('are noticed at the unlock when an older version made the persona', async () => {
    const test = await TestKeeper.open({ engine: quickEngine })
    await test.call('persona.init', { device: LAPTOP, passphrase: 'one' })
    await forgetSeed(test)
    const next = await test.reopened()
    expect(next.records.own.get('own')?.hadSeed).toBe(false)
    await next.call('persona.unlock', { passphrase: 'one' })
    expect(next.records.own.get('own')?.hadSeed).toBe(true)
  })

  it('are accepted in any case and with spaces around them', async () => {
    const test = await TestKeeper.withPersona()
    const { words } = await test.call('recovery.show')
    const typed = chosen(words, 1, 2, 3).map(({ position, word }) => ({ position, word: ` ${word.toUpperCase()} ` }))
    expect(await test.call('recovery.confirm', { words: typed })).toStrictEqual({ confirmed: true })
  })

  it('confirm nothing if they are wrong, in the wrong place, or one word three times', async () => {
    const test = await TestKeeper.withPersona()
    const { words } = await test.call('recovery.show')
    const right = chosen(words, 1, 2, 3)
    const wrong = [
      [...right.slice(0, 2), { position: 3, word: 'zebra' === words[2] ? 'zero' : 'zebra' }],
      [...right.slice(0, 2), { position: 4, word: '' }],
      [right[0]!, right[0]!, right[0]!],
    ]
    for (const words of wrong) {
      await expect(test.call('recovery.confirm', { words })).rejects.toMatchObject({ code: 'RECOVERY_MISMATCH' })
    }
    expect(wrong).toHaveLength(3)
    expect(existsSync(join(test.stateDir, 'seed'))).toBe(true)
  })

  it('need a persona', async () => {
    const test = await TestKeeper.open()
    await expect(test.call('recovery.show')).rejects.toMatchObject({ code: 'NO_PERSONA' })
    await expect(test.call('recovery.confirm', { words: [] })).rejects.toMatchObject({ code: 'NO_PERSONA' })
  })

  it('are erased by the next start if a crash prevented that', async () => {
    const test = await TestKeeper.withPersona()
    const { words } = await test.call('recovery.show')
    const own = test.records.own.get('own')!
    await test.store.commit([test.records.own.put('own', { ...own, recoveryConfirmed: true })])
    const after = await test.reopened()
    expect(words).toHaveLength(24)
    expect(secretFiles(after)).toStrictEqual(['secrets'])
  })
})

describe('the keys of a new persona', () => {
  it('are always new', async () => {
    const tables = await Promise.all([TestKeeper.withPersona(), TestKeeper.withPersona()])
    const [a, b] = await Promise.all(tables.map((test) => test.call('device.list')))
    expect(a!.personaId).not.toBe(b!.personaId)
    expect(formatHex(new Uint8Array(32))).not.toBe(a!.personaId)
  })
})
