/** Commits of an end: what must be on disk before it leaves, and what may wait for the next commit. */
import { expect, it } from 'vitest'
import { WINDOW } from '../../../../src/channel/exchange/channel.ts'
import { loadEnd } from '../../../../src/daemon/channels/ends/end-state.ts'
import { LATE_MS } from '../../../../src/daemon/channels/ends/kept-state.ts'
import { ChannelDaemon, openChannel, settle, type TwoDaemons } from '../../../support/channel-daemon.ts'
import { MemoryPost } from '../../../support/memory-carrier.ts'

async function opened(): Promise<TwoDaemons & { readonly post: MemoryPost }> {
  const post = new MemoryPost()
  const [host, guest] = [await ChannelDaemon.open(post), await ChannelDaemon.open(post)]
  return { post, ...(await openChannel(post, host, guest)) }
}

it('a frame for which an ack has made room is on disk before it leaves', async () => {
  const { post, host, guest, hostId, guestId } = await opened()
  post.isAway = true
  const texts = Array.from({ length: WINDOW + 3 }, (_, n) => `content ${n}`)
  for (const text of texts) await host.call('channel.send', { id: hostId, text })
  const onDisk = (): number => loadEnd(hostId, host.sealed.records)!.channel.sent
  const full = onDisk()
  const counts: number[] = []
  const url = (await guest.call('channel.show', { id: guestId })).carriers[0]!
  post.copies = () => {
    if (post.sent.at(-1)!.url === url) counts.push(onDisk())
    return 1
  }
  post.isAway = false
  for (const daemon of [host, guest]) daemon.later(LATE_MS)
  await settle(post, host, guest)
  expect(await guest.texts(guestId)).toEqual(texts)
  expect(onDisk()).toBe(full + 1)
  expect(counts.at(-1)).toBe(full + 1)
})

/** The state on the disk of the host while an ack of its only content waits for a commit. */
async function acknowledged(): Promise<TwoDaemons & { readonly inFlight: () => number }> {
  const { post, host, guest, hostId, ...rest } = await opened()
  await host.call('channel.send', { id: hostId, text: 'x' })
  await settle(post, host, guest)
  const inFlight = (): number => loadEnd(hostId, host.sealed.records)!.channel.window.length
  expect(inFlight()).toBe(1)
  return { host, guest, hostId, ...rest, inFlight }
}

it('a daemon that stops writes what waits for a commit', async () => {
  const { host, inFlight } = await acknowledged()
  await host.runner.close()
  expect(inFlight()).toBe(0)
})

it('an end leaves the memory only after what waits for a commit is written', async () => {
  const { host, hostId, inFlight } = await acknowledged()
  const end = host.runner.known.ends.get(hostId)!
  expect(end.unload()).toBe(false)
  await host.idle()
  expect(inFlight()).toBe(0)
  expect(end.unload()).toBe(true)
})

it('the ack of an upload is on disk at once, since its pieces may be replaced from then on', async () => {
  const { post, host, guest, hostId, guestId } = await opened()
  await host.call('channel.send', { id: hostId, content: 'AAAA', upload: 'u', total: 3, offset: 0 })
  await settle(post, host, guest)
  expect(await guest.texts(guestId)).toHaveLength(1)
  expect(loadEnd(hostId, host.sealed.records)!.channel.outbox).toEqual([])
})

it('an ack is told to the app before it is on disk', async () => {
  const { host, hostId } = await acknowledged()
  expect(host.test.told('channel.delivered')).toEqual([{ id: hostId, app: 'chat', upTo: 1 }])
})
