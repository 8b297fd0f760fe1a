import { describe, expect, it } from 'vitest'
import { parseConnectoids } from '../../../src/channel/invite/address.ts'
import {
  close,
  hold,
  isMoveDue,
  markBroken,
  moveTo,
  peerRetired,
  release,
  wordsCompared,
} from '../../../src/channel/exchange/life.ts'
import { repeatNow, tick } from '../../../src/channel/exchange/repeat.ts'
import { receive } from '../../../src/channel/exchange/receive.ts'
import { submit } from '../../../src/channel/exchange/send.ts'
import { KEPT_TAG_BYTES, WINDOW } from '../../../src/channel/exchange/channel.ts'
import { formatChannel, parseChannel } from '../../../src/channel/exchange/state.ts'
import type { ChannelEngine } from '../../../src/channel/ratchet/engine.ts'
import { connectoidOf, loaded, Pair, seededEngine, type End } from '../../support/channel-ends.ts'
import { sodium } from '../../support/made-persona.ts'
import { concatBytes, u32be } from '../../../src/core/encoding/bytes.ts'
import { TAG_BYTES } from '../../../src/channel/ratchet/frame.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const MONTH_MS = 30 * DAY_MS
const pair = (engine: ChannelEngine = seededEngine(sodium, 'life')): Pair => new Pair(engine)
const texts = (contents: readonly Uint8Array[]): string[] => contents.map((each) => new TextDecoder().decode(each))
const reasons = (ends: Pair): (string | null)[] => [ends.host, ends.guest].map(({ channel }) => channel.brokenBecause)
const newAddress = (name: string): readonly string[] => [connectoidOf(sodium, name)]

/** An end as it was, with what is on its disk now or then. */
function putBack(end: End, disk: End['disk']): void {
  end.disk = disk
  end.channel = loaded(disk)
}

/** Counts the seals with a key and nonce that were used before. */
function watched(seed: string): {
  readonly engine: ChannelEngine
  readonly twice: () => number
  readonly seals: () => number
} {
  const engine = seededEngine(sodium, seed)
  const used = new Set<string>()
  let [seals, twice] = [0, 0]
  return {
    seals: () => seals,
    twice: () => twice,
    engine: {
      ...engine,
      sealBox: (message, nonce, key, ...before) => {
        const name = Buffer.concat([key, nonce]).toString('hex')
        seals++
        if (used.has(name)) twice++
        used.add(name)
        return engine.sealBox(message, nonce, key, ...before)
      },
    },
  }
}

describe('an old state that is put back', () => {
  it('uses no key and nonce twice, and both sides say broken, after it sends', () => {
    const { engine, twice, seals } = watched('old')
    const ends = pair(engine)
    ends.send(ends.guest, 'a')
    ends.exchange()
    const old = ends.guest.disk
    ends.send(ends.guest, 'b')
    ends.exchange()
    putBack(ends.guest, old)
    ends.send(ends.guest, 'c')
    ends.exchange()
    expect(reasons(ends)).toEqual(['NUMBER_TWICE', 'PEER'])
    expect([texts(ends.host.contents()), twice()]).toEqual([['a', 'b'], 0])
    expect(seals()).toBeGreaterThan(8)
  })

  it('is found by its peer, who has acknowledged more than it knows of', () => {
    const { engine, twice } = watched('ahead')
    const ends = pair(engine)
    const old = ends.guest.disk
    for (let i = 0; i < 100; i++) {
      ends.send(ends.guest, `${i}`)
      ends.exchange()
    }
    putBack(ends.guest, old)
    ends.send(ends.guest, 'c')
    ends.exchange()
    expect(reasons(ends)).toEqual(['PEER', 'ACK_AHEAD'])
    expect(twice()).toBe(0)
  })

  it('is found at once when a frame is far ahead', () => {
    const ends = pair()
    const old = ends.guest.disk
    for (let i = 0; i < 70; i++) {
      ends.send(i % 2 === 0 ? ends.guest : ends.host, `${i}`)
      ends.exchange()
    }
    putBack(ends.guest, old)
    ends.send(ends.host, 'x')
    ends.bring(ends.guest, ...ends.host.takePosted())
    expect(ends.guest.channel.brokenBecause).toBe('ACK_AHEAD')
  })

  it('that only missed what it had read is broken after a day of frames that do not open', () => {
    const { engine, twice } = watched('missed')
    const ends = pair(engine)
    const old = ends.guest.disk
    ends.send(ends.host, 'a')
    ends.exchange()
    putBack(ends.guest, old)
    ends.send(ends.host, 'b')
    for (let hours = 0; hours < 24; hours++) {
      ends.exchange()
      expect(reasons(ends)).toEqual([null, null])
      ends.nowMs += HOUR_MS
      ends.host.take(repeatNow(ends.host.channel, ends.nowMs, engine))
    }
    ends.exchange()
    expect(reasons(ends)).toEqual(['PEER', 'CLOSED_BODIES'])
    expect(twice()).toBe(0)
  })
})

