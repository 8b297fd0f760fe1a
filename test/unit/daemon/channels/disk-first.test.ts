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
