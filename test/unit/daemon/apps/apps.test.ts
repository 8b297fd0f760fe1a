import { describe, expect, it } from 'vitest'
import { decodeUtf8 } from '../../../../src/core/encoding/bytes.ts'
import type { KeeperMethods } from '../../../../src/daemon/methods.ts'
import type { Caller, ParamsOf, Permission, ResultOf } from '../../../../src/ipc/methods/method.ts'
import { openMemoryStore } from '../../../../src/store/memory-store.ts'
import { TestKeeper, WriteGate } from '../../../support/keeper.ts'
import { deviceKey, person } from '../../../support/person.ts'
import { callerAs } from '../../../support/caller.ts'

const DAY_SEC = 86_400
const BOB = person('bob')
const MALLORY = person('mallory')
const PHONE = BOB.key('phone')

/** One connection of an app. */
class AppConnection {
  readonly #test: TestKeeper
  readonly caller: Caller = callerAs('app', 7)

  constructor(test: TestKeeper) {
    this.#test = test
  }

  async call<Name extends keyof KeeperMethods>(
    name: Name,
    params: ParamsOf<KeeperMethods[Name]>,
  ): Promise<ResultOf<KeeperMethods[Name]>> {
    const handler = this.#test.handlers[name] as (
      params: unknown,
      caller: Caller,
    ) => Promise<ResultOf<KeeperMethods[Name]>>
    return await handler(params, this.caller)
  }

  /** The app's permissions if apps have none by default. */
  permissions(defaults: readonly Permission[] = []): Permission[] {
    const all: Permission[] = ['open', 'read', 'observe', 'publish', 'admin']
    return all.filter((permission) => this.#test.apps.may(this.caller, permission, defaults))
  }
}

async function allowed(test: TestKeeper, name = 'bot', forSec?: number): Promise<AppConnection> {
  const { token } = await test.call('app.allow', {
    name,
    can: ['read', 'observe'],
    ...(forSec === undefined ? {} : { forSec }),
  })
  const app = new AppConnection(test)
  await app.call('app.hello', { token })
  return app
}

describe('an app', () => {
  it('without a token may use the default capabilities and greet', async () => {
    const app = new AppConnection(await TestKeeper.withPersona())
    expect(app.permissions()).toStrictEqual(['open'])
    expect(app.permissions(['read'])).toStrictEqual(['open', 'read'])
  })

  it('with a token may use what the owner allowed, on the connection that gave the token', async () => {
    const test = await TestKeeper.withPersona()
    const app = await allowed(test)
    expect(app.permissions()).toStrictEqual(['open', 'read', 'observe'])
    expect(new AppConnection(test).permissions()).toStrictEqual(['open'])
  })

  it.each([
    ['a token of another app', (token: string) => token.replace('bot', 'cat')],
    ['an altered token', (token: string) => `${token.slice(0, -1)}${token.endsWith('A') ? 'E' : 'A'}`],
    ['the name alone', () => 'bot.'],
    ['no name', (token: string) => token.slice(3)],
    ['nothing', () => ''],
  ])('with %s is not recognised', async (_, alter) => {
    const test = await TestKeeper.withPersona()
    await allowed(test, 'cat')
    const { token } = await test.call('app.allow', { name: 'bot', can: ['read'] })
    const app = new AppConnection(test)
    await expect(app.call('app.hello', { token: alter(token) })).rejects.toMatchObject({ code: 'APP_TOKEN_UNKNOWN' })
    expect(app.permissions()).toStrictEqual(['open'])
  })

  it('loses its capabilities in the second at which its token expires, even while connected', async () => {
    const test = await TestKeeper.withPersona()
    const app = await allowed(test, 'bot', DAY_SEC)
    test.later(DAY_SEC - 1)
    expect(app.permissions()).toContain('observe')
    test.later(1)
    expect(app.permissions()).toStrictEqual(['open'])
    const { token } = await test.call('app.allow', { name: 'cat', can: ['read'], forSec: 60 })
    test.later(60)
    await expect(app.call('app.hello', { token })).rejects.toMatchObject({ code: 'APP_EXPIRED' })
  })

  it('with an expired token stays expired when the clock is set back', async () => {
    const test = await TestKeeper.withPersona()
    const app = await allowed(test, 'bot', DAY_SEC)
    test.later(DAY_SEC + 1)
    expect(app.permissions()).toStrictEqual(['open'])
    await test.call('device.rename', { device: 'laptop', name: 'desk' })
    test.later(-2 * DAY_SEC)
    expect(app.permissions()).toStrictEqual(['open'])
  })

  it('with an expired token can be allowed again, with a new token; the old one is worthless, even on an open connection', async () => {
    const test = await TestKeeper.withPersona()
    const { token: old } = await test.call('app.allow', { name: 'bot', can: ['read', 'observe'], forSec: DAY_SEC })
    const app = new AppConnection(test)
    await app.call('app.hello', { token: old })
    await app.call('observe', { from: PHONE, text: BOB.table(['phone']).text() })
    test.later(DAY_SEC - 1)
    await expect(test.call('app.allow', { name: 'bot', can: ['read'] })).rejects.toMatchObject({ code: 'APP_EXISTS' })
    test.later(1)
    const { token } = await test.call('app.allow', { name: 'bot', can: ['read'] })
    expect(app.permissions()).toStrictEqual(['open'])
    await expect(app.call('app.hello', { token: old })).rejects.toMatchObject({ code: 'APP_TOKEN_UNKNOWN' })
    const renewed = new AppConnection(test)
    await renewed.call('app.hello', { token })
    expect(renewed.permissions()).toStrictEqual(['open', 'read'])
    // Its earlier reports stay: it was allowed to make them.
    expect((await test.call('lookup', { query: PHONE })).device?.sources).toStrictEqual(['app:bot'])
  })

  it('has a name of its own: a taken name is refused', async () => {
    const test = await TestKeeper.withPersona()
    await allowed(test)
    await expect(test.call('app.allow', { name: 'bot', can: ['read'] })).rejects.toMatchObject({ code: 'APP_EXISTS' })
  })

  it('has its token in no file: the store keeps only a hash', async () => {
    const test = await TestKeeper.withPersona()
    const { token } = await test.call('app.allow', { name: 'bot', can: ['read'] })
    let records = 0
    for await (const { key, value } of test.store.iterate({ prefix: '' })) {
      records++
      expect(`${key} ${decodeUtf8(value)}`).not.toContain(token.split('.')[1])
    }
    expect(records).toBeGreaterThan(3)
    expect(JSON.stringify(test.events)).not.toContain(token.split('.')[1])
  })
})

