import { describe, expect, it } from 'vitest'
import { METHODS, type Methods } from '../../../../src/ipc/methods/all-methods.ts'
import type { KeeperMethods } from '../../../../src/daemon/methods.ts'
import { quickEngine } from '../../../support/quick-engine.ts'
import { OWN_LAPTOP, TestKeeper, ownText } from '../../../support/keeper.ts'
import { person } from '../../../support/person.ts'

const PASSPHRASE = 'correct horse battery staple'
const bob = person('bob')
const phone = bob.key('phone')
const text = bob.table(['phone']).text()

type MethodName = keyof Methods

/** Methods that need the signing key or the seed. */
const NEED_KEY: Partial<Record<MethodName, object>> = {
  'recovery.show': {},
  'recovery.confirm': { words: [{ position: 1, word: 'abandon' }] },
  'device.add': { name: 'tablet', key: person('me').key('tablet') },
  'device.rename': { device: 'laptop', name: 'desk' },
  'device.activate': { device: 'phone' },
  'device.remove': { device: 'phone' },
  'device.rekey': { device: 'phone', key: person('me').key('tablet') },
  'backup.begin': { passphrase: PASSPHRASE },
  'pairing.offer': { carrier: 'files' },
}

/** Methods that do not need it: they may answer anything but LOCKED. */
const NEED_NONE: Partial<Record<MethodName, object>> = {
  status: {},
  doctor: {},
  lookup: { query: OWN_LAPTOP },
  verify: { text },
  'contact.list': {},
  'contact.show': { contact: 'bob' },
  'contact.devices': { contact: 'bob' },
  'contact.number': { contact: 'bob' },
  'contact.add': { link: 'x' },
  'contact.verify': { contact: 'bob' },
  'link.get': {},
  subscribe: {},
  unsubscribe: {},
  observe: { from: phone, text },
  'observe.batch': { source: 'test', observations: [{ from: phone, text }] },
  'observe.undo': { profile: phone },
  'blob.get': {},
  'persona.init': {},
  'persona.lock': {},
  'passphrase.set': { passphrase: PASSPHRASE },
  'device.list': {},
  'device.shown': {},
  'device.approve': { device: 'phone' },
  'app.hello': { token: 'x' },
  'app.request': { name: 'app', can: ['read'] },
  'app.allow': { name: 'app2', can: ['read'] },
  'app.list': {},
  'app.accept': { name: 'app', can: ['read'] },
  'app.reject': { name: 'app' },
  'app.revoke': { name: 'app2' },
  'app.release': { name: 'app2' },
  'log.list': {},
  'log.verify': {},
  'contact.policy': { contact: 'bob', policy: 'auto' },
  'pending.list': {},
  'pending.accept': { contact: 'bob' },
  'pending.reject': { contact: 'bob' },
  'alarm.list': {},
  'alarm.dismiss': { id: 'x' },
  'evidence.get': { contact: 'bob' },
  'contact.rename': { contact: 'bob', name: 'Bob' },
  'contact.block': { contact: 'bob' },
  'contact.unblock': { contact: 'bob' },
  'contact.join': { contact: 'bob', other: 'carol' },
  'contact.split': { contact: 'bob', device: 'phone' },
  'contact.export': {},
  'contact.import': { contacts: [] },
  'contact.forget': { contact: 'bob' },
  'sibling.sync': {},
  // These open the lock with the passphrase they get.
  'persona.unlock': { passphrase: 'wrong' },
  'passphrase.check': { present: 'wrong' },
  'passphrase.change': { present: 'wrong', passphrase: PASSPHRASE },
  'passphrase.remove': { present: 'wrong' },
}

/**
 * Methods answered outside the keeper, or only after steps that this test does not take. The tests of profiles,
 * rotation, succession, backup, pairing, the companion and announcements cover them.
 */
