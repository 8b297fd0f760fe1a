/** A hostile app: it calls as fast and as strangely as it can, and gets no more than its share. */
import { describe, expect, it } from 'vitest'
import { MAX_PIECE_BYTES } from '../../../../src/ipc/methods/app-params.ts'
import { PIECE } from '../../../../src/daemon/channels/records/kinds.ts'
import { checkCommit } from '../../../../src/store/store.ts'
import type { Caller } from '../../../../src/ipc/methods/method.ts'
import {
  appCaller,
  ChannelDaemon,
  openChannel,
  OWN_RELAY,
  settle,
  type TwoDaemons,
} from '../../../support/channel-daemon.ts'
import { codeOf } from '../../../support/code-of.ts'
import { MemoryPost } from '../../../support/memory-carrier.ts'

const APP = 'org.example.bad'

async function opened(): Promise<TwoDaemons & { readonly post: MemoryPost }> {
  const post = new MemoryPost()
  const [host, guest] = [await ChannelDaemon.open(post), await ChannelDaemon.open(post)]
  return { post, ...(await openChannel(post, host, guest)) }
}

function piece(bytes: number, fill = 1): string {
  return Buffer.alloc(bytes, fill).toString('base64')
}

async function uploadsOf(daemon: ChannelDaemon): Promise<Set<string>> {
  const names = new Set<string>()
  for await (const id of daemon.sealed.records.onDisk(PIECE).ids()) names.add(id.split('/')[1]!)
  return names
}

describe('64 contents of the greatest piece that come at once', () => {
  it('are all taken, in commits of 3 MiB at most: 2 of contents, and a window of frames', async () => {
    const { post, host, hostId } = await opened()
    post.isAway = true
    const before = host.test.store.commits.length
    const content = piece(MAX_PIECE_BYTES)
    const sends = Array.from({ length: 64 }, () => host.call('channel.send', { id: hostId, content }))
    expect((await Promise.all(sends)).map(({ number }) => number)).toEqual(Array.from({ length: 64 }, (_, i) => i + 1))
    const sizes = host.test.store.commits.slice(before).map(checkCommit)
    expect(Math.max(...sizes)).toBeGreaterThan(2 * 2 ** 20 - MAX_PIECE_BYTES)
    expect(Math.max(...sizes)).toBeLessThan(3 * 2 ** 20)
  })
})

describe('quotas', () => {
  it('hold for invites that are asked for at the same time', async () => {
    const daemon = await ChannelDaemon.open(new MemoryPost())
    const caller = appCaller(APP)
    const calls = Array.from({ length: 40 }, () => codeOf(daemon.call('channel.invite', {}, caller)))
    const refused = (await Promise.all(calls)).filter((code) => code === 'INVITES_FULL')
    expect(refused).toHaveLength(20)
    expect((await daemon.call('channel.list', {})).invites).toHaveLength(20)
  })

  it('hold for channels and open invites together, and leave other apps and the owner alone', async () => {
    const post = new MemoryPost()
    const [daemon, host] = [await ChannelDaemon.open(post), await ChannelDaemon.open(post)]
    const caller = appCaller(APP)
    const { link } = await host.call('channel.invite', { app: APP, page: 'https://app.example/' })
    // Without its secret an invite may be used again and again.
    const [invite] = link!.split('#') as [string]
    post.isAway = true
    await daemon.call('channel.invite', {}, caller)
    const accept = (): Promise<string> => codeOf(daemon.call('channel.accept', { invite }, caller))
    const codes = await Promise.all(Array.from({ length: 256 }, accept))
    expect(codes.filter((code) => code !== 'done')).toEqual(['CHANNELS_FULL'])
    expect(await codeOf(daemon.call('channel.invite', {}, caller))).toBe('CHANNELS_FULL')
    expect(await codeOf(daemon.call('channel.invite', {}, appCaller('org.example.other')))).toBe('done')
    expect(await codeOf(daemon.call('channel.invite', {}))).toBe('done')
    const [first] = (await daemon.call('channel.list', {}, caller)).channels
    await daemon.call('channel.close', { id: first!.id }, caller)
    expect(await accept()).toBe('done')
  })

  it('count the channels of the owner as those of an app of its own', async () => {
    const daemon = await ChannelDaemon.open(new MemoryPost())
    const calls = Array.from({ length: 21 }, () => codeOf(daemon.call('channel.invite', {})))
    expect((await Promise.all(calls)).filter((code) => code !== 'done')).toEqual(['INVITES_FULL'])
    expect(await codeOf(daemon.call('channel.invite', { app: APP }))).toBe('done')
  })

  it('leave one unfinished upload to an end, also of several that begin at the same time', async () => {
    const { host, hostId } = await opened()
    const total = 10 * MAX_PIECE_BYTES
    const content = piece(MAX_PIECE_BYTES)
    const calls = Array.from({ length: 5 }, (_, n) =>
      host.call('channel.send', { id: hostId, content, upload: `u${n}`, total, offset: 0 }),
    )
    await Promise.allSettled(calls)
    expect(await uploadsOf(host)).toHaveProperty('size', 1)
  })
})

