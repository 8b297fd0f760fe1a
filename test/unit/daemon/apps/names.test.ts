/** Names of apps for the apps of others: the owner gives them, and the next program of the same name does not get the channels of the last one. */
import { describe, expect, it } from 'vitest'
import type { Caller } from '../../../../src/ipc/methods/method.ts'
import type { AppName } from '../../../../src/ipc/shapes/apps.ts'
import { Access } from '../../../../src/daemon/channels/access.ts'
import { codeOf } from '../../../support/code-of.ts'
import { TestKeeper } from '../../../support/keeper.ts'
import { callerAs } from '../../../support/caller.ts'

const CHANNEL = ['channel']
const CONTENT = { event: 'channel.content', id: 0, atSec: 0 } as const
const ASKING = { name: 'bot', can: CHANNEL }

/** A connection that has given a token. */
async function greeted(test: TestKeeper, token: string): Promise<Caller> {
  const caller = callerAs('app', 7)
  await test.handlers['app.hello']({ token }, caller)
  return caller
}

/** A new app with this name and the capability `channel`. */
async function allowed(test: TestKeeper, name: string, as?: string): Promise<Caller> {
  const { token } = await test.call('app.allow', { name, can: CHANNEL, ...(as === undefined ? {} : { as }) })
  return await greeted(test, token)
}

/** An app asks for the capability `channel` by itself. @returns its token */
async function asked(test: TestKeeper): Promise<string> {
  const { token } = await test.callAs('app', 'app.request', ASKING)
  return token!
}

async function namesOf(test: TestKeeper): Promise<AppName[]> {
  return (await test.call('app.list')).names
}

describe('an app that may use channels', () => {
  it('speaks to the apps of others under its own name', async () => {
    const test = await TestKeeper.open()
    const bot = await allowed(test, 'org.example.bot')
    expect(test.apps.spokenNameOf(bot)).toBe('org.example.bot')
    expect(test.apps.spokenNameOf(callerAs('app', 7))).toBeNull()
    expect(await namesOf(test)).toEqual([{ name: 'org.example.bot', app: 'org.example.bot' }])
  })

  it('speaks under the name that the owner gives it, and hears the events of that name alone', async () => {
    const test = await TestKeeper.open()
    const token = await asked(test)
    await test.call('app.accept', { ...ASKING, as: 'org.example.bot' })
    const bot = await greeted(test, token)
    expect(test.apps.spokenNameOf(bot)).toBe('org.example.bot')
    const hears = (app: string): boolean =>
      test.apps.mayHear(bot, { ...CONTENT, data: { id: '0'.repeat(16), app, number: 1 } })
    expect([hears('org.example.bot'), hears('bot')]).toEqual([true, false])
  })

  it('keeps its name over an end of its token', async () => {
    const test = await TestKeeper.open()
    await test.call('app.allow', { name: 'bot', can: CHANNEL, forSec: 60, as: 'org.example.bot' })
    test.later(60)
    const bot = await allowed(test, 'bot')
    expect(test.apps.spokenNameOf(bot)).toBe('org.example.bot')
  })

  it('does not get a second name: its channels have the first', async () => {
    const test = await TestKeeper.open()
    const bot = await allowed(test, 'bot')
    await test.handlers['app.request']({ name: 'bot', can: ['observe'] }, bot)
    const second = test.call('app.accept', { name: 'bot', can: ['observe'], as: 'org.example.bot' })
    expect(await codeOf(second)).toBe('APP_NAME_FIXED')
    await test.call('app.accept', { name: 'bot', can: ['observe'], as: 'bot' })
    expect(test.apps.spokenNameOf(bot)).toBe('bot')
  })
})

