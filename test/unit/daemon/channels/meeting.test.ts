/** Meeting by an invite when things go wrong: two guests, links without their secret, daemons that are away, invites that end. */
import { describe, expect, it } from 'vitest'
import { appCaller, ChannelDaemon, openChannel, OWNER, settle } from '../../../support/channel-daemon.ts'
import { codeOf } from '../../../support/code-of.ts'
import { MemoryPost } from '../../../support/memory-carrier.ts'

const PAGE = 'https://app.example/'
const HOUR_MS = 3_600_000

async function three(): Promise<{ post: MemoryPost; host: ChannelDaemon; bob: ChannelDaemon; eve: ChannelDaemon }> {
  const post = new MemoryPost()
  const [host, bob, eve] = await Promise.all([1, 2, 3].map(() => ChannelDaemon.open(post)))
  return { post, host: host!, bob: bob!, eve: eve! }
}

async function onlyChannel(daemon: ChannelDaemon) {
  const { channels } = await daemon.call('channel.list', {})
  expect(channels).toHaveLength(1)
  return channels[0]!
}

describe('an invite that two people use', () => {
  it('goes to the first, and both the host and the second are told', async () => {
    const { post, host, bob, eve } = await three()
    const { invite } = await host.call('channel.invite', { name: 'Bob' })
    post.isAway = true
    // Both have written before the host reads.
    await bob.call('channel.accept', { invite })
    await eve.call('channel.accept', { invite })
    await settle(post, bob, eve)
    post.isAway = false
    await host.runner.close()
    for (const each of [bob, eve]) each.later(HOUR_MS)
    await settle(post, bob, eve)
    const again = await host.restarted()
    await settle(post, again, bob, eve)
    expect(again.test.told('channel.alarm')).toMatchObject([{ code: 'INVITE_TWICE' }])
    const [ofBob, ofEve] = [await onlyChannel(bob), await onlyChannel(eve)]
    expect([ofBob.state, ofEve.state].toSorted()).toEqual(['open', 'waiting'])
    const loser = ofBob.state === 'waiting' ? bob : eve
    expect(loser.test.told('channel.alarm')).toMatchObject([{ code: 'INTERCEPTED' }])
    expect((await onlyChannel(loser)).reason).toBe('INTERCEPTED')
    expect(await onlyChannel(again)).toMatchObject({ state: 'open' })
  })
})

describe('an invite that one device uses twice', () => {
  it('is refused the second time, before and after the channel is open, also after a restart', async () => {
    const { post, host, bob } = await three()
    const { invite } = await host.call('channel.invite', { name: 'Bob' })
    await bob.call('channel.accept', { invite, name: 'Ann' })
    expect(await codeOf(bob.call('channel.accept', { invite }))).toBe('INVITE_USED')
    await settle(post, host, bob)
    const again = await bob.restarted()
    await settle(post, host, again)
    await expect(again.call('channel.accept', { invite })).rejects.toMatchObject({
      code: 'INVITE_USED',
      details: { channel: 'Ann' },
    })
    expect(await onlyChannel(again)).toMatchObject({ state: 'open' })
    expect(host.test.told('channel.alarm')).toEqual([])
  })

  it('may be used whole after its link without the secret', async () => {
    const { post, host, bob } = await three()
    const { link } = await host.call('channel.invite', { name: 'Bob', page: PAGE })
    await bob.call('channel.accept', { invite: link!.split('#')[0]! })
    await bob.call('channel.accept', { invite: link! })
    await settle(post, host, bob)
    const { channels } = await bob.call('channel.list', {})
    expect(channels.map(({ state }) => state)).toContain('open')
  })
})

describe('a link that lost its fragment', () => {
  it('gives a channel that is held until the owner has compared the words', async () => {
    const { post, host, bob } = await three()
    const { link } = await host.call('channel.invite', { name: 'Bob', page: PAGE })
    const { id: bobId } = await bob.call('channel.accept', { invite: link!.split('#')[0]! })
    await settle(post, host, bob)
    const { id, state, words } = await onlyChannel(host)
    expect(state).toBe('held')
    await bob.call('channel.send', { id: bobId, text: 'who am I?' })
    await settle(post, host, bob)
    expect(await host.texts(id)).toEqual([])
    expect(await codeOf(host.call('channel.verify', { id, words: ['a', 'b', 'c', 'd'] }))).toBe('WORDS_DIFFER')
    expect(await host.call('channel.verify', { id, words: words! })).toEqual({ words: null, verified: true })
    await settle(post, host, bob)
    expect(await onlyChannel(host)).toMatchObject({ state: 'open', verified: true, words: null })
    expect(await host.texts(id)).toEqual(['who am I?'])
    expect((await host.call('channel.list', {})).invites).toEqual([])
  })

  it('never beats a guest who has the whole link', async () => {
    const { post, host, bob, eve } = await three()
    const { invite, link } = await host.call('channel.invite', { page: PAGE })
    await eve.call('channel.accept', { invite: link!.split('#')[0]! })
    await settle(post, host, eve)
    expect(await onlyChannel(host)).toMatchObject({ state: 'held' })
    const { id } = await bob.call('channel.accept', { invite })
    await settle(post, host, bob, eve)
    expect(await onlyChannel(host)).toMatchObject({ state: 'open' })
    expect(await bob.call('channel.show', { id })).toMatchObject({ state: 'open' })
    expect(host.test.told('channel.changed').filter(({ reason }) => reason === 'OTHER_GUEST')).toHaveLength(1)
  })
})

