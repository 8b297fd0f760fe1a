/** A channel that has nothing to do costs nothing, however old it is. */
import { expect, it } from 'vitest'
import { formatFolderUrl, newDigits } from '../../../../src/daemon/channels/carriers/folder-names.ts'
import type { Intake } from '../../../../src/channel/invite/address.ts'
import { ChannelDaemon, openChannel } from '../../../support/channel-daemon.ts'
import { MemoryCarrier, MemoryPost } from '../../../support/memory-carrier.ts'

const DAY_MS = 86_400_000

/** The post in memory, with the addresses of a folder, which has no boxes to move to. */
class FolderInMemory extends MemoryCarrier {
  override serves(url: string): boolean {
    return url.startsWith('folder:')
  }

  override open(): Promise<Intake> {
    const url = formatFolderUrl(newDigits())
    this.post.boxes.set(url, { data: [], isRetired: false })
    return Promise.resolve({ url, ext: null })
  }
}

it('over a folder, a channel that would be due to move to new boxes does not ask again and again', async () => {
  const post = new MemoryPost()
  const [host, guest] = [
    await ChannelDaemon.open(new FolderInMemory(post)),
    await ChannelDaemon.open(new FolderInMemory(post)),
  ]
  await openChannel(post, host, guest)
  host.later(8 * DAY_MS)
  await host.idle()
  host.clock.turn(0)
  await host.idle()
  expect(host.clock.waits.filter((ms) => ms === 0)).toEqual([])
})
