/** The frames that an end leaves at the carriers of its peer, and when it lets its own carriers clear away. */
import { expect, it } from 'vitest'
import type { Carrier, Line } from '../../../src/channel/carriers/carrier.ts'
import { CarrierError } from '../../../src/channel/carriers/errors.ts'
import { Outbound } from '../../../src/channel/carriers/outbound.ts'
import { formatConnectoid } from '../../../src/channel/invite/address.ts'
import { HandClock } from '../../support/hand-clock.ts'

const PUB = new Uint8Array(32).fill(1)
const INTAKE = { url: 'https://box.example/', ext: null }
const LINE: Line = {
  id: 'line',
  own: [{ address: { pub: PUB, where: [INTAKE] }, secret: new Uint8Array(32) }],
  peer: { pub: PUB, where: [INTAKE] },
}
const TO = [formatConnectoid(PUB, INTAKE)]
const frame = (n: number): Uint8Array => Uint8Array.of(n)

/** An outbound over a carrier that notes what it is asked. */
class Story {
  /** The numbers of the frames in flight at each settling. */
  readonly settled: number[][] = []
  isAway = false
  readonly outbound: Outbound

  constructor() {
    const carrier: Pick<Carrier, 'send' | 'settled'> = {
      send: () => Promise.resolve('left'),
      settled: (_line, inFlight) => {
        if (this.isAway) return Promise.reject(new CarrierError('CARRIER_AWAY', 'the folder is away', { hint: 'wait' }))
        this.settled.push(inFlight.map((data) => data[0]!))
        return Promise.resolve()
      },
    }
    const ways = { of: () => carrier as Carrier }
    const outcomes = { onUsed: (): void => {}, onBack: (): void => {} }
    this.outbound = new Outbound({ ways, clock: new HandClock(), noteFailure: () => {} }, outcomes)
  }

  async post(...frames: number[]): Promise<void> {
    this.outbound.post(LINE, TO, frames.map(frame))
    await this.outbound.idle()
  }

  /** @returns what the carrier was asked since the last call */
  async settle(...inFlight: number[]): Promise<number[][]> {
    this.outbound.settle(LINE, inFlight.map(frame))
    await this.outbound.idle()
    return this.settled.splice(0)
  }
}

it('frames that never lay at a carrier make no work for it', async () => {
  const story = new Story()
  // After a start, anything may lie there.
  expect(await story.settle()).toEqual([[]])
  expect([await story.settle(1, 2), await story.settle(2), await story.settle()]).toEqual([[], [], []])
})

it('a carrier clears away until nothing of what was left there is in flight', async () => {
  const story = new Story()
  await story.settle()
  await story.post(1, 2)
  // The frame 3 goes by the direct way.
  expect(await story.settle(1, 2, 3)).toEqual([[1, 2, 3]])
  expect(await story.settle(2, 3)).toEqual([[2, 3]])
  expect(await story.settle(3, 4)).toEqual([[3, 4]])
  expect(await story.settle(4)).toEqual([])
})

it('after a start, the frames in flight count as left at the carriers', async () => {
  const story = new Story()
  expect([await story.settle(1), await story.settle(1, 2), await story.settle(2)]).toEqual([[[1]], [[1, 2]], [[2]]])
  expect(await story.settle(3)).toEqual([])
})

it('a carrier that was away clears away later', async () => {
  const story = new Story()
  story.isAway = true
  expect(await story.settle()).toEqual([])
  story.isAway = false
  expect([await story.settle(1), await story.settle(2), await story.settle(3)]).toEqual([[[1]], [[2]], []])
})

it('nothing reaches the peer only while none of their intakes takes data', async () => {
  const other = { url: 'folder:0123456789abcdef', ext: null }
  const away = new Set<string>()
  const carrier: Pick<Carrier, 'send'> = {
    send: (_line, { url }) =>
      away.has(url)
        ? Promise.reject(new CarrierError('CARRIER_AWAY', 'it is away', { hint: 'wait' }))
        : Promise.resolve('left'),
  }
  const means = { ways: { of: () => carrier as Carrier }, clock: new HandClock(), noteFailure: (): void => {} }
  const outbound = new Outbound(means, { onUsed: () => {}, onBack: () => {} })
  const addresses = [...TO, formatConnectoid(PUB, other)]
  const post = async (n: number): Promise<(string | null)[]> => {
    outbound.post(LINE, addresses, [frame(n)])
    await outbound.idle()
    return [outbound.problem, outbound.obstacle]
  }
  expect(await post(1)).toEqual([null, null])
  away.add(INTAKE.url)
  expect(await post(2)).toEqual(['CARRIER_AWAY', null])
  away.add(other.url)
  expect(await post(3)).toEqual(['CARRIER_AWAY', 'CARRIER_AWAY'])
  away.clear()
  outbound.retry()
  await outbound.idle()
  expect([outbound.problem, outbound.obstacle]).toEqual([null, null])
})