describe('an app that asked for a name that was taken', () => {
  it('never speaks for the app that has the name', async () => {
    const test = await TestKeeper.open()
    await allowed(test, 'bot')
    const token = await asked(test)
    expect(await codeOf(test.call('app.accept', { name: 'bot#2', can: CHANNEL }))).toBe('APP_NAME_NEEDED')
    expect(await codeOf(test.call('app.accept', { name: 'bot#2', can: CHANNEL, as: 'bot' }))).toBe('APP_NAME_TAKEN')
    await test.call('app.accept', { name: 'bot#2', can: ['observe'] })
    const second = await greeted(test, token)
    expect(test.apps.spokenNameOf(second)).toBeNull()
    await test.handlers['app.request'](ASKING, second)
    await test.call('app.accept', { name: 'bot#2', can: CHANNEL, as: 'org.example.other' })
    expect(test.apps.spokenNameOf(second)).toBe('org.example.other')
  })
})

describe('the name of the command line', () => {
  it('goes to no app', async () => {
    const test = await TestKeeper.open()
    expect(await codeOf(test.call('app.allow', { name: 'chat', can: CHANNEL }))).toBe('APP_NAME_TAKEN')
    expect(await codeOf(test.call('app.allow', { name: 'bot', can: CHANNEL, as: 'chat' }))).toBe('APP_NAME_TAKEN')
    const { token } = await test.call('app.allow', { name: 'chat', can: ['observe'] })
    expect(test.apps.spokenNameOf(await greeted(test, token))).toBeNull()
  })
})

describe('a revoked app', () => {
  it('leaves its name to nobody until the owner releases it', async () => {
    const test = await TestKeeper.open()
    await allowed(test, 'bot')
    expect(await codeOf(test.call('app.release', { name: 'bot' }))).toBe('APP_NAME_USED')
    await test.call('app.revoke', { name: 'bot' })
    expect(await namesOf(test)).toEqual([{ name: 'bot', app: null }])
    expect(await codeOf(test.call('app.allow', { name: 'bot', can: CHANNEL }))).toBe('APP_NAME_TAKEN')
    expect(await codeOf(test.call('app.allow', { name: 'other', can: CHANNEL, as: 'bot' }))).toBe('APP_NAME_TAKEN')
    await asked(test)
    expect(await codeOf(test.call('app.accept', ASKING))).toBe('APP_NAME_TAKEN')
    expect(await test.call('app.release', { name: 'bot' })).toEqual({ name: 'bot' })
    await test.call('app.accept', ASKING)
    expect(await namesOf(test)).toEqual([{ name: 'bot', app: 'bot' }])
    expect(await codeOf(test.call('app.release', { name: 'nobody' }))).toBe('NOT_FOUND')
  })

  it('leaves no channel to the next program of its name, whatever the owner grants that one', async () => {
    const test = await TestKeeper.open({ appDefaults: ['read', 'channel'] })
    await allowed(test, 'bot')
    await test.call('app.revoke', { name: 'bot' })
    const { token } = await test.call('app.allow', { name: 'bot', can: ['observe'] })
    const next = await greeted(test, token)
    expect(test.apps.may(next, 'channel', ['channel'])).toBe(true)
    const access = new Access(
      (caller) => test.apps.spokenNameOf(caller),
      () => [],
    )
    for (const use of [() => access.check(next, 'bot'), () => access.appFor(next, 'bot')])
      expect(await codeOf(Promise.resolve().then(use))).toBe('CHANNEL_APP')
  })

  it('leaves its name also if the daemon of an earlier version allowed it', async () => {
    const test = await TestKeeper.open()
    const bot = await allowed(test, 'bot')
    await test.keeper.change(() => {
      const { state } = test.keeper
      state.stage(state.records.appNames.remove('bot'))
    })
    expect(test.apps.spokenNameOf(bot)).toBe('bot')
    await test.call('app.revoke', { name: 'bot' })
    expect(await namesOf(test)).toEqual([{ name: 'bot', app: null }])
  })

  it('has left its name before a crash can keep the daemon from the rest', async () => {
    const test = await TestKeeper.open()
    await allowed(test, 'bot')
    const before = test.store.commits.length
    await test.call('app.revoke', { name: 'bot' })
    const marked = test.store.commits.slice(before).find((writes) => writes.some(({ key }) => key === 'app/bot'))
    expect(marked!.map(({ key }) => key)).toContain('appname/bot')
    expect(await namesOf(await test.reopened())).toEqual([{ name: 'bot', app: null }])
  })
})
