import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { parseBase64url } from '../../../../src/core/encoding/bytes.ts'
import { OWN } from '../../../../src/daemon/state/own-record.ts'
import { formsOf } from '../../../support/canary.ts'
import { OWN_LAPTOP, OWN_PHONE, TestKeeper } from '../../../support/keeper.ts'
import { pair } from '../../../support/pairing.ts'
import { engine, person } from '../../../support/person.ts'
import { hears, rotates, siblings } from '../../../support/rotation.ts'

const PHONE = { name: 'phone', key: OWN_PHONE }

afterEach(() => void vi.useRealTimers())

async function codeOf(promise: Promise<unknown>): Promise<string> {
  return await promise.then(
    () => 'nothing',
    (error: unknown) => (error as { code: string }).code,
  )
}

/** The signing seed of epoch 0, which pairing sends, in every form. */
function movedSecrets(keeper: TestKeeper): Buffer[] {
  const held = keeper.custody.signingSeeds()
  const forms = held.flatMap(({ seed }) => formsOf(seed))
  for (const { seed } of held) engine.wipe(seed)
  return forms
}

/** Two keepers, only one with a persona, at the step when both screens show the words. */
async function compared(): Promise<{ old: TestKeeper; joining: TestKeeper }> {
  const [old, joining] = [await TestKeeper.withPersona(), await TestKeeper.open()]
  const { words } = await old.call('pairing.offer', { carrier: 'connection' })
  await joining.call('pairing.join', { code: words.join(' '), carrier: 'connection' })
  const { send } = await old.call('pairing.carry')
  const answer = await joining.call('pairing.carry', { message: send! })
  await old.call('pairing.carry', { message: answer.send! })
  return { old, joining }
}

describe('a new device', () => {
  it.each(['connection', 'files'] as const)(
    'joins over %s: it holds the persona, signs for it, and knows the contacts',
    async (carrier) => {
      const [old, joining] = [await TestKeeper.withPersona(), await TestKeeper.open()]
      const bob = person('bob')
      await old.sees(bob.key('laptop'), bob.table(['laptop']))
      const told = await pair(old, joining, { carrier, join: { device: PHONE } })
      expect(told.joining.table).toEqual(told.old.table)
      expect(told.joining.table?.devices).toEqual([{ name: 'laptop', key: OWN_LAPTOP }, PHONE])
      expect(await joining.call('contact.show', { contact: bob.id })).toMatchObject({ personaId: bob.id })
      const known = joining.records.devices.get(bob.key('laptop'))
      expect(known?.reports.map(({ source }) => source)).toEqual(['sibling:laptop'])
      expect(joining.records.own.get(OWN)?.localDevices).toEqual([OWN_PHONE])
      const renamed = await joining.call('device.rename', { device: 'phone', name: 'telephone' })
      expect(renamed.table.seq).toBe(told.old.table!.seq + 1)
      expect(await codeOf(joining.call('pairing.carry'))).toBe('PAIRING_NONE')
    },
  )

  it('is added to the table only if it asks, and both people see that before they confirm', async () => {
    const [old, joining] = [await TestKeeper.withPersona(), await TestKeeper.open()]
    await pair(old, joining, {
      onCompare: (here, there) => {
        expect(here.compare).toEqual(there.compare)
        expect(here.device).toBeNull()
        expect(there.persona).toMatchObject({ epoch: 0 })
      },
    })
    expect((await joining.call('device.list')).devices.map(({ name }) => name)).toEqual(['laptop'])
    const other = await TestKeeper.open()
    await pair(old, other, { join: { device: PHONE }, onCompare: (here) => expect(here.device).toEqual(PHONE) })
    expect((await old.call('device.list')).devices.map(({ name }) => name)).toEqual(['laptop', 'phone'])
  })

  it('is in no table if the person at its screen refuses, and may join later', async () => {
    const [old, joining] = [await TestKeeper.withPersona(), await TestKeeper.open()]
    const refused = pair(old, joining, {
      join: { device: PHONE },
      onCompare: async () => {
        await old.call('pairing.confirm')
        await joining.call('pairing.cancel')
      },
    })
    expect(await codeOf(refused)).toBe('PAIRING_ORDER')
    await old.call('pairing.cancel')
    expect((await old.call('device.list')).devices.map(({ name }) => name)).toEqual(['laptop'])
    expect((await pair(old, joining, { join: { device: PHONE } })).joining.state).toBe('done')
  })

  it('seals the key by a passphrase of its own', async () => {
    const [old, joining] = [await TestKeeper.withPersona(), await TestKeeper.open()]
    await pair(old, joining, { join: { passphrase: 'of the phone' } })
    const reopened = await joining.reopened()
    expect((await reopened.call('status')).locked).toBe(true)
    await reopened.call('persona.unlock', { passphrase: 'of the phone' })
    expect((await reopened.call('status')).locked).toBe(false)
  })

  it('does not get the seed: no file of the new device and no message contains it', async () => {
    const [old, joining] = [await TestKeeper.withPersona(), await TestKeeper.open()]
    const { words } = await old.call('recovery.show')
    const { parseWords } = await import('../../../../src/crypto/seed.ts')
    const seed = formsOf(parseWords(words.join(' ')))
    const { messages } = await pair(old, joining)
    expect(existsSync(join(old.stateDir, 'seed'))).toBe(true)
    expect(existsSync(join(joining.stateDir, 'seed'))).toBe(false)
    expect(await codeOf(joining.call('recovery.show'))).toBe('RECOVERY_ELSEWHERE')
    const secrets = readFileSync(join(joining.stateDir, 'secrets'))
    expect(seed.some((form) => secrets.includes(form))).toBe(false)
    // Proof that the search can find something: the signing key has arrived.
    expect(movedSecrets(old).some((form) => secrets.includes(form))).toBe(true)
    const wire = Buffer.concat(messages.map(({ message }) => parseBase64url(message)!))
    expect([...seed, ...movedSecrets(old)].some((form) => wire.includes(form))).toBe(false)
  })
})

