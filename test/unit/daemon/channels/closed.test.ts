/** Channels that are closed: they stay in the list for a month, and are bounded. */
import { describe, expect, it } from 'vitest'
import { boundClosed } from '../../../../src/daemon/channels/closed.ts'
import { LEFT_MS } from '../../../../src/daemon/channels/ends/summary.ts'
import { ChannelDaemon, openChannel, settle, type TwoDaemons } from '../../../support/channel-daemon.ts'
import { MemoryPost } from '../../../support/memory-carrier.ts'

type Pair = Pick<TwoDaemons, 'host' | 'guest'>

/** Two daemons, and the ids of channels at the guest that the host has closed, the oldest first. */
async function closed(count: number): Promise<Pair & { readonly post: MemoryPost; readonly ids: readonly string[] }> {
  const post = new MemoryPost()
  const [host, guest] = [await ChannelDaemon.open(post), await ChannelDaemon.open(post)]
  const ids: string[] = []
  while (ids.length < count) {
    const { invite } = await host.call('channel.invite', { name: `guest ${ids.length}` })
    const { id } = await guest.call('channel.accept', { invite, name: 'Alice' })
    await settle(post, host, guest)
    const open = (await host.call('channel.list', {})).channels.find(({ state }) => state === 'open')!
    await host.call('channel.send', { id: open.id, text: 'bye' })
    await host.call('channel.close', { id: open.id })
    await settle(post, host, guest)
    ids.push(id)
    guest.later(1000)
    await settle(post, host, guest)
  }
  return { post, host, guest, ids }
}

async function idsOf(guest: ChannelDaemon): Promise<string[]> {
  return (await guest.call('channel.list', {})).channels.map(({ id }) => id)
}

/** Records on disk that name a channel. */
async function recordsOf({ test }: ChannelDaemon, id: string): Promise<number> {
  let count = 0
  for await (const [key] of test.keeper.onDisk.sealed.iterate({ prefix: 'channel' })) if (key.includes(id)) count++
  return count
}

describe('a closed channel', () => {
  it('stays in the list for 31 days with its last contents, and then goes with all its records and places', async () => {
    const { post, host, guest, ids } = await closed(1)
    const id = ids[0]!
    guest.later(LEFT_MS - 10_000)
    await settle(post, host, guest)
    expect(await guest.call('channel.show', { id })).toMatchObject({ state: 'closed', unread: 1 })
    expect(await guest.texts(id)).toEqual(['bye'])
    const [place] = (await guest.call('channel.show', { id })).carriers
    expect(post.boxes.has(place!)).toBe(true)
    expect(await recordsOf(guest, id)).toBeGreaterThan(0)
    guest.later(10_000)
    await settle(post, host, guest)
    expect(await idsOf(guest)).toEqual([])
    expect(await recordsOf(guest, id)).toBe(0)
    expect(post.boxes.has(place!)).toBe(false)
  })

  it('that the owner takes out of the list goes with its contents, and its places once peers know', async () => {
    const { post, host, guest, ids } = await closed(1)
    const id = ids[0]!
    const [place] = (await guest.call('channel.show', { id })).carriers
    expect(await guest.call('channel.close', { id })).toEqual({ state: 'closed' })
    expect(await idsOf(guest)).toEqual([])
    expect(await recordsOf(guest, id)).toBe(1)
    const again = await guest.restarted()
    expect(await idsOf(again)).toEqual([])
    expect(post.boxes.get(place!)).toMatchObject({ isRetired: true })
    again.later(LEFT_MS)
    await settle(post, host, again)
    expect(await recordsOf(again, id)).toBe(0)
    expect(post.boxes.has(place!)).toBe(false)
  })

  it('goes in the same way where it was broken, or its peer had left', async () => {
    const post = new MemoryPost()
    const [host, guest] = [await ChannelDaemon.open(post), await ChannelDaemon.open(post)]
    const { hostId, guestId } = await openChannel(post, host, guest)
    const [place] = (await guest.call('channel.show', { id: guestId })).carriers
    const end = (await guest.runner.work()).ends.get(guestId)!
    await end.breakRestored()
    expect(await guest.call('channel.show', { id: guestId })).toMatchObject({ state: 'broken' })
    await settle(post, host, guest)
    expect(await host.call('channel.show', { id: hostId })).toMatchObject({ state: 'broken', reason: 'PEER' })
    await guest.call('channel.close', { id: guestId })
    guest.later(0)
    await settle(post, host, guest)
    expect([await idsOf(guest), post.boxes.get(place!)?.isRetired]).toEqual([[], true])
    guest.later(LEFT_MS)
    await settle(post, host, guest)
    expect([await recordsOf(guest, guestId), post.boxes.has(place!)]).toEqual([0, false])
  })

  it('goes at the next start if its time was over while the daemon was off', async () => {
    const { post, host, guest } = await closed(1)
    guest.test.later(LEFT_MS / 1000)
    const again = await guest.restarted()
    await settle(post, host, again)
    expect(await idsOf(again)).toEqual([])
  })
})

describe('the closed channels of an app', () => {
  it('are bounded: the one that closed first goes first, and open ones and those of other apps stay', async () => {
    const { post, host, guest, ids } = await closed(3)
    const { guestId } = await openChannel(post, host, guest)
    const { ends } = await guest.runner.work()
    await boundClosed('other', ends, guest.runner.means, 2)
    await boundClosed('chat', ends, guest.runner.means, 3)
    expect(new Set(await idsOf(guest))).toEqual(new Set([...ids, guestId]))
    await boundClosed('chat', ends, guest.runner.means, 2)
    expect(new Set(await idsOf(guest))).toEqual(new Set([...ids.slice(1), guestId]))
    expect(await recordsOf(guest, ids[0]!)).toBe(0)
  })
})