describe('an invite', () => {
  it('still opens when the host was away for 25 hours', async () => {
    const { post, host, bob } = await three()
    const { invite } = await host.call('channel.invite', {})
    await host.runner.close()
    const { id } = await bob.call('channel.accept', { invite })
    await settle(post, bob)
    host.test.later(25 * 3600)
    bob.later(25 * HOUR_MS)
    await settle(post, bob)
    const back = await host.restarted()
    await settle(post, back, bob)
    expect(await bob.call('channel.show', { id })).toMatchObject({ state: 'open' })
  })

  it('ends after its time at both sides, and no key of it stays', async () => {
    const { post, host, bob } = await three()
    const { invite, id } = await host.call('channel.invite', { expiresSec: 3600 })
    post.isAway = true
    const { id: joinId } = await bob.call('channel.accept', { invite })
    await settle(post, host, bob)
    for (const each of [host, bob]) each.later(HOUR_MS)
    await settle(post, host, bob)
    expect((await host.call('channel.list', {})).invites).toEqual([])
    expect(await codeOf(host.call('channel.close', { id }))).toBe('CHANNEL_UNKNOWN')
    expect(await bob.call('channel.show', { id: joinId })).toMatchObject({ state: 'gone', reason: 'EXPIRED' })
    expect(await codeOf(bob.call('channel.accept', { invite }))).toBe('INVITE_EXPIRED')
  })

  it('can be withdrawn, and takes nobody after that', async () => {
    const { post, host, bob } = await three()
    const { invite, id } = await host.call('channel.invite', {})
    await host.call('channel.close', { id })
    await bob.call('channel.accept', { invite })
    await settle(post, host, bob)
    expect((await host.call('channel.list', {})).channels).toEqual([])
  })

  it('is refused to the twenty-first of an app, and to an app without a name', async () => {
    const { host } = await three()
    const chat = appCaller('chat')
    for (let i = 0; i < 20; i++) await host.call('channel.invite', {}, chat)
    expect(await codeOf(host.call('channel.invite', {}, chat))).toBe('INVITES_FULL')
    expect(await host.call('channel.invite', {}, appCaller('other'))).toMatchObject({ app: 'other' })
    expect(await codeOf(host.call('channel.invite', {}, appCaller(null)))).toBe('CHANNEL_APP')
    expect(await codeOf(host.call('channel.invite', {}, appCaller('bot#2')))).toBe('CHANNEL_APP')
  })
})

describe('an app', () => {
  it('sees and uses only channels of its own name', async () => {
    const post = new MemoryPost()
    const [host, guest] = [await ChannelDaemon.open(post), await ChannelDaemon.open(post)]
    const { hostId: id } = await openChannel(post, host, guest)
    const other = appCaller('other')
    expect(await host.call('channel.list', {}, other)).toEqual({ channels: [], invites: [], next: null })
    expect(await codeOf(host.call('channel.list', { app: 'chat' }, other))).toBe('CHANNEL_APP')
    for (const call of [
      host.call('channel.show', { id }, other),
      host.call('channel.send', { id, text: 'x' }, other),
      host.call('channel.read', { id, after: 0 }, other),
      host.call('channel.ack', { id, upTo: 0 }, other),
      host.call('channel.verify', { id }, other),
      host.call('channel.close', { id }, other),
    ])
      expect(await codeOf(call)).toBe('CHANNEL_UNKNOWN')
    expect(await host.call('channel.send', { id, text: 'x' }, appCaller('chat'))).toEqual({ number: 1 })
    expect(await host.call('channel.rename', { id, name: 'Robert' }, OWNER)).toMatchObject({ name: 'Robert' })
  })
})