describe('nothing secret moves', () => {
  it('before the person at the old device has confirmed, whatever the other side sends', async () => {
    const { old, joining } = await compared()
    const confirmed = await joining.call('pairing.confirm')
    expect(await codeOf(old.call('pairing.carry'))).toBe('PAIRING_ORDER')
    expect(await codeOf(old.call('pairing.carry', { message: confirmed.send! }))).toBe('PAIRING_ORDER')
  })

  it('before the other side has confirmed too', async () => {
    const { old } = await compared()
    await old.call('pairing.confirm')
    expect(await codeOf(old.call('pairing.carry'))).toBe('PAIRING_ORDER')
  })

  it('to an attacker between the two: the words on the two screens differ', async () => {
    const [old, joining] = [await TestKeeper.withPersona(), await TestKeeper.open()]
    const { words } = await old.call('pairing.offer', { carrier: 'connection' })
    const code = words.join(' ')
    await joining.call('pairing.join', { code, carrier: 'connection' })
    const { derivePsk, parseCode } = await import('../../../../src/pairing/code.ts')
    const { makeOffer, receiveOffer } = await import('../../../../src/pairing/handshake.ts')
    const { formatBase64url } = await import('../../../../src/core/encoding/bytes.ts')
    const psk = derivePsk(parseCode(code).code, engine)
    const first = await old.call('pairing.carry')
    const toOld = receiveOffer(psk, 'connection', parseBase64url(first.send!)!)
    const toJoining = makeOffer(psk, 'connection', toOld.greeting)
    const there = await joining.call('pairing.carry', { message: formatBase64url(toJoining.message) })
    const answer = toJoining.receiveAnswer(parseBase64url(there.send!)!)
    const here = await old.call('pairing.carry', { message: formatBase64url(toOld.answer(answer.greeting).message) })
    expect(here.compare).not.toEqual(there.compare)
  })
})