describe('a broken channel', () => {
  it('is not made by an early frame that comes again after two days of silence', () => {
    const ends = pair()
    ends.send(ends.guest, 'a')
    ends.send(ends.guest, 'b')
    const [first, second] = ends.guest.takePosted()
    ends.bring(ends.host, second!)
    ends.nowMs += 2 * DAY_MS
    ends.bring(ends.host, second!, first!)
    expect([reasons(ends), texts(ends.host.contents())]).toEqual([
      [null, null],
      ['a', 'b'],
    ])
  })

  it('is made by another early frame with a number that is kept', () => {
    const ends = pair()
    ends.send(ends.guest, 'a')
    const old = ends.guest.disk
    ends.send(ends.guest, 'b')
    const [, second] = ends.guest.takePosted()
    putBack(ends.guest, old)
    ends.send(ends.guest, 'c')
    ends.bring(ends.host, second!, ...ends.guest.takePosted())
    expect(ends.host.channel.brokenBecause).toBe('NUMBER_TWICE')
  })

  it('keeps no key of the ratchet, takes no content, and says so once a minute', () => {
    const ends = pair()
    ends.send(ends.host, 'a')
    ends.host.take(markBroken(ends.host.channel, 'RESTORED', ends.nowMs, ends.engine))
    expect([ends.host.channel.keys, ends.host.told()]).toEqual([null, ['broken']])
    expect([tick(ends.host.channel, ends.nowMs + DAY_MS).posts, ends.host.disk.frames.size]).toEqual([[], 0])
    const [frame, notice] = ends.host.takePosted()
    expect(notice!.length).toBe(257)
    expect(() => submit(ends.host.channel, new Uint8Array())).toThrow(
      expect.objectContaining({ code: 'CHANNEL_NOT_OPEN' }),
    )
    ends.send(ends.guest, 'b')
    const [posted] = ends.guest.takePosted()
    ends.bring(ends.host, posted!)
    expect(ends.host.takePosted()).toEqual([])
    ends.nowMs += 60_000
    ends.bring(ends.host, posted!, posted!)
    const [again, ...more] = ends.host.takePosted()
    expect([again!.length, more]).toEqual([257, []])
    // A notice with a flipped bit is refused; it may come again, and before the frames.
    for (let bit = 8; bit < 257 * 8; bit += 20) {
      ends.bring(
        ends.guest,
        again!.map((byte, at) => (at === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte)),
      )
    }
    expect([ends.guest.channel.refused, ends.guest.channel.phase]).toEqual([103, 'open'])
    ends.bring(ends.guest, again!, notice!, frame!)
    expect(ends.guest.channel.brokenBecause).toBe('PEER')
    expect(ends.guest.told().filter((name) => name !== 'refused')).toEqual(['broken'])
    expect(ends.guest.disk.contents.size).toBe(1) // 'b' is sealed anew in a new channel
  })
})