describe('a report of an app', () => {
  it('is recorded under its name, and not under that of others', async () => {
    const test = await TestKeeper.withPersona()
    await (await allowed(test)).call('observe', { from: PHONE, text: BOB.table(['phone']).text() })
    await new AppConnection(test).call('observe', { from: PHONE, text: BOB.last!.text() })
    const { device } = await test.call('lookup', { query: PHONE })
    expect(device?.sources.toSorted()).toStrictEqual(['app', 'app:bot'])
  })

  it('counts toward the quota of its app only, which refills with time', async () => {
    const test = await TestKeeper.withPersona()
    const app = await allowed(test)
    const report = (): Promise<unknown> => app.call('observe', { from: PHONE, text: 'hello' })
    for (let i = 0; i < 2000; i++) await report()
    await expect(report()).rejects.toMatchObject({ code: 'QUOTA_EXCEEDED', details: { retryAfterSec: 1 } })
    await new AppConnection(test).call('observe', { from: PHONE, text: 'hello' })
    await test.call('observe', { from: PHONE, text: 'hello' })
    test.later(1)
    await report()
  })

  it('of a new device counts toward a smaller quota', async () => {
    const test = await TestKeeper.withPersona()
    const app = await allowed(test)
    for (let i = 0; i < 2000; i++) {
      if (i % 500 === 499) test.later(60)
      await app.call('observe', { from: deviceKey(`stranger ${i}`), text: 'hello' })
    }
    test.later(5)
    await app.call('observe', { from: deviceKey('stranger 0'), text: 'hello' })
    const report = app.call('observe', { from: deviceKey('stranger 2000'), text: 'hello' })
    await report
    for (let i = 2001; i < 2004; i++) await app.call('observe', { from: deviceKey(`stranger ${i}`), text: '' })
    await expect(app.call('observe', { from: deviceKey('one more'), text: '' })).rejects.toMatchObject({
      code: 'QUOTA_EXCEEDED',
    })
  })
})