describe('a code', () => {
  it('stops working on both devices after three failed handshakes, and not after two', async () => {
    for (const tries of [2, 3]) {
      const [old, joining, stranger] = [
        await TestKeeper.withPersona(),
        await TestKeeper.open(),
        await TestKeeper.withPersona(),
      ]
      const { words } = await old.call('pairing.offer', { carrier: 'connection' })
      await stranger.call('pairing.offer', { carrier: 'connection' })
      await joining.call('pairing.join', { code: words.join(' '), carrier: 'connection' })
      const foreign = (await stranger.call('pairing.carry')).send!
      for (let i = 1; i <= tries; i++) {
        const expected = i === 3 ? 'PAIRING_TRIES' : 'PAIRING_HANDSHAKE'
        await old.call('pairing.carry')
        expect(await codeOf(old.call('pairing.carry', { message: foreign }))).toBe(expected)
        expect(await codeOf(joining.call('pairing.carry', { message: foreign }))).toBe(expected)
      }
      expect(await codeOf(old.call('pairing.carry'))).toBe(tries === 3 ? 'PAIRING_TRIES' : 'nothing')
      expect(await codeOf(joining.call('pairing.carry'))).toBe(tries === 3 ? 'PAIRING_TRIES' : 'PAIRING_ORDER')
    }
  })

  it('is valid for two minutes, or for an hour with files', async () => {
    for (const [carrier, ms] of [
      ['connection', 120_000],
      ['files', 3_600_000],
    ] as const) {
      const old = await TestKeeper.withPersona()
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
      expect((await old.call('pairing.offer', { carrier })).seconds * 1000).toBe(ms)
      await vi.advanceTimersByTimeAsync(ms - 1)
      expect(await codeOf(old.call('pairing.offer', { carrier }))).toBe('PAIRING_BUSY')
      await vi.advanceTimersByTimeAsync(1)
      expect(await codeOf(old.call('pairing.carry'))).toBe('PAIRING_EXPIRED')
      expect(await codeOf(old.call('pairing.offer', { carrier }))).toBe('nothing')
      vi.useRealTimers()
    }
  })

  it('is not kept alive by peers that come and go', async () => {
    const old = await TestKeeper.withPersona()
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    await old.call('pairing.offer', { carrier: 'connection' })
    for (let i = 0; i < 12; i++) {
      await old.call('pairing.carry')
      await vi.advanceTimersByTimeAsync(10_000)
    }
    expect(await codeOf(old.call('pairing.carry'))).toBe('PAIRING_EXPIRED')
  })

  it('is used up by the first device that has it', async () => {
    const { old, joining } = await compared()
    expect(await codeOf(old.call('pairing.carry'))).toBe('PAIRING_ORDER')
    await joining.call('pairing.cancel')
    expect(await codeOf(joining.call('pairing.confirm'))).toBe('PAIRING_NONE')
  })
})

