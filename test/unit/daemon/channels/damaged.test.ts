/** A record of channels that cannot be read costs itself alone: it is named and counted, it can be closed, and all others work. */
import { beforeEach, describe, expect, it } from 'vitest'
import { channelFindings, channelsStatus } from '../../../../src/daemon/channels/findings.ts'
import { sealedKind } from '../../../../src/daemon/sealed/sealed-kind.ts'
import { ChannelDaemon, appCaller, openChannel, settle, type TwoDaemons } from '../../../support/channel-daemon.ts'
import { MemoryPost } from '../../../support/memory-carrier.ts'

const LATER = 99 // a version that this program does not know

let post: MemoryPost
let two: TwoDaemons

beforeEach(async () => {
  post = new MemoryPost()
  two = await openChannel(post, await ChannelDaemon.open(post), await ChannelDaemon.open(post))
})

/** Writes these bytes in place of a record. */
async function overwrite({ test, sealed }: ChannelDaemon, kind: string, id: string, bytes: number[]): Promise<void> {
  const raw = sealedKind<Uint8Array>(kind, { encode: (value) => value, decode: (value) => value.slice() })
  await test.keeper.change(() => sealed.records.inChange(raw).put(id, new Uint8Array(bytes)))
}

function doctor({ runner }: ChannelDaemon): unknown[] {
  return channelFindings(runner).map(({ code, about }) => [code, about?.['id'], about?.['reason']])
}

/** The old channel takes contents, and a new one opens. */
async function works(daemon: ChannelDaemon, channelId: string, other: ChannelDaemon): Promise<void> {
  const texts = (await other.call('channel.list', {})).channels.map(({ id }) => id)
  await daemon.call('channel.send', { id: channelId, text: 'goes on' })
  const { invite } = await daemon.call('channel.invite', {})
  const { id } = await other.call('channel.accept', { invite })
  await settle(post, daemon, other)
  expect((await other.call('channel.show', { id })).state).toBe('open')
  expect((await Promise.all(texts.map((each) => other.texts(each)))).flat()).toContain('goes on')
}

describe.each([
  { bytes: [1], reason: 'STATE_DAMAGED' },
  { bytes: [LATER], reason: 'STATE_VERSION' },
])('a record with $reason', ({ bytes, reason }) => {
  it('of an invite leaves channels and other invites at work, and the owner alone withdraws it', async () => {
    const { host, guest, hostId } = two
    const { id } = await host.call('channel.invite', {})
    await overwrite(host, 'channelinvite', id, bytes)
    const restarted = await host.restarted()
    expect(doctor(restarted)).toEqual([['CHANNEL_DAMAGED', id, reason]])
    expect(channelsStatus(restarted.runner)).toMatchObject({ invites: 0, open: 1, broken: 1 })
    await works(restarted, hostId, guest)
    await expect(restarted.call('channel.close', { id }, appCaller('chat'))).rejects.toMatchObject({
      code: 'CHANNEL_UNKNOWN',
    })
    expect(await restarted.call('channel.close', { id })).toEqual({ state: 'closed' })
    expect(doctor(restarted).flat()).not.toContain(id)
    expect(doctor(await restarted.restarted()).flat()).not.toContain(id)
  })

  it('of a guest that waits is shown as broken, and leaves all others at work', async () => {
    const { host, guest, guestId } = two
    post.isAway = true
    const { invite } = await host.call('channel.invite', {})
    const { id } = await guest.call('channel.accept', { invite })
    await overwrite(guest, 'channeljoin', id, bytes)
    post.isAway = false
    const restarted = await guest.restarted()
    expect(await restarted.call('channel.show', { id })).toMatchObject({ state: 'broken', reason })
    expect(doctor(restarted)).toEqual([['CHANNEL_DAMAGED', id, reason]])
    expect(channelsStatus(restarted.runner)).toMatchObject({ waiting: 0, open: 1, broken: 1 })
    await works(restarted, guestId, host)
    expect(await restarted.call('channel.close', { id })).toEqual({ state: 'closed' })
    expect(doctor(restarted).flat()).not.toContain(id)
  })

  it('of a channel is shown as broken, and leaves all others at work', async () => {
    const { host, guest, hostId } = two
    const { invite } = await host.call('channel.invite', {})
    await guest.call('channel.accept', { invite })
    await settle(post, host, guest)
    const { channels } = await host.call('channel.list', {})
    const { id } = channels.find((each) => each.id !== hostId)!
    await overwrite(host, 'channelend', id, bytes)
    const restarted = await host.restarted()
    expect(await restarted.call('channel.show', { id })).toMatchObject({ state: 'broken', reason })
    expect(doctor(restarted)).toEqual([['CHANNEL_DAMAGED', id, reason]])
    expect(channelsStatus(restarted.runner)).toMatchObject({ open: 1, broken: 1 })
    await works(restarted, hostId, guest)
    expect(await restarted.call('channel.close', { id })).toEqual({ state: 'closed' })
    expect(doctor(restarted).flat()).not.toContain(id)
  })
})
