/** A channel costs the same, however old it is. */
import { expect, it } from 'vitest'
import { formatFolderUrl, newDigits } from '../../../../src/daemon/channels/carriers/folder-names.ts'
import type { Intake } from '../../../../src/channel/invite/address.ts'
import type { OwnIntake, OwnPlace, Watch } from '../../../../src/channel/carriers/carrier.ts'
import type { End } from '../../../../src/daemon/channels/ends/end.ts'
import { loadEnd, type EndState } from '../../../../src/daemon/channels/ends/end-state.ts'
import type { Means } from '../../../../src/daemon/channels/ends/means.ts'
import { leavePlaces } from '../../../../src/daemon/channels/ends/places.ts'
import { Turn } from '../../../../src/daemon/channels/ends/turn.ts'
import { ChannelDaemon, openChannel, settle } from '../../../support/channel-daemon.ts'
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

it('the state of a channel keeps nothing of places that it left long ago', async () => {
  const post = new MemoryPost()
  const [host, guest] = [await ChannelDaemon.open(post), await ChannelDaemon.open(post)]
  const { hostId, guestId } = await openChannel(post, host, guest)
  const stateAfter = async (moves: number): Promise<{ places: number; cursors: number }> => {
    for (let n = 0; n < moves; n++) {
      for (const daemon of [host, guest]) daemon.later(7 * DAY_MS)
      await settle(post, host, guest)
      await guest.call('channel.send', { id: guestId, text: 'x' })
      await settle(post, host, guest)
    }
    const { left, cursors } = loadEnd(hostId, host.sealed.records)!
    return { places: left.length, cursors: cursors.size }
  }
  const early = await stateAfter(8)
  expect(early.places).toBeGreaterThan(0)
  expect(await stateAfter(8)).toEqual(early)
})

it('an end that moves faster than places are forgotten keeps the last few', async () => {
  const url = 'https://relay.example/'
  const placeOf = (n: number): OwnPlace => {
    const pub = new Uint8Array(32).fill(n)
    return { address: { pub, where: [{ url, ext: null }] }, secret: pub }
  }
  const left = Array.from({ length: 40 }, (_, n) => ({ place: placeOf(n), atSec: 0, isRetired: true }))
  let state = { left, cursors: new Map(), channel: { phase: 'open' } } as unknown as EndState
  const run = (work: (turn: Turn) => void): Promise<void> => {
    const turn = new Turn(state, 0)
    work(turn)
    state = turn.state
    return Promise.resolve()
  }
  const end = { summary: { line: { own: [] } }, run } as unknown as End
  const forgotten: number[] = []
  const carrier = {
    forget: ({ place }: OwnIntake) => Promise.resolve(void forgotten.push((place as OwnPlace).secret[0]!)),
  }
  await leavePlaces(end, state, { ways: { of: () => carrier }, nowMs: 0 } as unknown as Means)
  expect(forgotten).toEqual(Array.from({ length: 32 }, (_, n) => n))
  expect(state.left.map(({ place }) => place.secret[0])).toEqual([32, 33, 34, 35, 36, 37, 38, 39])
})

it('the carriers hear once of lines that change together', async () => {
  let changes = 0
  class Counting extends MemoryCarrier {
    override watch(...args: Parameters<MemoryCarrier['watch']>): Watch {
      const watch = super.watch(...args)
      const changed = (): void => {
        changes++
        watch.changed()
      }
      return { changed }
    }
  }
  const { runner } = await ChannelDaemon.open(new Counting(new MemoryPost()))
  await runner.idle()
  changes = 0
  for (let n = 0; n < 10; n++) runner.means.linesChanged()
  expect(changes).toBe(0)
  await runner.idle()
  expect(changes).toBe(1)
})
