import { describe, expect, it } from 'vitest'
import { contentCost, flush, submit, submitControl } from '../../../src/channel/exchange/send.ts'
import { taken } from '../../../src/channel/exchange/life.ts'
import { repeatNow, tick } from '../../../src/channel/exchange/repeat.ts'
import { MAX_OUTBOX_BYTES, MAX_UNREAD_BYTES, WINDOW } from '../../../src/channel/exchange/channel.ts'
import { receive } from '../../../src/channel/exchange/receive.ts'
import { FRAME_BYTES } from '../../../src/channel/ratchet/frame.ts'
import { MAX_CONTENT_BYTES, MAX_CONTROL_BYTES } from '../../../src/channel/ratchet/body.ts'
import { decodeUtf8, encodeUtf8 } from '../../../src/core/encoding/bytes.ts'
import { Pair, seededEngine } from '../../support/channel-ends.ts'
import { sodium } from '../../support/made-persona.ts'

const pair = (): Pair => new Pair(seededEngine(sodium, 'exchange'))
const sizes = (posted: readonly Uint8Array[]): number[] => posted.map((data) => data.length - 1)
const texts = (contents: readonly Uint8Array[]): string[] => contents.map((each) => new TextDecoder().decode(each))

describe('contents', () => {
  it('are read once, in order, in both directions', () => {
    const ends = pair()
    for (let i = 0; i < 20; i++) {
      ends.send(i % 3 === 0 ? ends.host : ends.guest, `content ${i}`)
      if (i % 4 === 0) ends.exchange()
    }
    ends.exchange()
    expect(texts(ends.guest.contents())).toEqual([0, 3, 6, 9, 12, 15, 18].map((i) => `content ${i}`))
    expect(texts(ends.host.contents())).toHaveLength(13)
    expect([ends.host.channel.window, ends.guest.channel.outbox, ends.host.channel.refused]).toEqual([[], [], 0])
  })

  it.each([
    [0, 256],
    [118 - 3, 256],
    [118 - 2, 880],
    [742 - 3, 880],
    [742 - 2, 4096],
    [3958 - 3, 4096],
    [3958 - 2, 12_000],
    [11_862 - 3, 12_000],
  ])('of %i bytes take a frame of %i', (length, frame) => {
    const ends = pair()
    ends.send(ends.guest, new Uint8Array(length).fill(7))
    expect(sizes(ends.guest.takePosted())).toEqual([frame])
    expect(FRAME_BYTES).toContain(frame)
  })

  it('that are larger than a frame are announced, and cut', () => {
    const ends = pair()
    const large = new Uint8Array(11_862 - 2).map((_, i) => i)
    ends.send(ends.guest, large, 'next')
    const posted = ends.guest.takePosted()
    expect(sizes(posted)).toEqual([12_000, 256])
    ends.bring(ends.host, posted[0]!)
    expect(ends.host.events).toEqual([{ event: 'announced', number: 1, totalBytes: 11_860 }])
    ends.bring(ends.host, posted[1]!)
    expect(ends.host.told()).toEqual(['announced', 'content', 'content'])
    expect(ends.host.contents()).toEqual([Buffer.from(large), Buffer.from('next')])
  })

  it('that wait share a frame, and controls go before them', () => {
    const ends = pair()
    for (let i = 0; i < 10; i++) ends.host.take(submit(ends.host.channel, encodeUtf8(`${i}`)))
    ends.host.take(submitControl(ends.host.channel, 9, new Uint8Array(MAX_CONTROL_BYTES)))
    ends.flush(ends.host)
    const posted = ends.host.takePosted()
    expect(sizes(posted)).toEqual([12_000])
    ends.bring(ends.guest, ...posted)
    expect(ends.guest.told()).toEqual(['control', ...Array.from({ length: 10 }, () => 'content')])
  })

  it('of the daemon take the place of those of their type that wait, as their sender says', () => {
    const ends = pair()
    const tell = (type: number, text: string, replaced: string): void => {
      const isOld = (waiting: Uint8Array): boolean => decodeUtf8(waiting) === replaced
      ends.host.take(submitControl(ends.host.channel, type, encodeUtf8(text), isOld))
    }
    tell(9, 'a', '')
    tell(8, 'a', '')
    tell(9, 'b', 'a')
    ends.flush(ends.host)
    tell(9, 'c', 'b')
    ends.flush(ends.host)
    ends.bring(ends.guest, ...ends.host.takePosted())
    const texts = ends.guest.events.map((each) => (each.event === 'control' ? decodeUtf8(each.bytes) : null))
    expect(texts).toEqual(['a', 'b', 'c'])
  })

  it('have a limit of 64 MiB, and control texts one of 11 000 bytes', () => {
    const { host } = pair()
    expect(() => submit(host.channel, new Uint8Array(MAX_CONTENT_BYTES + 1))).toThrow(/67108864/)
    expect(submit(host.channel, new Uint8Array(MAX_CONTENT_BYTES)).channel.outNumber).toBe(1)
    expect(() => submitControl(host.channel, 9, new Uint8Array(MAX_CONTROL_BYTES + 1))).toThrow(/11000/)
  })

  it('wait in an outbox of 16 MiB, whose end the app is told', () => {
    const ends = pair()
    const half = new Uint8Array(MAX_OUTBOX_BYTES / 2 - 256)
    ends.host.take(submit(ends.host.channel, half))
    ends.host.take(submit(ends.host.channel, half))
    expect(() => submit(ends.host.channel, new Uint8Array())).toThrow(expect.objectContaining({ code: 'OUTBOX_FULL' }))
    ends.flush(ends.host)
    ends.exchange()
    ends.guest.take(taken(ends.guest.channel, contentCost(half.length), ends.nowMs, ends.engine))
    ends.flush(ends.guest)
    ends.exchange()
    ends.host.take(submit(ends.host.channel, new Uint8Array()))
    expect(ends.host.channel.outNumber).toBe(3)
  })
})