describe('a pairing is refused', () => {
  it('without a persona, with a locked key, or while another one is in progress', async () => {
    const empty = await TestKeeper.open()
    expect(await codeOf(empty.call('pairing.offer', { carrier: 'files' }))).toBe('NO_PERSONA')
    await empty.call('persona.init', { passphrase: 'x y z' })
    const locked = await empty.reopened()
    expect(await codeOf(locked.call('pairing.offer', { carrier: 'files' }))).toBe('LOCKED')
    const old = await TestKeeper.withPersona()
    const { words } = await old.call('pairing.offer', { carrier: 'files' })
    expect(await codeOf(old.call('pairing.join', { code: words.join(' '), carrier: 'files' }))).toBe('PAIRING_BUSY')
    await old.call('pairing.cancel')
    expect(await codeOf(old.call('pairing.offer', { carrier: 'files' }))).toBe('nothing')
  })

  it('by a device with another persona, which keeps its own', async () => {
    const [old, other] = [await TestKeeper.withPersona(), await TestKeeper.open()]
    await other.call('persona.init', { device: PHONE })
    const before = other.records.own.get(OWN)
    expect(await codeOf(pair(old, other))).toBe('PAIRING_OTHER_PERSONA')
    expect(other.records.own.get(OWN)).toEqual(before)
  })

  it('if the device cannot be added to the table, and nothing was sent', async () => {
    const [old, joining] = [await TestKeeper.withPersona(), await TestKeeper.open()]
    const device = { name: 'laptop', key: OWN_PHONE }
    expect(await codeOf(pair(old, joining, { join: { device } }))).toBe('NICKNAME_TWICE')
    expect(await codeOf(old.call('pairing.carry'))).toBe('PAIRING_NONE')
    expect(joining.records.own.get(OWN)).toBeUndefined()
  })

  it.each([1, 2, 3, 4, 5])('if message %i is altered on the way, and neither side changes', async (place) => {
    const [old, joining] = [await TestKeeper.withPersona(), await TestKeeper.open()]
    let count = 0
    const altered = (message: string): string => {
      if (++count !== place) return message
      return message.slice(0, -3) + (message.at(-3) === 'A' ? 'B' : 'A') + message.slice(-2)
    }
    const expected = place <= 2 ? 'PAIRING_HANDSHAKE' : 'PAIRING_MESSAGE'
    expect(await codeOf(pair(old, joining, { onWay: altered }))).toBe(expected)
    expect(joining.records.own.get(OWN)).toBeUndefined()
    expect(existsSync(join(joining.stateDir, 'secrets'))).toBe(false)
    if (place > 2) expect(await codeOf(joining.call('pairing.carry', { message: 'AAAA' }))).toMatch(/^PAIRING_/)
    await joining.call('pairing.cancel')
    const again = await joining.reopened()
    expect((await again.call('status')).persona).toBeNull()
  })
})

describe('a device that has the persona already', () => {
  it('gets what its sibling knows, and keeps its own data', async () => {
    const [old, joining] = [await TestKeeper.withPersona(), await TestKeeper.open()]
    await pair(old, joining, { join: { device: PHONE } })
    const [bob, carol] = [person('bob'), person('carol')]
    await old.sees(bob.key('laptop'), bob.table(['laptop']))
    await joining.sees(carol.key('laptop'), carol.table(['laptop']))
    await old.call('device.rename', { device: 'laptop', name: 'notebook' })
    const { joining: step } = await pair(old, joining)
    expect(step.table?.devices.map(({ name }) => name)).toEqual(['notebook', 'phone'])
    for (const { id } of [bob, carol]) {
      expect(await joining.call('contact.show', { contact: id })).toMatchObject({ personaId: id })
    }
  })

  it('refuses a passphrase, because its key is sealed already', async () => {
    const [old, joining] = [await TestKeeper.withPersona(), await TestKeeper.open()]
    await pair(old, joining)
    expect(await codeOf(pair(old, joining, { join: { passphrase: 'x y z' } }))).toBe('PAIRING_PASSPHRASE')
  })
})

describe('after a rotation by a sibling', () => {
  it('a device gets the new key by pairing, whether or not it had seen the new table', async () => {
    for (const hasSeen of [true, false]) {
      const { laptop, phone, words } = await siblings()
      await rotates(laptop, words, { epoch: 1 })
      if (hasSeen) {
        await hears(phone, OWN_LAPTOP, laptop)
        expect(await codeOf(phone.call('device.rename', { device: 'phone', name: 'x' }))).toBe('KEY_SUPERSEDED')
      }
      const { joining } = await pair(laptop, phone)
      expect(joining.table?.epoch).toBe(1)
      expect(phone.custody.epochs()).toEqual([1])
      const renamed = await phone.call('device.rename', { device: 'phone', name: 'telephone' })
      expect(renamed.table).toMatchObject({ epoch: 1 })
    }
  })

  it('the superseded key is neither sent nor accepted', async () => {
    const { laptop, phone, words } = await siblings()
    await rotates(laptop, words, { epoch: 1 })
    expect(await codeOf(pair(phone, laptop))).toBe('PAIRING_OLDER_KEY')
    await phone.call('pairing.cancel')
    await hears(phone, OWN_LAPTOP, laptop)
    expect(await codeOf(phone.call('pairing.offer', { carrier: 'files' }))).toBe('KEY_SUPERSEDED')
  })
})