describe('a move', () => {
  it('is due after 7 days or 1000 frames, and not while another waits', () => {
    const { host, nowMs } = pair()
    expect([isMoveDue(host.channel, nowMs + 7 * DAY_MS - 1), isMoveDue(host.channel, nowMs + 7 * DAY_MS)]).toEqual([
      false,
      true,
    ])
    expect([999, 1000].map((received) => isMoveDue({ ...host.channel, received }, nowMs))).toEqual([false, true])
    const step = moveTo(host.channel, parseConnectoids(newAddress('new')))
    expect(isMoveDue(step.channel, nowMs + 7 * DAY_MS)).toBe(false)
    expect(() => moveTo(step.channel, parseConnectoids(newAddress('newer')))).toThrow(
      expect.objectContaining({ code: 'MOVE_WAITS' }),
    )
  })

  it('keeps the old intakes until a frame came by the new ones that covers it', () => {
    const ends = pair()
    const [oldAt] = ends.host.channel.ownAt.current
    ends.send(ends.guest, 'old')
    const [before] = ends.guest.takePosted()
    ends.host.take(moveTo(ends.host.channel, parseConnectoids(newAddress('new'))))
    ends.flush(ends.host)
    // A frame from before the move, which somebody copied to the new box, proves nothing.
    ends.host.take(receive(ends.host.channel, before!, true, ends.nowMs, ends.engine))
    expect(ends.host.channel.ownAt.next).toEqual(newAddress('new'))
    ends.exchange()
    expect(ends.guest.channel.peerAt).toEqual(newAddress('new'))
    expect(ends.guest.told()).toEqual(['peerMoved', 'delivered'])
    ends.send(ends.guest, 'new')
    ends.host.restart()
    for (const data of ends.guest.takePosted())
      ends.host.take(receive(ends.host.channel, data, true, ends.nowMs, ends.engine))
    expect(ends.host.channel.ownAt).toMatchObject({ current: newAddress('new'), next: null })
    expect(ends.host.events).toContainEqual({ event: 'retire', intakes: [oldAt] })
    expect(texts(ends.host.contents())).toEqual(['old', 'new'])
  })

  it('of both ends at once loses nothing', () => {
    const ends = pair()
    for (const end of [ends.host, ends.guest])
      end.take(moveTo(end.channel, parseConnectoids(newAddress(end.channel.role))))
    ends.send(ends.host, 'a')
    ends.send(ends.guest, 'b')
    ends.exchange()
    expect([texts(ends.guest.contents()), texts(ends.host.contents())]).toEqual([['a'], ['b']])
    expect(ends.host.channel.peerAt).toEqual(newAddress('guest'))
  })
})

describe('an end that is held', () => {
  it('sends nothing and tells nothing, and goes on where it was', () => {
    const ends = pair()
    ends.host.take(hold(ends.host.channel))
    ends.send(ends.guest, 'a')
    ends.send(ends.host, 'b')
    ends.exchange()
    expect([ends.host.contents(), ends.guest.contents(), ends.host.told()]).toEqual([[], [], []])
    ends.host.restart()
    ends.host.take(release(ends.host.channel, ends.nowMs, ends.engine))
    ends.flush(ends.host)
    ends.exchange()
    expect([texts(ends.host.contents()), texts(ends.guest.contents())]).toEqual([['a'], ['b']])
  })
})

