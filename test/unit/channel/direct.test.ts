/** The direct way of a channel: when it is offered, what opens it, and what ends it (docs/channel.md, section 14). */
import { describe, expect, it } from 'vitest'
import { beginOffer, described, takeAnswer, takeOffer } from '../../../src/channel/direct/meet.ts'
import { formatProof, PROOF_TYPE, rtcKey } from '../../../src/channel/direct/proof.ts'
import { MAX_OFFERS, newTryId, OFFER_LIFE_SEC } from '../../../src/channel/direct/signal.ts'
import { connected, route, takeMessage } from '../../../src/channel/direct/traffic.ts'
import {
  closedWay,
  CONNECT_MS,
  FIRST_RETRY_MS,
  HEARD_MS,
  heardPeer,
  IDLE_MS,
  lost,
  MAX_RETRY_MS,
  nextWayMs,
  SILENT_MS,
  tickWay,
  type DirectStep,
  type DirectWay,
} from '../../../src/channel/direct/way.ts'
import { hold } from '../../../src/channel/exchange/life.ts'
import { submit } from '../../../src/channel/exchange/send.ts'
import { encodeUtf8 } from '../../../src/core/encoding/bytes.ts'
import { seededEngine, START_MS } from '../../support/channel-ends.ts'
import { DirectPair, sdpOf, type Side } from '../../support/direct-ends.ts'
import { sodium } from '../../support/made-persona.ts'

const ID = 'AAECAwQFBgc'
const NOW_SEC = START_MS / 1000

const engine = seededEngine(sodium, 'direct')
const offerAt = (atSec: number, id = ID): { id: string; atSec: number; sdp: string } => ({
  id,
  atSec,
  sdp: sdpOf(engine, 'offerer'),
})
const actsOf = ({ actions }: DirectStep): string[] => actions.map(({ act }) => act)

/** Two ends whose way is open. */
function openPair(): DirectPair {
  const pair = new DirectPair(engine)
  pair.send(pair.guest, encodeUtf8('hello'))
  pair.carryAll()
  pair.connect()
  pair.bringAll()
  expect([pair.host.way.phase, pair.guest.way.phase]).toEqual(['open', 'open'])
  return pair
}

/** An end that awaits the proof of its peer. */
function proving(): { side: Side; proof: (key?: Uint8Array, by?: 'host' | 'guest') => Uint8Array; pair: DirectPair } {
  const pair = new DirectPair(engine)
  pair.send(pair.guest, encodeUtf8('hello'))
  pair.carryAll()
  pair.connect()
  const side = pair.guest
  const { ownFingerprint, peerFingerprint } = side.way.attempt!
  const fingerprints = { host: peerFingerprint!, guest: ownFingerprint! }
  const right = rtcKey(side.end.channel.keys!.carriers)
  return { side, pair, proof: (key = right, by = 'host') => formatProof(engine, key, by, fingerprints) }
}

