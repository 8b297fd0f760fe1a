/**
 * Channels without disk: contents from `submit` to the ack, against the calls of cryptography that they make. The calls of one round
 * are recorded with their arguments and made again alone.
 */
import { flush, submit, contentCost } from '../src/channel/exchange/send.ts'
import { receive } from '../src/channel/exchange/receive.ts'
import { taken } from '../src/channel/exchange/life.ts'
import type { Channel, Step } from '../src/channel/exchange/channel.ts'
import type { ChannelEngine } from '../src/channel/ratchet/engine.ts'
import { startEnds, START_MS } from '../test/support/channel-ends.ts'
import { formatRatio, formatUs, quantile, type Row } from './measure.ts'

const CONTENT_BYTES = 200 // a line of a chat; its frame has 256 or 880 bytes
const A_BATCH = 16 // contents that are sent before the other side answers

interface Ends {
  from: Channel
  to: Channel
}

/** Brings one batch from one end to the other, and the ack back. */
function exchange(ends: Ends, contents: readonly Uint8Array[], engine: ChannelEngine): void {
  const posts: Uint8Array[] = []
  const from = (step: Step): void => void ((ends.from = step.channel), posts.push(...step.posts))
  const backs: Uint8Array[] = []
  const to = (step: Step): void => void ((ends.to = step.channel), backs.push(...step.posts))
  for (const bytes of contents) {
    from(submit(ends.from, bytes))
    from(flush(ends.from, START_MS, engine))
  }
  for (const data of posts) to(receive(ends.to, data, false, START_MS, engine))
  to(taken(ends.to, contents.length * contentCost(CONTENT_BYTES), START_MS, engine))
  to(flush(ends.to, START_MS, engine))
  for (const data of backs) from(receive(ends.from, data, false, START_MS, engine))
}

type Call = () => unknown

/** An engine that notes its calls. Arguments are copied, since keys are wiped after use. */
function recording(engine: ChannelEngine, calls: Call[]): ChannelEngine {
  return new Proxy(engine, {
    get(target, name, receiver): unknown {
      const value: unknown = Reflect.get(target, name, receiver)
      if (typeof value !== 'function') return value
      return (...args: unknown[]): unknown => {
        const kept = args.map((arg) => (arg instanceof Uint8Array ? arg.slice() : arg))
        calls.push(() => value.apply(target, kept) as unknown)
        return value.apply(target, args) as unknown
      }
    },
  })
}

function met(engine: ChannelEngine): Ends {
  const { host, guest } = startEnds(engine)
  const ends = { host: host.channel, guest: guest.channel }
  // The guest's first frame opens the channel at the host.
  const posts = [...guest.posts]
  if (posts.length === 0) {
    const step = flush(ends.guest, START_MS, engine)
    ends.guest = step.channel
    posts.push(...step.posts)
  }
  for (const data of posts) ends.host = receive(ends.host, data, false, START_MS, engine).channel
  const ack = flush(ends.host, START_MS, engine)
  ends.host = ack.channel
  for (const data of ack.posts) ends.guest = receive(ends.guest, data, false, START_MS, engine).channel
  return { from: ends.guest, to: ends.host }
}

/** @param isBothWays the ends take turns, so that each batch makes a new step of the ratchet */
function measure(engine: ChannelEngine, rounds: number, isBothWays: boolean): { us: number; bareUs: number } {
  const ends = met(engine)
  const contents = Array.from({ length: isBothWays ? 1 : A_BATCH }, () => engine.randomBytes(CONTENT_BYTES))
  const turn = (using: ChannelEngine): void => {
    exchange(ends, contents, using)
    if (isBothWays) [ends.from, ends.to] = [ends.to, ends.from]
  }
  const calls: Call[] = []
  for (let warm = 0; warm < Math.min(rounds, 300); warm++) turn(engine)
  turn(recording(engine, calls))
  if (isBothWays) turn(recording(engine, calls))
  const whole: number[] = []
  const bare: number[] = []
  const turns = isBothWays ? 2 : 1
  for (let round = 0; round < rounds; round++) {
    let started = performance.now()
    for (let i = 0; i < turns; i++) turn(engine)
    whole.push(performance.now() - started)
    started = performance.now()
    for (const call of calls) call()
    bare.push(performance.now() - started)
  }
  const { refused, outbox } = ends.from
  if (refused + ends.to.refused + outbox.length > 0) throw new Error('the ends did not take all contents of each other')
  const count = contents.length * turns
  return { us: (quantile(whole, 0.5) * 1000) / count, bareUs: (quantile(bare, 0.5) * 1000) / count }
}

export function benchChannelEngine(engine: ChannelEngine, isQuick: boolean): Row[] {
  const rounds = isQuick ? 20 : 2000
  return [false, true].map((isBothWays) => {
    const { us, bareUs } = measure(engine, rounds, isBothWays)
    return {
      what: `channel without disk, ${isBothWays ? 'ends in turn' : `${A_BATCH} at a time`}`,
      figure: `${formatUs(us)} a content; its calls of cryptography alone ${formatRatio(bareUs / us)} of that (goal: 0.5 or more)`,
    }
  })
}