describe('acks', () => {
  it('go alone when no frame carries them: 256 bytes, no number, no step, never repeated', () => {
    const ends = pair()
    const before = ends.host.channel
    ends.send(ends.guest, 'milk')
    ends.bring(ends.host, ...ends.guest.takePosted())
    ends.flush(ends.host)
    const [ack, ...more] = ends.host.takePosted()
    expect([sizes([ack!]), more]).toEqual([[256], []])
    expect([ends.host.channel.sent, ends.host.channel.window]).toEqual([before.sent, []])
    expect(ends.host.channel.keys!.ratchet.sendChain).toBeNull()
    ends.flush(ends.host)
    expect(tick(ends.host.channel, ends.nowMs + 3_600_000).posts).toEqual([])
    expect(ends.host.takePosted()).toEqual([])
    ends.bring(ends.guest, ack!)
    expect([ends.guest.channel.window, ends.guest.told()]).toEqual([[], ['delivered']])
  })

  it('open the window: at most 64 frames are in flight', () => {
    const ends = pair()
    const large = new Uint8Array(11_000 * 100)
    ends.send(ends.guest, large)
    const posted = ends.guest.takePosted()
    expect([posted.length, ends.guest.channel.window.length]).toEqual([WINDOW, WINDOW])
    ends.bring(ends.host, ...posted.slice(0, 10))
    ends.flush(ends.host)
    ends.bring(ends.guest, ...ends.host.takePosted())
    ends.flush(ends.guest)
    expect(ends.guest.takePosted()).toHaveLength(10)
  })

  it('are not given while the app takes nothing, beyond 8 MiB', () => {
    const ends = pair()
    const size = 1 << 20
    for (let i = 0; i < 12; i++) ends.send(ends.guest, new Uint8Array(size).fill(i))
    ends.exchange()
    expect(ends.host.told().filter((name) => name === 'content')).toHaveLength(8)
    expect(ends.host.channel.unreadBytes).toBe(8 * contentCost(size))
    expect(ends.host.channel.unreadBytes).toBeGreaterThan(MAX_UNREAD_BYTES)
    expect(ends.host.channel.early).toHaveLength(WINDOW)
    // Repeats of the peer change nothing, and are not answered.
    const { posts } = repeatNow(ends.guest.channel, ends.nowMs + 3_600_000, ends.engine)
    ends.bring(ends.host, ...posts)
    ends.flush(ends.host)
    expect([posts.length, ends.host.takePosted(), ends.host.channel.refused]).toEqual([WINDOW, [], 0])
    ends.host.take(taken(ends.host.channel, 8 * contentCost(size), ends.nowMs, ends.engine))
    ends.flush(ends.host)
    ends.exchange()
    expect(ends.host.contents()).toHaveLength(12)
  })

  it('count at once, also in a frame that the reader cannot take yet', () => {
    const ends = pair()
    ends.send(ends.host, 'a')
    ends.bring(ends.guest, ...ends.host.takePosted())
    ends.host.channel = { ...ends.host.channel, unreadBytes: MAX_UNREAD_BYTES + 1 }
    ends.send(ends.guest, 'b')
    ends.bring(ends.host, ...ends.guest.takePosted())
    expect([ends.host.channel.window, ends.host.contents(), ends.host.told()]).toEqual([[], [], ['delivered']])
  })
})

