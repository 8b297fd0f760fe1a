/** A hostile peer: it sends and names as much as it likes, and takes no more than a bounded part of the daemon. */
import { setImmediate } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { draftOf, type Write } from '../../../../src/channel/exchange/channel.ts'
import { receive } from '../../../../src/channel/exchange/receive.ts'
import { sealNext } from '../../../../src/channel/exchange/send.ts'
import { FRAME_KIND } from '../../../../src/channel/ratchet/frame.ts'
import type { Carrier } from '../../../../src/channel/carriers/carrier.ts'
import type { CarryMeans } from '../../../../src/channel/carriers/carry-means.ts'
import { CarrierError } from '../../../../src/channel/carriers/errors.ts'
import { MAX_FAILING, RelayCalls } from '../../../../src/channel/carriers/relay-calls.ts'
import type { RelayClient } from '../../../../src/relay/client.ts'
import { RelayError } from '../../../../src/relay/errors.ts'
import type { BoxKey } from '../../../../src/seal/box-key.ts'
import { codeOf } from '../../../support/code-of.ts'
import { noteEvents } from '../../../../src/daemon/channels/ends/end-events.ts'
import type { EndState } from '../../../../src/daemon/channels/ends/end-state.ts'
import { MAX_AT_WORK, MAX_LANES, Outbound } from '../../../../src/channel/carriers/outbound.ts'
import { MAX_CALLS } from '../../../../src/netnode/protocol.ts'
import { Turn } from '../../../../src/daemon/channels/ends/turn.ts'
import type { Cards } from '../../../../src/daemon/cards/cards.ts'
import { encodeUtf8 } from '../../../../src/core/encoding/bytes.ts'
import { connectoidOf, Pair, seededEngine } from '../../../support/channel-ends.ts'
import { HandClock } from '../../../support/hand-clock.ts'
import { sodium } from '../../../support/made-persona.ts'

const LINE = { id: 'line', own: [], peer: null }
const DATA = new Uint8Array([1])
const addressesOf = (count: number): string[] =>
  Array.from({ length: count }, (_, n) => connectoidOf(sodium, `box${n}`))

function outbound(send: Carrier['send']): { clock: HandClock; out: Outbound; backs: () => number } {
  const clock = new HandClock()
  let backs = 0
  const means: CarryMeans = { clock, ways: { of: () => ({ send }) as unknown as Carrier }, noteFailure: () => {} }
  return { clock, out: new Outbound(means, { onUsed: () => {}, onBack: () => backs++ }), backs: () => backs }
}

const away = (): Promise<never> => Promise.reject(new CarrierError('CARRIER_AWAY', 'away', { hint: 'wait' }))

describe('addresses that a peer names', () => {
  it('get a small share of the calls, also if none is ever answered and each is another host', () => {
    let calls = 0
    const { out } = outbound(() => {
      calls++
      return new Promise(() => {})
    })
    for (const address of addressesOf(100)) out.post(LINE, [address], [DATA])
    expect(calls).toBe(MAX_AT_WORK)
    expect(calls).toBeLessThanOrEqual(MAX_CALLS / 16)
  })

  it('wait for a call to end, also those whose next try is due', async () => {
    const ends: (() => void)[] = []
    const tried: string[] = []
    let isAway = true
    const { out, clock } = outbound((_, { url }) => {
      tried.push(url)
      return isAway ? away() : new Promise((resolve) => ends.push(() => resolve('left')))
    })
    const addresses = addressesOf(MAX_LANES)
    out.post(LINE, addresses, [DATA])
    await out.idle()
    expect([tried.length, clock.waits.length]).toEqual([MAX_LANES, MAX_LANES])
    isAway = false
    clock.turn(2000)
    expect(tried).toHaveLength(MAX_LANES + MAX_AT_WORK)
    for (let ended = 0; ended < MAX_LANES; ended++) {
      ends[ended]!()
      // The lane goes on, and the next one begins.
      await setImmediate()
    }
    await out.idle()
    expect(tried.slice(MAX_LANES).toSorted()).toEqual(tried.slice(0, MAX_LANES).toSorted())
    expect(out.problem).toBe(null)
  })

  it('are tried again only as long as few others failed after them', async () => {
    const { out, clock } = outbound(away)
    for (const address of addressesOf(100)) {
      out.post(LINE, [address], [DATA])
      await out.idle()
    }
    expect(clock.waits).toHaveLength(MAX_LANES)
  })

  it('are not tried again once the peer has left them, and what waited goes to the new ones', async () => {
    const { out, clock, backs } = outbound(away)
    out.post(LINE, addressesOf(2), [DATA])
    await out.idle()
    expect([clock.waits.length, out.problem]).toEqual([2, 'CARRIER_AWAY'])
    out.leaveAllBut(addressesOf(1))
    expect([clock.waits.length, out.problem, backs()]).toEqual([1, 'CARRIER_AWAY', 1])
    out.leaveAllBut([])
    expect([clock.waits.length, out.problem, backs()]).toEqual([0, null, 2])
  })
})