const ELSEWHERE: ReadonlySet<string> = new Set<MethodName>([
  'profile.list',
  'profile.due',
  'profile.wrote',
  'profile.words',
  'profile.own',
  'profile.remember',
  'profile.copies',
  'rotation.plan',
  'rotation.apply',
  'rotation.follow',
  'succession.plan',
  'succession.apply',
  'succession.end',
  'recovery.check',
  'persona.leave',
  'persona.reconcile',
  'backup.next',
  'restore.begin',
  'restore.put',
  'pairing.join',
  'pairing.carry',
  'pairing.confirm',
  'pairing.cancel',
  'tox.up',
  'tox.down',
  'tox.peers',
  'tox.add',
  'announce.status',
  'announce.on',
  'announce.off',
  'announce.now',
  'announce.reread',
  'contact.refresh',
  'relay.list',
  'relay.add',
  'relay.remove',
  'card.list',
  'card.rejoin',
  'card.stores',
  'card.inboxes',
  'channel.key',
  'channel.invite',
  'channel.accept',
  'channel.list',
  'channel.show',
  'channel.send',
  'channel.read',
  'channel.ack',
  'channel.verify',
  'channel.close',
  'channel.rename',
  'app.link',
  'app.link-invite',
  'app.link-accept',
  'app.link-set',
  'app.unlink',
  'app.links',
  'app.proposals',
  'app.answer',
  'chat.send',
  'chat.tell',
  'chat.keep',
  'chat.lines',
  'chat.mark',
  'chat.list',
  'chat.forget',
  'chat.add',
  'chat.known',
  'message.open',
  'message.put',
  'message.read',
  'message.ack',
  'message.sent',
  'message.list',
  'message.propose',
  'message.answer',
  'persona.erase',
  'persona.recover',
])

async function locked(): Promise<TestKeeper> {
  const test = await TestKeeper.open({ engine: quickEngine })
  await test.call('persona.init', { device: { name: 'laptop', key: OWN_LAPTOP }, passphrase: PASSPHRASE })
  await test.call('device.add', { name: 'phone', key: person('me').key('phone') })
  await test.sees(phone, bob.table(['phone']), { name: 'bob' })
  await test.call('persona.lock')
  await told(test)
  return test
}

/** Waits until all events are on disk and published. */
async function told(test: TestKeeper): Promise<unknown[]> {
  await test.keeper.change(() => {})
  return test.told('locked')
}

async function codeOf(test: TestKeeper, name: MethodName, params: object): Promise<string> {
  try {
    await test.call(name as keyof KeeperMethods, params)
    return 'done'
  } catch (error) {
    return (error as { code: string }).code
  }
}

describe('a locked daemon', () => {
  it('answers LOCKED only to methods that need the signing key', async () => {
    const test = await locked()
    const names = Object.keys(METHODS) as MethodName[]
    let ran = 0
    for (const name of names.filter((one) => !ELSEWHERE.has(one))) {
      const params = NEED_KEY[name] ?? NEED_NONE[name]
      expect(params, `add ${name} to the methods that need the signing key, or to those that do not`).toBeDefined()
      const code = await codeOf(test, name, params!)
      if (NEED_KEY[name] === undefined) expect(code, name).not.toBe('LOCKED')
      else expect(code, name).toBe('LOCKED')
      ran++
    }
    expect(ran).toBe(Object.keys(NEED_KEY).length + Object.keys(NEED_NONE).length)
    expect(test.custody.isLocked).toBe(true)
  })

  it('verifies, serves and observes as before', async () => {
    const test = await locked()
    const { text: own } = await test.call('blob.get', { words: 'hi' })
    expect(own).toMatch(/^hi persona:/)
    expect(await test.call('verify', { text: own })).toMatchObject({ valid: true })
    const newer = bob.table(['phone', 'tablet'], { seq: 1000 })
    expect(await test.sees(phone, newer)).toMatchObject({ verdict: 'accept' })
    expect(await test.sees(OWN_LAPTOP, await ownText(test))).toMatchObject({ verdict: 'refresh' })
    expect(await test.call('lookup', { query: phone })).toMatchObject({ contact: { name: 'bob' } })
  })
})