describe('frames', () => {
  it('that come early are kept sealed until their turn, up to 64', () => {
    const ends = pair()
    for (let i = 0; i < WINDOW; i++) ends.send(ends.guest, `${i}`)
    const posted = ends.guest.takePosted()
    ends.bring(ends.host, ...posted.slice(1).toReversed())
    expect([ends.host.contents(), ends.host.channel.early.length]).toEqual([[], WINDOW - 1])
    ends.host.restart()
    ends.bring(ends.host, posted[0]!)
    expect(texts(ends.host.contents())).toEqual(Array.from({ length: WINDOW }, (_, i) => `${i}`))
    expect([ends.host.channel.early, ends.host.disk.early.size, ends.host.channel.refused]).toEqual([[], 0, 0])
  })

  it('that are early by more than 64 are dropped', () => {
    const ends = pair()
    const [first, ...rest] = Array.from({ length: WINDOW + 1 }, (_, i) => {
      ends.send(ends.guest, `${i}`)
      ends.guest.channel = { ...ends.guest.channel, window: [] }
      return ends.guest.takePosted()[0]!
    })
    ends.bring(ends.host, ...rest)
    expect([ends.host.channel.early.length, ends.host.channel.refused]).toEqual([WINDOW - 1, 1])
    ends.bring(ends.host, first!)
    expect(ends.host.contents()).toHaveLength(WINDOW)
  })

  it('that come twice are taken once, and acknowledged again', () => {
    const ends = pair()
    ends.send(ends.guest, 'milk')
    const posted = ends.guest.takePosted()
    ends.bring(ends.host, ...posted, ...posted)
    ends.flush(ends.host)
    ends.host.takePosted()
    ends.bring(ends.host, ...posted)
    ends.flush(ends.host)
    expect([texts(ends.host.contents()), ends.host.takePosted().length]).toEqual([['milk'], 1])
  })

  it('are posted again after 50 minutes, with the same bytes', () => {
    const ends = pair()
    ends.send(ends.guest, 'milk')
    const posted = ends.guest.takePosted()
    const dueMs = ends.nowMs + 50 * 60_000
    expect(tick(ends.guest.channel, dueMs - 1).posts).toEqual([])
    const step = tick(ends.guest.channel, dueMs)
    expect(step.posts).toEqual(posted)
    expect(tick(step.channel, dueMs + 50 * 60_000 - 1).posts).toEqual([])
  })

  it('are posted again when an ack leaves them out 10 s after they were posted, and once for each 10 s', () => {
    const ends = pair()
    ends.send(ends.guest, 'a')
    ends.send(ends.guest, 'b')
    const [first, second] = ends.guest.takePosted()
    ends.bring(ends.host, first!)
    ends.flush(ends.host)
    const [ack] = ends.host.takePosted()
    expect(receive(ends.guest.channel, ack!, false, ends.nowMs + 9999, ends.engine).posts).toEqual([])
    const step = receive(ends.guest.channel, ack!, false, ends.nowMs + 10_000, ends.engine)
    expect(step.posts).toEqual([second])
    expect(receive(step.channel, ack!, false, ends.nowMs + 19_999, ends.engine).posts).toEqual([])
  })

  it('are posted again at once when the peer shows up, and after a start', () => {
    const ends = pair()
    ends.send(ends.guest, 'milk')
    const posted = ends.guest.takePosted()
    expect(repeatNow(ends.guest.channel, ends.nowMs + 9999, ends.engine).posts).toEqual([])
    expect(repeatNow(ends.guest.channel, ends.nowMs + 10_000, ends.engine).posts).toEqual(posted)
    ends.guest.restart()
    expect(tick(ends.guest.channel, ends.nowMs).posts).toEqual(posted)
  })

  it('of each kind with a flipped bit are refused and counted, and the channel lives', () => {
    const ends = pair()
    const kinds: Uint8Array[] = []
    for (const length of [1, 500, 3000, 9000]) {
      ends.send(ends.guest, new Uint8Array(length))
      kinds.push(...ends.guest.takePosted())
    }
    ends.bring(ends.host, kinds[0]!)
    const ack = flush({ ...ends.guest.channel, owesAck: true, phase: 'open' }, ends.nowMs, ends.engine).posts[0]!
    const next = [...kinds.slice(1), ack]
    let flips = 0
    for (const data of next) {
      const before = ends.host.channel
      for (let i = 0; i < 100; i++) {
        const bit = 8 + Math.floor(((data.length - 1) * 8 * i) / 100)
        const flipped = data.map((byte, at) => (at === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte))
        ends.bring(ends.host, flipped)
        flips++
      }
      expect([ends.host.channel.refused - before.refused, ends.host.channel.received]).toEqual([100, before.received])
      ends.bring(ends.host, data)
    }
    expect([flips, ends.host.channel.phase, ends.host.contents().map(({ length }) => length)]).toEqual([
      400,
      'open',
      [1, 500, 3000, 9000],
    ])
  })

  it('that were taken and come again with a flipped body are no second frame of their number', () => {
    const ends = pair()
    ends.send(ends.guest, 'milk')
    const [data] = ends.guest.takePosted()
    ends.bring(ends.host, data!, data!.with(200, data![200]! ^ 1), data!.with(30, data![30]! ^ 1))
    expect(ends.host.channel.phase).toBe('open')
    ends.send(ends.guest, 'bread')
    ends.exchange()
    expect(texts(ends.host.contents())).toEqual(['milk', 'bread'])
  })

  it('that came early with a flipped body are dropped in their turn, and the true ones taken when they come again', () => {
    const ends = pair()
    ends.send(ends.guest, 'a')
    ends.send(ends.guest, 'b')
    const [first, second] = ends.guest.takePosted()
    ends.bring(ends.host, second!.with(200, second![200]! ^ 1), second!, first!)
    expect([texts(ends.host.contents()), ends.host.channel.refused, ends.host.channel.early]).toEqual([['a'], 1, []])
    ends.bring(ends.host, second!)
    expect(texts(ends.host.contents())).toEqual(['a', 'b'])
  })
})