describe('a report that is refused', () => {
  const exceeded = (what: string): object => ({
    code: 'QUOTA_EXCEEDED',
    message: `app:bot has reported too many ${what}`,
  })

  it('for its new device does not count toward the quota for known ones', async () => {
    const test = await TestKeeper.withPersona()
    const app = await allowed(test)
    const report = (from: string): Promise<unknown> => app.call('observe', { from, text: 'hello' })
    for (let i = 0; i < 2000; i++) await report(deviceKey(`stranger ${i}`))
    test.later(5)
    for (let i = 0; i < 100; i++)
      await expect(report(deviceKey('one more'))).rejects.toMatchObject(exceeded('new devices'))
    for (let i = 0; i < 50; i++) await report(deviceKey(`stranger ${i}`))
    await expect(report(deviceKey('stranger 0'))).rejects.toMatchObject(exceeded('observations'))
  })

  it('for the quota of reports does not count toward the quota of new devices', async () => {
    const test = await TestKeeper.withPersona()
    const app = await allowed(test)
    const report = (from: string): Promise<unknown> => app.call('observe', { from, text: 'hello' })
    for (let i = 0; i < 1999; i++) await report(deviceKey(`stranger ${i}`))
    await report(deviceKey('stranger 0'))
    for (let i = 0; i < 10; i++)
      await expect(report(deviceKey('the last'))).rejects.toMatchObject(exceeded('observations'))
    test.later(1)
    await report(deviceKey('the last'))
  })
})

describe('revoking an app', () => {
  it('ends its capabilities at once, and its token for good', async () => {
    const test = await TestKeeper.withPersona()
    const { token } = await test.call('app.allow', { name: 'bot', can: ['read'] })
    const app = new AppConnection(test)
    await app.call('app.hello', { token })
    await test.call('app.revoke', { name: 'bot' })
    expect(app.permissions()).toStrictEqual(['open'])
    await expect(app.call('app.hello', { token })).rejects.toMatchObject({ code: 'APP_TOKEN_UNKNOWN' })
    expect((await test.call('app.list')).apps).toStrictEqual([])
  })

  it('ends a confirmation that only it reported, and keeps one that others saw too', async () => {
    const test = await TestKeeper.withPersona()
    const app = await allowed(test)
    const table = BOB.table(['phone', 'laptop'])
    for (const device of ['phone', 'laptop']) await app.call('observe', { from: BOB.key(device), text: table.text() })
    await test.reports('profile', BOB.key('laptop'), table)
    expect(await test.call('app.revoke', { name: 'bot' })).toStrictEqual({ reportedDevices: 2 })
    const { contact } = await test.call('lookup', { query: BOB.id })
    expect([contact?.devices, contact?.claims].map((list) => list?.map(({ name }) => name))).toStrictEqual([
      ['laptop'],
      ['phone'],
    ])
    expect(test.told('contact.changed').at(-1)).toMatchObject({
      changes: [{ kind: 'unconfirmed', name: 'phone' }],
      source: 'app:bot',
    })
  })

  it('frees a device that it bound to the wrong persona, for the persona that others saw on it', async () => {
    const test = await TestKeeper.withPersona()
    await test.sees(MALLORY.key('phone'), MALLORY.table([MALLORY.device('phone'), { name: 'x', key: PHONE }]))
    await (await allowed(test)).call('observe', { from: PHONE, text: MALLORY.last!.text() })
    await test.reports('profile', BOB.key('laptop'), BOB.table(['phone', 'laptop']))
    await test.later(60).reports('profile', PHONE, BOB.last!)
    // The device is known as Mallory's but shows Bob's persona. It counts for neither, and is not a contact by itself.
    expect(await test.call('lookup', { query: PHONE })).toMatchObject({ contact: null })
    await test.call('app.revoke', { name: 'bot' })
    expect(await test.call('lookup', { query: PHONE })).toMatchObject({
      contact: { personaId: BOB.id },
      device: { state: 'confirmed' },
    })
  })

  it('asks the owner before binding a freed device, if the policy of the friend’s entry says so', async () => {
    const test = await TestKeeper.withPersona()
    await test.sees(PHONE, 'hello', { name: 'Bob' })
    await test.call('contact.policy', { contact: 'Bob', policy: 'ask' })
    const app = await allowed(test)
    await app.call('observe', { from: PHONE, text: MALLORY.table(['pc']).text() })
    const table = BOB.table(['phone', 'laptop'])
    await test.reports('profile', BOB.key('laptop'), table)
    await test.reports('profile', PHONE, table, { seenAtSec: test.nowSec - 60 })
    await test.call('app.revoke', { name: 'bot' })
    expect(await test.call('lookup', { query: PHONE })).toMatchObject({ contact: { name: 'Bob', kind: 'provisional' } })
    expect((await test.call('pending.list')).pending).toMatchObject([{ kind: 'upgrade', contact: 'Bob' }])
  })

  it('leaves no pending change that it alone reported, for the owner or a policy to accept', async () => {
    for (const seen of [BOB.table(['phone']).text(), 'no persona']) {
      const test = await TestKeeper.withPersona({ defaultPolicy: 'ask' })
      await test.reports('profile', PHONE, seen, { name: 'Bob' })
      const lie = MALLORY.table([{ name: 'x', key: PHONE }])
      await (await allowed(test)).call('observe', { from: PHONE, text: lie.text() })
      expect((await test.call('pending.list')).pending).toMatchObject([{ personaId: MALLORY.id }])
      await test.call('app.revoke', { name: 'bot' })
      expect((await test.call('pending.list')).pending).toStrictEqual([])
      expect(await test.call('contact.policy', { contact: PHONE, policy: 'auto' })).toMatchObject({
        kind: 'provisional',
        policy: 'auto',
      })
    }
  })

  it('removes the entry of a friend whom nobody else reported', async () => {
    const test = await TestKeeper.withPersona()
    const app = await allowed(test)
    for (const name of ['seen by one', 'seen by two']) await app.call('observe', { from: deviceKey(name), text: 'hi' })
    await test.reports('profile', deviceKey('seen by two'), 'hi')
    await test.call('app.revoke', { name: 'bot' })
    expect(await test.call('contact.list')).toMatchObject({ total: 1 })
    expect(await test.call('lookup', { query: deviceKey('seen by one') })).toMatchObject({ by: 'none' })
  })

  it('continues at the next start if a crash interrupts it', async () => {
    const test = await TestKeeper.withPersona()
    await (await allowed(test)).call('observe', { from: PHONE, text: BOB.table(['phone']).text() })
    await test.store.commit([test.records.apps.put('bot', { ...test.records.apps.get('bot')!, revoking: true })])
    const again = await test.reopened()
    expect(await again.call('lookup', { query: PHONE })).toMatchObject({ contact: null, claimedBy: [BOB.id] })
    expect((await again.call('app.list')).apps).toStrictEqual([])
  })

  it('drops even what it reports at that very moment', async () => {
    const gate = new WriteGate()
    const test = await TestKeeper.withPersona({ store: openMemoryStore(gate.pass) })
    const app = await allowed(test)
    gate.shut()
    const revoked = test.call('app.revoke', { name: 'bot' })
    const observed = app.call('observe', { from: PHONE, text: BOB.table(['phone']).text() })
    await gate.arrived()
    // The mark is on disk, and the report is still on its way there.
    gate.passOne()
    await gate.arrived()
    await new Promise(setImmediate)
    gate.open()
    await Promise.allSettled([revoked, observed])
    expect(test.records.devices.get(PHONE)?.reports ?? []).toStrictEqual([])
  })

  it('never unbinds the owner’s own devices', async () => {
    const test = await TestKeeper.withPersona()
    const app = await allowed(test)
    const [own] = (await test.call('device.list')).devices
    await app.call('observe', { from: own!.key, text: (await test.call('blob.get')).text })
    await test.call('app.revoke', { name: 'bot' })
    expect(await test.call('lookup', { query: own!.key })).toMatchObject({ contact: { kind: 'own' } })
  })
})