describe('closing', () => {
  it('seals what waits and a last frame, erases every key, and reaches the other side', () => {
    const ends = pair()
    ends.host.take(submit(ends.host.channel, new Uint8Array([1])))
    ends.host.take(close(ends.host.channel, ends.nowMs, ends.engine))
    const { channel } = ends.host
    expect([channel.phase, channel.keys, channel.headerKeys, channel.outbox]).toEqual(['closing', null, null, []])
    expect(ends.host.told()).toEqual(['retire'])
    const posted = ends.host.takePosted()
    ends.bring(ends.guest, ...posted.toReversed())
    expect(ends.guest.told()).toEqual(['content', 'retire', 'closed'])
    expect([ends.guest.channel.phase, ends.guest.channel.keys, ends.guest.channel.headerKeys]).toEqual([
      'closed',
      null,
      null,
    ])
    expect([ends.guest.disk.frames.size, ends.guest.disk.early.size, ends.guest.disk.contents.size]).toEqual([0, 0, 0])
    const [peer] = channel.peerAt
    expect(peerRetired(channel, 'another').channel.phase).toBe('closing')
    ends.host.take(peerRetired(channel, peer!))
    expect([ends.host.channel.phase, ends.host.told(), ends.host.disk.frames.size]).toEqual(['closed', ['gone'], 0])
  })

  it('posts the last frames every 50 minutes for 30 days, also after a start', () => {
    const ends = pair()
    ends.host.take(close(ends.host.channel, ends.nowMs, ends.engine))
    const posted = ends.host.takePosted()
    ends.host.restart()
    expect(tick(ends.host.channel, ends.nowMs).posts).toEqual(posted)
    expect(tick(ends.host.channel, ends.nowMs + MONTH_MS - 1).posts).toEqual(posted)
    const last = tick(ends.host.channel, ends.nowMs + MONTH_MS)
    expect([last.posts, last.channel.phase, last.events]).toEqual([[], 'closed', [{ event: 'gone' }]])
  })

  it('of a peer shows as gone when its box is retired', () => {
    const { host } = pair()
    expect(peerRetired(host.channel, host.channel.peerAt[0]!).events).toEqual([{ event: 'gone' }])
  })
})

describe('the state on disk', () => {
  it('is read back as it was, but for the times of posting', () => {
    const ends = pair()
    ends.send(ends.guest, 'a', new Uint8Array(60_000))
    ends.host.take(submit(ends.host.channel, new Uint8Array(5)))
    ends.host.take(moveTo(ends.host.channel, parseConnectoids(newAddress('new'))))
    const posted = ends.guest.takePosted()
    ends.bring(ends.host, ...posted.slice(2, 5), posted[0]!, posted[0]!.with(9, 1))
    for (const { channel, disk } of [ends.host, ends.guest]) {
      const window = channel.window.map((each) => ({ ...each, postedAtMs: null }))
      expect(loaded(disk)).toEqual({ ...channel, window })
    }
    expect(ends.host.channel.early.length).toBeGreaterThan(0)
    expect(wordsCompared(ends.host.channel).channel.words).toBeNull()
  })

  it('of another version, or damaged, or without a record, is refused', () => {
    const ends = pair()
    ends.send(ends.host, 'a')
    const { disk } = ends.host
    const refused = (state: Uint8Array, records = disk): unknown => {
      try {
        return parseChannel(state, records)
      } catch (error) {
        return (error as { code: string }).code
      }
    }
    expect(refused(disk.state.with(0, 3))).toBe('STATE_VERSION')
    expect(refused(new Uint8Array())).toBe('STATE_VERSION')
    for (let length = 1; length < disk.state.length; length += 7)
      expect(refused(disk.state.slice(0, length))).toBe('STATE_DAMAGED')
    expect(refused(Uint8Array.of(...disk.state, 0))).toBe('STATE_DAMAGED')
    expect(refused(disk.state, { ...disk, frames: new Map() })).toBe('STATE_DAMAGED')
    expect(formatChannel(loaded(disk))).toEqual(disk.state)
  })

  it('of version 1, which has whole tags, is read', () => {
    const ends = pair()
    ends.send(ends.guest, 'a')
    const { disk, channel } = ends.host
    const short = concatBytes(u32be(channel.tags.length), channel.tags)
    const whole = new Uint8Array(WINDOW * TAG_BYTES).fill(7)
    for (let i = 0; i < WINDOW; i++)
      whole.set(channel.tags.subarray(i * KEPT_TAG_BYTES, (i + 1) * KEPT_TAG_BYTES), i * TAG_BYTES)
    const at = Buffer.from(disk.state).indexOf(short)
    expect(at).toBeGreaterThan(0)
    const older = concatBytes(
      Uint8Array.of(1),
      disk.state.subarray(1, at),
      u32be(whole.length),
      whole,
      disk.state.subarray(at + short.length),
    )
    expect(parseChannel(older, disk)).toEqual(loaded(disk))
  })
})
