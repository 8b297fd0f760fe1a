/** The direct way of an end at a peer who is hostile, or held. */
import { expect, test } from 'vitest'
import { formatProof, rtcKey } from '../../../src/channel/direct/proof.ts'
import { formatSignal, newTryId, offerMembers } from '../../../src/channel/direct/signal.ts'
import type { Channel, ChannelEvent, Step } from '../../../src/channel/exchange/channel.ts'
import { CONTROL } from '../../../src/channel/exchange/control.ts'
import { hold } from '../../../src/channel/exchange/life.ts'
import { BOX_TYPE } from '../../../src/channel/ratchet/box-data.ts'
import { encodeUtf8 } from '../../../src/core/encoding/bytes.ts'
import { takenOf } from '../../../src/channel/direct/traffic.ts'
import { KNOWN_MS, MAX_KNOWN } from '../../../src/channel/direct/way.ts'
import { flush } from '../../../src/channel/exchange/send.ts'
import { FRAME_KIND, sealNotice } from '../../../src/channel/ratchet/frame.ts'
import { receive } from '../../../src/channel/exchange/receive.ts'
import type { ConnectionListener } from '../../../src/channel/rtc/connections.ts'
import { DirectEnd } from '../../../src/channel/direct/direct-end.ts'
import { seededEngine, START_MS } from '../../support/channel-ends.ts'
import { DirectPair, sdpOf } from '../../support/direct-ends.ts'
import { sodium } from '../../support/made-persona.ts'

const engine = seededEngine(sodium, 'direct end')

/** The host of an open channel, and what its connections were asked for. */
class Host {
  readonly pair: DirectPair = new DirectPair(engine)
  readonly calls: string[] = []
  listener: ConnectionListener | null = null
  nowMs: number = START_MS
  readonly end: DirectEnd

  constructor() {
    const connect = (_: string | null, listener: ConnectionListener): ReturnType<typeof this.connection> => {
      this.calls.push('connect')
      this.listener = listener
      return this.connection()
    }
    const clock = { nowMs: () => this.nowMs, after: () => () => {} }
    this.end = new DirectEnd(
      'host',
      { connections: { connect }, engine, clock },
      {
        channel: () => this.channel,
        take: (frame) => {
          const before = this.channel
          this.take(receive(before, frame, false, START_MS, engine))
          return Promise.resolve(takenOf(before, this.channel))
        },
        later: (work) => Promise.resolve(this.take(work(this.channel, START_MS))),
        changed: () => void this.calls.push(this.end.phase),
      },
    )
  }

  get channel(): Channel {
    return this.pair.host.end.channel
  }

  take(step: Step): void {
    this.pair.host.end.take(step)
  }

  connection(): { answer: () => void; send: () => void; close: () => void } {
    const note = (call: string) => () => void this.calls.push(call)
    return { answer: note('answer'), send: note('send'), close: note('close') }
  }

  /** A turn in which an offer of the guest came. */
  takeOffer(channel: Channel = this.channel): void {
    const members = offerMembers({ id: newTryId(engine), atSec: START_MS / 1000, sdp: sdpOf(engine, 'guest') })
    const event: ChannelEvent = { event: 'control', type: CONTROL.offer, bytes: formatSignal(members) }
    this.end.afterTurn({ channel, posts: [], events: [event], isHeard: true })
  }

  /** A message comes, and its turn is over. */
  async hear(message: Uint8Array): Promise<void> {
    this.listener!.message(message)
    await Promise.resolve()
  }

  /** The guest connects, and proves itself. */
  open(): void {
    this.takeOffer()
    const [host, guest] = ['host', 'guest'].map((name) => engine.sha256(encodeUtf8(name)))
    this.listener!.described(sdpOf(engine, 'host'))
    this.listener!.connected(guest!)
    const key = rtcKey(this.channel.keys!.carriers)
    this.listener!.message(formatProof(engine, key, 'guest', { host: host!, guest: guest! }))
    expect(this.end.phase).toBe('open')
  }
}

test('an offer that comes in the turn that holds the channel is not answered', () => {
  const host = new Host()
  host.takeOffer(hold(host.channel).channel)
  expect(host.calls).toEqual([])
  host.takeOffer()
  expect(host.calls).toEqual(['connect'])
})

test('a frame that does not open ends the way: it costs time, and could come without an end', async () => {
  const host = new Host()
  host.open()
  host.pair.send(host.pair.guest, encodeUtf8('hello'))
  await host.hear(host.pair.host.carried[0]!)
  expect([host.end.phase, host.calls.includes('close')]).toEqual(['open', false])
  await host.hear(Uint8Array.of(BOX_TYPE.frame, ...engine.randomBytes(400)))
  expect([host.end.phase, host.calls.includes('close')]).toEqual(['closed', true])
})

test('frames that change nothing end the way once 256 of them came within 10 s: the same, or acks of what was acknowledged', async () => {
  const host = new Host()
  host.open()
  host.pair.send(host.pair.guest, encodeUtf8('hello'))
  const again = host.pair.host.carried[0]!
  await host.hear(again)
  const ack = sealNotice(FRAME_KIND.ack, 0, host.channel.headerKeys!.peer, engine)
  for (let count = 0; count < MAX_KNOWN; count++) await host.hear(count % 2 === 0 ? again : ack)
  host.nowMs += KNOWN_MS
  for (let count = 0; count < MAX_KNOWN; count++) await host.hear(again)
  expect(host.end.phase).toBe('open')
  await host.hear(ack)
  expect([host.end.phase, host.calls.includes('close')]).toEqual(['closed', true])
})

test('frames that bring something new never end the way, however many come at once', async () => {
  const host = new Host()
  host.open()
  for (let count = 0; count < 2 * MAX_KNOWN; count++) {
    host.pair.send(host.pair.guest, encodeUtf8(`${count}`))
    for (const frame of host.pair.host.carried.splice(0)) await host.hear(frame)
    host.pair.guest.carried.push(...host.pair.host.end.take(flush(host.channel, START_MS, engine)))
    host.pair.carry(host.pair.guest)
  }
  expect(host.end.phase).toBe('open')
  expect(host.channel.received).toBeGreaterThan(2 * MAX_KNOWN)
})

test('the caller hears once that the way is open, and once that it is closed', async () => {
  const host = new Host()
  host.open()
  await host.hear(Uint8Array.of(BOX_TYPE.frame, ...engine.randomBytes(400)))
  host.listener!.closed()
  const phases = host.calls.filter((call) => call === 'open' || call === 'closed')
  expect(phases).toEqual(['open', 'closed'])
})

test('the caller hears nothing of a try that came to nothing', () => {
  const host = new Host()
  host.takeOffer()
  host.listener!.closed()
  expect(host.end.phase).toBe('closed')
  expect(host.calls).not.toContain('closed')
})
