/** Two daemons with one invite: from the text to contents that are read once, in order, over restarts of either. */
import { describe, expect, it } from 'vitest'
import { loadEnd } from '../../../../src/daemon/channels/ends/end-state.ts'
import { LATE_MS } from '../../../../src/daemon/channels/ends/kept-state.ts'
import { ChannelDaemon, openChannel, settle, type TwoDaemons } from '../../../support/channel-daemon.ts'
import { codeOf } from '../../../support/code-of.ts'
import { MemoryPost } from '../../../support/memory-carrier.ts'

async function opened(): Promise<TwoDaemons & { readonly post: MemoryPost }> {
  const post = new MemoryPost()
  const [host, guest] = [await ChannelDaemon.open(post), await ChannelDaemon.open(post)]
  return { post, ...(await openChannel(post, host, guest)) }
}

describe('an invite', () => {
  it('opens a channel at both ends, with the same four words', async () => {
    const { host, guest, hostId, guestId } = await opened()
    const [atHost, atGuest] = [
      await host.call('channel.show', { id: hostId }),
      await guest.call('channel.show', { id: guestId }),
    ]
    expect(atHost).toMatchObject({ state: 'open', role: 'host', name: 'Bob', app: 'chat', verified: false })
    expect(atGuest).toMatchObject({ state: 'open', role: 'guest', name: 'Alice', app: 'chat', verified: false })
    expect(atHost.words).toHaveLength(4)
    expect(atGuest.words).toEqual(atHost.words)
    expect((await host.call('channel.list', {})).invites).toEqual([])
  })
})

describe('contents', () => {
  it('are read in order at the other end, and stay until the app has dealt with them', async () => {
    const { post, host, guest, hostId, guestId } = await opened()
    expect(await host.call('channel.send', { id: hostId, text: 'one' })).toEqual({ number: 1 })
    await Promise.all(['two', 'three'].map((text) => host.call('channel.send', { id: hostId, text })))
    await guest.call('channel.send', { id: guestId, text: 'eins' })
    await settle(post, host, guest)
    expect(await guest.texts(guestId)).toEqual(['one', 'two', 'three'])
    expect(await host.texts(hostId)).toEqual(['eins'])
    expect(await guest.call('channel.ack', { id: guestId, upTo: 2 })).toEqual({ unread: 1 })
    expect(await guest.texts(guestId)).toEqual(['three'])
    expect(await codeOf(guest.call('channel.ack', { id: guestId, upTo: 4 }))).toBe('CONTENT_UNREAD')
    expect(await host.call('channel.show', { id: hostId })).toMatchObject({ waiting: 0, received: 1, unread: 1 })
  })

  it('take one commit of their sender, and one of their receiver', async () => {
    const { post, host, guest, hostId } = await opened()
    const commitsBy = async (work: () => Promise<unknown>): Promise<number[]> => {
      const stores = [host, guest].map(({ test }) => test.store)
      const before = stores.map(({ commits }) => commits.length)
      await work()
      await settle(post, host, guest)
      return stores.map(({ commits }, i) => commits.length - before[i]!)
    }
    expect(await commitsBy(() => host.call('channel.send', { id: hostId, text: 'one' }))).toEqual([1, 1])
    const together = async (): Promise<unknown> =>
      await Promise.all(
        Array.from({ length: 16 }, (_, n) => host.call('channel.send', { id: hostId, text: `content ${n}` })),
      )
    expect(await commitsBy(together)).toEqual([1, 1])
    // The ack takes one of its own, if none of the sender has come meanwhile.
    const later = (): Promise<void> => Promise.resolve(host.later(LATE_MS))
    expect(await commitsBy(later)).toEqual([1, 0])
    expect(await commitsBy(later)).toEqual([0, 0])
    expect(loadEnd(hostId, host.sealed.records)!.channel).toMatchObject({ window: [], outbox: [] })
  })

  it('survive a restart of either daemon at any time', async () => {
    const { post, host, guest, hostId, guestId } = await opened()
    post.isAway = true
    await host.call('channel.send', { id: hostId, text: 'before' })
    const restarted = await host.restarted()
    post.isAway = false
    await settle(post, restarted, guest)
    const reread = await guest.restarted()
    await settle(post, restarted, reread)
    expect(await reread.texts(guestId)).toEqual(['before'])
    await reread.call('channel.send', { id: guestId, text: 'after' })
    await settle(post, restarted, reread)
    expect(await restarted.texts(hostId)).toEqual(['after'])
  })
})