describe('the lock', () => {
  it('publishes its cause, even if the time was over before anybody looked', async () => {
    const test = await locked()
    await test.call('persona.lock')
    expect(await told(test)).toStrictEqual([])
    await test.call('persona.unlock', { passphrase: PASSPHRASE })
    await test.later(600).call('device.list')
    expect((await test.call('status')).locked).toBe(true)
    await expect(test.call('device.rename', { device: 'laptop', name: 'desk' })).rejects.toMatchObject({
      code: 'LOCKED',
    })
    expect(await told(test)).toStrictEqual([
      { locked: false, cause: 'unlock' },
      { locked: true, cause: 'idle' },
    ])
  })

  it('falls before a change, never in its middle, and an observation still counts', async () => {
    const test = await locked()
    await test.call('persona.unlock', { passphrase: PASSPHRASE })
    await told(test)
    expect(await test.later(7200).sees(phone, bob.table(['phone', 'pad'], { seq: 2000 }))).toMatchObject({
      verdict: 'accept',
    })
    expect(await told(test)).toStrictEqual([{ locked: true, cause: 'ttl' }])
  })

  it('needs a passphrase', async () => {
    const none = await TestKeeper.open()
    await expect(none.call('persona.lock')).rejects.toMatchObject({ code: 'NO_PERSONA' })
    const test = await TestKeeper.withPersona()
    await expect(test.call('persona.lock')).rejects.toMatchObject({ code: 'NO_PASSPHRASE' })
    expect((await test.later(100_000).call('device.rename', { device: 'laptop', name: 'desk' })).table.seq).toBe(2)
  })
})

describe('a passphrase', () => {
  it('can be set, and changed or removed only with the present one', async () => {
    const test = await TestKeeper.withPersona()
    const { words: shown } = await test.call('recovery.show')
    await expect(test.call('passphrase.change', { present: 'x', passphrase: 'y' })).rejects.toMatchObject({
      code: 'NO_PASSPHRASE',
    })
    await expect(test.call('passphrase.remove', { present: 'x' })).rejects.toMatchObject({ code: 'NO_PASSPHRASE' })
    expect(await test.call('passphrase.set', { passphrase: 'one' })).toStrictEqual({ sealing: 'passphrase' })
    await expect(test.call('passphrase.set', { passphrase: 'two' })).rejects.toMatchObject({ code: 'PASSPHRASE_SET' })
    for (const call of [
      test.call('passphrase.change', { present: 'wrong', passphrase: 'two' }),
      test.call('passphrase.remove', { present: 'wrong' }),
    ]) {
      await expect(call).rejects.toMatchObject({ code: 'SEAL_WRONG_PASSPHRASE' })
    }
    expect(await test.call('passphrase.change', { present: 'one', passphrase: 'two' })).toStrictEqual({
      sealing: 'passphrase',
    })
    expect(test.delays).toStrictEqual([0, 0.1, 0.2])
    const next = await test.reopened()
    await expect(next.call('persona.unlock', { passphrase: 'one' })).rejects.toMatchObject({
      code: 'SEAL_WRONG_PASSPHRASE',
    })
    await next.call('persona.unlock', { passphrase: 'two' })
    expect((await next.call('recovery.show')).words).toStrictEqual(shown)
    expect(await next.call('passphrase.remove', { present: 'two' })).toStrictEqual({ sealing: 'unsealed' })
    expect((await (await next.reopened()).call('recovery.show')).words).toStrictEqual(shown)
  })

  it('changed while the daemon is locked unlocks it and runs what waited', async () => {
    const test = await locked()
    await test.call('passphrase.change', { present: PASSPHRASE, passphrase: 'two' })
    expect(await told(test)).toStrictEqual([{ locked: false, cause: 'unlock' }])
    await test.call('device.rename', { device: 'laptop', name: 'desk' })
  })

  it('set twice at once is set once, because the second call did not give the first one', async () => {
    const test = await TestKeeper.withPersona()
    const outcomes = await Promise.allSettled([
      test.call('passphrase.set', { passphrase: 'one' }),
      test.call('passphrase.set', { passphrase: 'two' }),
    ])
    const failed = outcomes.filter((outcome) => outcome.status === 'rejected')
    expect(failed).toMatchObject([{ reason: { code: 'PASSPHRASE_SET' } }])
    const next = await test.reopened()
    const opens = []
    for (const passphrase of ['one', 'two']) opens.push(await codeOf(next, 'persona.unlock', { passphrase }))
    expect(opens.filter((code) => code === 'done')).not.toStrictEqual([])
  })

  it('that is unusable is refused and leaves the files unchanged', async () => {
    const test = await TestKeeper.withPersona()
    await expect(test.call('passphrase.set', { passphrase: '\u0378' })).rejects.toMatchObject({
      code: 'SEAL_PASSPHRASE_UNUSABLE',
    })
    expect((await (await test.reopened()).call('status')).locked).toBe(false)
  })
})