describe('an app that asks', () => {
  it.each([undefined, '', ' \n'])('may leave out the reason (%j)', async (why) => {
    const test = await TestKeeper.withPersona()
    const wish = { name: 'bot', can: ['observe' as const], ...(why === undefined ? {} : { why }) }
    expect(await new AppConnection(test).call('app.request', wish)).toMatchObject({ app: { asks: { why: '' } } })
  })

  it('gets a token that is worth nothing until the owner accepts', async () => {
    const test = await TestKeeper.withPersona()
    const app = new AppConnection(test)
    const { token } = await app.call('app.request', { name: 'bot', can: ['observe'], why: 'to tell\nyou' })
    await expect(app.call('app.hello', { token: token! })).rejects.toMatchObject({ code: 'APP_PENDING' })
    expect((await test.call('app.list')).apps).toMatchObject([
      { can: [], asks: { can: ['observe'], why: 'to tell you' } },
    ])
    await test.call('app.accept', { name: 'bot', can: ['observe'] })
    await app.call('app.hello', { token: token! })
    expect(app.permissions()).toStrictEqual(['open', 'observe'])
    expect(test.told('app.changed').map(({ what }) => what)).toStrictEqual(['requested', 'accepted'])
  })

  it('gets what the owner grants, even if it requests more meanwhile', async () => {
    const test = await TestKeeper.withPersona()
    const app = await allowed(test)
    await app.call('app.request', { name: 'bot', can: ['publish'] })
    await test.call('app.accept', { name: 'bot', can: ['read'] })
    expect(app.permissions()).toStrictEqual(['open', 'read', 'observe'])
  })

  it('keeps what it had if it is rejected; a new one leaves nothing', async () => {
    const test = await TestKeeper.withPersona()
    const app = await allowed(test)
    await app.call('app.request', { name: 'bot', can: ['publish'] })
    await test.call('app.reject', { name: 'bot' })
    expect(app.permissions()).toStrictEqual(['open', 'read', 'observe'])
    await new AppConnection(test).call('app.request', { name: 'cat', can: ['read'] })
    await test.call('app.reject', { name: 'cat' })
    expect((await test.call('app.list')).apps.map(({ name }) => name)).toStrictEqual(['bot'])
    await expect(test.call('app.accept', { name: 'bot', can: ['publish'] })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    })
  })

  it("under another app's name gets the same answer as under a free one; the owner sees a number", async () => {
    const test = await TestKeeper.withPersona()
    const bot = await allowed(test)
    const [second, third] = [new AppConnection(test), new AppConnection(test)]
    const ask = (app: AppConnection, name: string): Promise<ResultOf<KeeperMethods['app.request']>> =>
      app.call('app.request', { name, can: ['publish'] })
    const { app, token } = await ask(second, 'bot')
    await ask(third, 'bot')
    const free = await ask(new AppConnection(test), 'new')
    expect(app).toStrictEqual({ ...free.app, name: 'bot' })
    expect(token!.split('.')[0]).toBe('bot')
    await expect(second.call('app.hello', { token: token! })).rejects.toMatchObject({ code: 'APP_PENDING' })
    const names = (await test.call('app.list')).apps.map((known) => known.name)
    expect(names).toStrictEqual(['bot', 'bot#2', 'bot#3', 'new'])
    await test.call('app.accept', { name: 'bot#2', can: ['publish'] })
    await test.call('app.reject', { name: 'bot#3' })
    expect(await second.call('app.hello', { token: token! })).toMatchObject({ name: 'bot#2', can: ['publish'] })
    expect(bot.permissions()).toStrictEqual(['open', 'read', 'observe'])
    await test.call('app.revoke', { name: 'bot#2' })
    expect([second.permissions(), bot.permissions().length]).toStrictEqual([['open'], 3])
  })

  it('as the seventeenth has to wait; a week later the others are forgotten', async () => {
    const test = await TestKeeper.withPersona()
    const ask = (name: string): Promise<unknown> => new AppConnection(test).call('app.request', { name, can: ['read'] })
    for (let i = 1; i <= 16; i++) await ask(`app-${i}`)
    await expect(ask('app-17')).rejects.toMatchObject({ code: 'APP_TOO_MANY' })
    test.later(7 * DAY_SEC + 1)
    await ask('app-17')
    expect((await test.call('app.list')).apps.map(({ name }) => name)).toStrictEqual(['app-17'])
  })

  it('at once with a hundred others does not get past the limit of sixteen', async () => {
    const test = await TestKeeper.withPersona()
    const asked = Array.from({ length: 100 }, (_, i) =>
      new AppConnection(test).call('app.request', { name: `app-${i}`, can: ['read'] }),
    )
    const results = await Promise.allSettled(asked)
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(16)
    expect((await test.call('app.list')).apps).toHaveLength(16)
  })

  it('again and again has to wait, and does not displace the history', async () => {
    const test = await TestKeeper.withPersona()
    const app = await allowed(test)
    test.events.length = 0
    const asks = (): Promise<unknown> => app.call('app.request', { name: 'bot', can: ['publish'] })
    for (let i = 0; i < 8; i++) await asks()
    await expect(asks()).rejects.toMatchObject({ code: 'QUOTA_EXCEEDED', details: { retryAfterSec: 3600 } })
    expect(test.told('app.changed')).toHaveLength(8)
    test.later(3600)
    await asks()
  })

  it('leaves nothing in the store once it is forgotten', async () => {
    const test = await TestKeeper.withPersona()
    await new AppConnection(test).call('app.request', { name: 'old', can: ['read'] })
    test.later(7 * DAY_SEC + 1)
    await new AppConnection(test).call('app.request', { name: 'new', can: ['read'] })
    expect(test.records.apps.get('old')).toBeUndefined()
  })
})