describe('an offer', () => {
  it('is made when contents wait for a peer who was heard of lately, and else not', () => {
    const { guest } = new DirectPair(engine)
    const waiting = submit(guest.end.channel, encodeUtf8('x')).channel
    const acts = (way: DirectWay, channel = waiting, nowMs = START_MS): string[] =>
      actsOf(route(way, channel, [], nowMs, engine))
    const heard = heardPeer(closedWay('guest'), START_MS)
    expect(acts(heard)).toEqual(['makeOffer'])
    expect(acts(heard, waiting, START_MS + HEARD_MS)).toEqual(['makeOffer'])
    expect(acts(heard, waiting, START_MS + HEARD_MS + 1)).toEqual([])
    expect(acts(closedWay('guest'))).toEqual([])
    expect(acts(heard, guest.end.channel)).toEqual([])
    expect(acts(heard, hold(waiting).channel)).toEqual([])
    expect(acts(heard, { ...waiting, controls: [encodeUtf8('an earlier offer')] })).toEqual([])
    expect(acts({ ...heard, notBeforeMs: START_MS + 1 })).toEqual([])
  })

  it('is answered while its time differs from the own clock by 2 minutes at most', () => {
    for (const [offSec, isTaken] of [
      [0, true],
      [OFFER_LIFE_SEC, true],
      [-OFFER_LIFE_SEC, true],
      [OFFER_LIFE_SEC + 1, false],
      [-OFFER_LIFE_SEC - 1, false],
    ] as const)
      expect(actsOf(takeOffer(closedWay('host'), offerAt(NOW_SEC + offSec), START_MS)), `${offSec}`).toEqual(
        isTaken ? ['makeAnswer'] : [],
      )
  })

  it('of the guest counts if both ends offer at once', () => {
    const out = (role: 'host' | 'guest'): DirectWay => beginOffer(closedWay(role), START_MS, engine).way
    expect(actsOf(takeOffer(out('guest'), offerAt(NOW_SEC), START_MS))).toEqual([])
    const { way, actions } = takeOffer(out('host'), offerAt(NOW_SEC), START_MS)
    expect(actions.map(({ act }) => act)).toEqual(['hangUp', 'makeAnswer'])
    expect([way.attempt!.id, way.failures]).toEqual([ID, 0])
  })

  it('is answered 8 times in 2 minutes, and no more, however many a peer sends', () => {
    let way = closedWay('host')
    const take = (nowMs: number): string[] => {
      const step = takeOffer(way, offerAt(Math.floor(nowMs / 1000), newTryId(engine)), nowMs)
      way = step.way
      return actsOf(step).filter((act) => act === 'makeAnswer')
    }
    const answers = Array.from({ length: 1000 }, () => take(START_MS)).flat()
    expect(answers).toHaveLength(MAX_OFFERS)
    way = lost(way, way.attempt!.id, START_MS).way
    expect(take(START_MS + OFFER_LIFE_SEC * 1000 - 1)).toEqual([])
    expect(take(START_MS + OFFER_LIFE_SEC * 1000)).toEqual(['makeAnswer'])
    expect(way.tookMs).toHaveLength(1)
  })

  it('ends a way that the peer has given up', () => {
    const pair = openPair()
    const { way, actions } = takeOffer(pair.host.way, offerAt(NOW_SEC), START_MS)
    expect(actions.map(({ act }) => act)).toEqual(['hangUp', 'closed', 'makeAnswer'])
    expect(way.phase).toBe('describing')
  })

  it('that nobody answers ends after 2 minutes, and its answer is then too late', () => {
    const begun = beginOffer(closedWay('guest'), START_MS, engine).way
    const { id } = begun.attempt!
    const offered = described(begun, id, sdpOf(engine, 'own'), START_MS).way
    const endMs = START_MS + OFFER_LIFE_SEC * 1000
    expect([offered.phase, nextWayMs(offered)]).toEqual(['offered', endMs])
    expect(tickWay(offered, endMs - 1).actions).toEqual([])
    const over = tickWay(offered, endMs)
    expect(actsOf(over)).toEqual(['hangUp'])
    expect(takeAnswer(over.way, { id, sdp: sdpOf(engine, 'peer') }, endMs).actions).toEqual([])
  })
})

describe('a try', () => {
  it('that fails makes the next own offer wait twice as long, up to 30 minutes', () => {
    let way = closedWay('guest')
    const waitsMs: number[] = []
    for (let nowMs = START_MS, turn = 0; turn < 12; turn++) {
      way = beginOffer(way, nowMs, engine).way
      way = lost(way, way.attempt!.id, nowMs).way
      waitsMs.push(way.notBeforeMs - nowMs)
    }
    expect(waitsMs.slice(0, 4)).toEqual([1, 2, 4, 8].map((times) => times * FIRST_RETRY_MS))
    expect(waitsMs.at(-1)).toBe(MAX_RETRY_MS)
  })

  it('is over if both ends do not connect and prove themselves within 30 s, whatever the library fails to report', () => {
    const describing = takeOffer(closedWay('host'), offerAt(NOW_SEC), START_MS).way
    const { way: connecting } = described(describing, ID, sdpOf(engine, 'own'), START_MS)
    const ways = [describing, connecting, proving().side.way]
    expect(ways.map(({ phase }) => phase)).toEqual(['describing', 'connecting', 'proving'])
    for (const way of ways) {
      const endMs = way.attempt!.sinceMs + CONNECT_MS
      expect(tickWay(way, endMs - 1).way).toBe(way)
      const over = tickWay(way, endMs)
      expect([over.way.phase, actsOf(over)]).toEqual(['closed', ['hangUp']])
      expect(over.way.notBeforeMs).toBe(endMs + FIRST_RETRY_MS)
    }
  })

  it('takes no notice of a connection that it has given up', () => {
    const { way } = takeOffer(closedWay('host'), offerAt(NOW_SEC), START_MS)
    expect(lost(way, 'CAkKCwwNDg8', START_MS)).toEqual({ way, actions: [] })
    expect(described(way, 'CAkKCwwNDg8', sdpOf(engine, 'own'), START_MS)).toEqual({ way, actions: [] })
  })
})