describe('the keys of a channel', () => {
  it('make a step at each change of direction, and none for an ack alone', () => {
    const ends = pair()
    const keys = new Set<string>()
    const roots: string[] = []
    for (const end of [ends.guest, ends.guest, ends.host, ends.guest, ends.host, ends.host]) {
      ends.send(end, 'x')
      ends.exchange()
      const { ownKey, root } = end.channel.keys!.ratchet
      keys.add(Buffer.from(ownKey).toString('hex'))
      roots.push(Buffer.from(root).toString('hex'))
    }
    // The first content of the guest goes on with the chain of M3.
    expect([keys.size, new Set(roots).size]).toEqual([4, 4])
  })

  it('leave the state once they are dead', () => {
    const ends = pair()
    const seen: Buffer[] = []
    for (let i = 0; i < 6; i++) {
      const from = i % 2 === 0 ? ends.host : ends.guest
      for (const end of [ends.host, ends.guest]) {
        const { root, sendChain, receiveChain, ownSecret } = end.channel.keys!.ratchet
        for (const key of [root, sendChain, receiveChain, ownSecret]) if (key !== null) seen.push(Buffer.from(key))
      }
      ends.send(from, 'x')
      ends.exchange()
    }
    ends.send(ends.host, 'x')
    ends.exchange()
    const live = [ends.host, ends.guest].map(({ disk }) => Buffer.from(disk.state))
    const current = [ends.host, ends.guest].flatMap(({ channel }) => Object.values(channel.keys!.ratchet))
    const old = seen.filter((key) => !current.some((each) => each instanceof Uint8Array && key.equals(each)))
    expect(old.length).toBeGreaterThan(20)
    expect(old.filter((key) => live.some((state) => state.includes(key)))).toEqual([])
  })
})