describe('a way that an app names', () => {
  const ways = (over: string[], caller?: Caller): Promise<string[]> =>
    Promise.all(
      (['channel.invite', 'channel.accept'] as const).map(async (method) => {
        const post = new MemoryPost()
        const [daemon, host] = [await ChannelDaemon.open(post), await ChannelDaemon.open(post)]
        const { invite } = await host.call('channel.invite', { app: APP })
        const wish = { app: APP, over }
        return await codeOf(daemon.call(method, method === 'channel.invite' ? wish : { ...wish, invite }, caller))
      }),
    )

  it('is a relay of the owner, or it is refused: the daemon would call any host for the app', async () => {
    for (const foreign of [
      'https://127.0.0.1.nip.example/',
      `${OWN_RELAY}x`,
      'HTTPS://other.example',
      'relay:https://other.example',
      'http://router/',
    ])
      expect(await ways([OWN_RELAY, foreign], appCaller(APP)), foreign).toEqual(['RELAY_FOREIGN', 'RELAY_FOREIGN'])
    expect(await ways([OWN_RELAY], appCaller(APP))).toEqual(['done', 'done'])
    expect(await ways([OWN_RELAY.slice(0, -1), 'folder'], appCaller(APP))).toEqual(['done', 'done'])
  })

  it('is any relay for the owner', async () => {
    expect(await ways(['https://other.example/'])).toEqual(['done', 'done'])
  })
})

describe('an upload', () => {
  it('leaves no piece of a channel that is erased meanwhile', async () => {
    const { post, host, guest, hostId, guestId } = await opened()
    await guest.call('channel.close', { id: guestId })
    await settle(post, host, guest)
    const piece0 = { id: hostId, content: piece(MAX_PIECE_BYTES), upload: 'u', total: 10 * MAX_PIECE_BYTES, offset: 0 }
    const calls = Array.from({ length: 20 }, () => codeOf(host.call('channel.send', piece0)))
    expect(await host.call('channel.close', { id: hostId })).toEqual({ state: 'closed' })
    expect(await Promise.all(calls)).toContain('CHANNEL_UNKNOWN')
    expect(await uploadsOf(host)).toHaveProperty('size', 0)
  })

  it('never changes the pieces of a content that waits for the peer', async () => {
    const { post, host, guest, hostId, guestId } = await opened()
    post.isAway = true
    const total = MAX_PIECE_BYTES + 1
    const send = (offset: number, bytes: number, fill: number): Promise<{ number: number | null }> =>
      host.call('channel.send', { id: hostId, content: piece(bytes, fill), upload: 'u', total, offset })
    await send(0, MAX_PIECE_BYTES, 1)
    expect(await send(MAX_PIECE_BYTES, 1, 1)).toEqual({ number: 1 })
    // The daemon forgets the name of an upload after 64 others.
    for (let n = 0; n < 65; n++) await host.call('channel.send', { id: hostId, text: 'x', key: `k${n}` })
    expect(await codeOf(send(0, MAX_PIECE_BYTES, 2))).toBe('CONTENT_FORM')
    expect(await codeOf(send(MAX_PIECE_BYTES, 1, 2))).toBe('CONTENT_FORM')
    const restarted = await host.restarted()
    post.isAway = false
    await settle(post, restarted, guest)
    const { contents } = await guest.call('channel.read', { id: guestId, after: 0, limit: 1 })
    expect(new Set(Buffer.from(contents[0]!.content, 'base64'))).toEqual(new Set([1]))
  })
})