describe('a proof', () => {
  const judge = (message: (proof: ReturnType<typeof proving>['proof']) => Uint8Array): [string, string[]] => {
    const { side, proof } = proving()
    const { id } = side.way.attempt!
    const step = takeMessage(side.way, id, message(proof), side.end.channel, START_MS, engine)
    return [step.way.phase, actsOf(step)]
  }

  it('opens the way if the peer made it with the key of the channel', () => {
    expect(judge((proof) => proof())).toEqual(['open', ['opened']])
  })

  it('is refused if it is of another channel, the own one, cut, or a frame in its place', () => {
    const refused = ['closed', ['hangUp']]
    expect(judge((proof) => proof(new Uint8Array(32)))).toEqual(refused)
    expect(judge((proof) => proof(undefined, 'guest'))).toEqual(refused)
    expect(judge((proof) => proof().subarray(0, 32))).toEqual(refused)
    expect(judge(() => new Uint8Array(257).fill(5, 0, 1))).toEqual(refused)
    expect(judge(() => new Uint8Array())).toEqual(refused)
    for (let at = 0; at < 33; at++) expect(judge((proof) => proof().with(at, proof()[at]! ^ 1))).toEqual(refused)
  })

  it('is not even made for a certificate that is not that of the description', () => {
    const taken = takeOffer(closedWay('host'), offerAt(NOW_SEC), START_MS).way
    const { way } = described(taken, ID, sdpOf(engine, 'own'), START_MS)
    const { channel } = new DirectPair(engine).host.end
    const told = (reported: string): string[] =>
      actsOf(connected(way, ID, engine.sha256(encodeUtf8(reported)), channel, START_MS, engine))
    expect(told('somebody between')).toEqual(['hangUp'])
    expect(told('offerer')).toEqual(['send'])
  })

  it('has a type that no data of a box has', () => {
    expect(PROOF_TYPE).toBe(0)
  })
})

describe('an open way', () => {
  it('carries frames and acks in place of the other carriers', () => {
    const pair = openPair()
    pair.send(pair.host, encodeUtf8('fast'))
    expect([pair.guest.messages.length, pair.guest.carried.length]).toEqual([1, 0])
    pair.bringAll()
    expect(pair.guest.end.contents().map(String)).toEqual(['fast'])
    expect(pair.host.end.channel.window).toEqual([])
    expect(pair.host.carried).toEqual([])
  })

  it('that breaks gives every frame to the other carriers at once, also one of this moment', () => {
    const pair = openPair()
    pair.send(pair.host, encodeUtf8('lost'))
    pair.cut([pair.host, pair.guest])
    expect(pair.guest.carried.length).toBeGreaterThan(0)
    pair.carryAll()
    expect(pair.guest.end.contents().map(String)).toEqual(['lost'])
  })

  it('that says nothing for 10 s while frames are in flight is taken as broken', () => {
    const pair = openPair()
    pair.wait(1000)
    pair.send(pair.host, encodeUtf8('into the void'))
    pair.cut([])
    pair.wait(SILENT_MS - 1)
    expect(pair.host.way.phase).toBe('open')
    pair.wait(1)
    expect(pair.host.way.phase).toBe('closed')
    pair.carryAll()
    expect(pair.guest.end.contents().map(String)).toEqual(['into the void'])
  })

  it('closes after 30 s without a frame, and is no failure', () => {
    const pair = openPair()
    pair.wait(IDLE_MS - 1)
    pair.send(pair.host, encodeUtf8('x'))
    pair.bringAll()
    pair.wait(IDLE_MS - 1)
    expect(pair.host.way.phase).toBe('open')
    pair.wait(1)
    expect([pair.host.way.phase, pair.guest.way.phase]).toEqual(['closed', 'closed'])
    expect([pair.host.way.failures, pair.guest.way.failures]).toEqual([0, 0])
  })

  it('is closed by an end that is held, and by a message that is no frame', () => {
    const pair = openPair()
    const held = hold(pair.host.end.channel).channel
    expect(actsOf(route(pair.host.way, held, [], START_MS, engine))).toEqual(['hangUp', 'closed'])
    const { way, end } = pair.guest
    for (const type of [0, 1, 3, 4, 6])
      expect(
        actsOf(takeMessage(way, way.attempt!.id, Uint8Array.of(type, 1, 2), end.channel, START_MS, engine)),
        `${type}`,
      ).toEqual(['hangUp', 'closed'])
  })
})