describe('failures of boxes', () => {
  it('are remembered in a bounded number', async () => {
    const clock = new HandClock()
    const client = { means: { clock, random: () => 0.5 } } as unknown as RelayClient
    const calls = new RelayCalls(() => client)
    let tries = 0
    const fail = async (n: number): Promise<string> => {
      const key = { suite: 'x25519', bytes: sodium.sha256(encodeUtf8(`${n}`)) } as BoxKey
      const work = (): Promise<never> => {
        tries++
        return Promise.reject(new RelayError('RELAY_TOO_OFTEN', 'too often'))
      }
      return await codeOf(calls.call('https://relay.example/', key, work))
    }
    for (let n = 0; n <= MAX_FAILING; n++) expect(await fail(n)).toBe('CARRIER_FULL')
    await fail(MAX_FAILING)
    expect(tries).toBe(MAX_FAILING + 1)
    await fail(0)
    expect(tries).toBe(MAX_FAILING + 2)
  })
})

describe('a frame', () => {
  it('with a content cut into single bytes makes one record of it', () => {
    const engine = seededEngine(sodium, 'bytes')
    const ends = new Pair(engine)
    const begin = new Uint8Array([2, 4, 0, 0, 0, 0, 1, 7])
    const more = new Uint8Array([3, 0, 1, 7])
    const draft = draftOf(ends.guest.channel)
    sealNext(draft, FRAME_KIND.contents, [begin, ...Array.from({ length: 2900 }, () => more)], ends.nowMs, engine)
    const { writes, channel } = receive(ends.host.channel, draft.posts[0]!, false, ends.nowMs, engine)
    const parts = writes.filter(({ write }) => write === 'part') as Extract<Write, { write: 'part' }>[]
    expect(parts.map(({ offset, bytes }) => [offset, bytes.length])).toEqual([[0, 2901]])
    expect(channel.begun).toEqual({ totalBytes: 64 << 20, haveBytes: 2901 })
  })

  it('full of cards has the last few judged', () => {
    const ends = new Pair(seededEngine(sodium, 'cards'))
    const state = { channel: ends.host.channel, sentKeys: new Map(), uploads: new Map() } as unknown as EndState
    const turn = new Turn(state, ends.nowMs)
    for (let n = 0; n < 3000; n++) turn.events.push({ event: 'control', type: 3, bytes: encodeUtf8(`card ${n}`) })
    const judged: string[] = []
    const cards = { take: (text: string) => Promise.resolve(void judged.push(text)) } as unknown as Cards
    noteEvents(turn, state, cards)
    for (const run of turn.afterwards) run()
    expect(judged).toEqual(['card 2996', 'card 2997', 'card 2998', 'card 2999'])
  })
})
