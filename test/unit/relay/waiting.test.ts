import { expect, test } from 'vitest'
import { RelayClient, type News } from '../../../src/relay/client.ts'
import { RelayError } from '../../../src/relay/errors.ts'
import { pause } from '../../../src/relay/means.ts'
import { parseRelayUrl } from '../../../src/relay/relay-url.ts'
import { BackOff, repeat } from '../../../src/relay/repeat.ts'
import { waitForNews } from '../../../src/relay/waiting.ts'
import { codeOf } from '../../support/code-of.ts'
import { HandClock } from '../../support/hand-clock.ts'
import { ORIGIN, TestOwner, testRelay } from '../../support/relay-boxes.ts'
import { RelayNetwork, type Scripted } from '../../support/relay-fetch.ts'

const alice = await TestOwner.of('alice')
const { key } = alice.pair
const down = new RelayError('RELAY_UNREACHABLE', 'down')
const busy = (retryAfterSec: number): RelayError =>
  new RelayError('RELAY_TOO_OFTEN', 'busy', { details: { retryAfterSec } })

test('the pauses double from a second up to five minutes, and begin anew after a success', () => {
  const backOff = new BackOff(() => 1)
  const pauses = Array.from({ length: 12 }, () => backOff.next(down) / 1000)
  expect(pauses).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300])
  backOff.succeeded()
  expect(backOff.next(down)).toBe(1000)
})

test('chance takes up to half of a pause away, and never what the relay asks for', () => {
  expect(new BackOff(() => 0).next(down)).toBe(500)
  expect(new BackOff(() => 0).next(busy(30))).toBe(30_500)
  expect(new BackOff(() => 1).next(busy(30))).toBe(31_000)
})

test('a relay that asks for more than an hour gets an hour', () => {
  expect(new BackOff(() => 1).next(busy(1e9))).toBe(3_601_000)
})

test('a call is repeated until it succeeds', async () => {
  const clock = new HandClock()
  let tries = 0
  const result = repeat({ clock, random: () => 1 }, 9, async () => {
    if (++tries < 3) throw down
    return await Promise.resolve('done')
  })
  await clock.waited(1000)
  clock.turn(1000)
  await clock.waited(2000)
  clock.turn(2000)
  expect(await result).toBe('done')
  expect(tries).toBe(3)
})

test('a call is not repeated after its last try, after an error that does not pass, or after its caller ended it', async () => {
  const clock = new HandClock()
  const means = { clock, random: (): number => 1 }
  let tries = 0
  const failing = (error: Error) => async (): Promise<never> => {
    tries++
    return await Promise.reject(error)
  }
  expect(await codeOf(repeat(means, 1, failing(down)))).toBe('RELAY_UNREACHABLE')
  expect(await codeOf(repeat(means, 9, failing(new RelayError('RELAY_USED', 'used'))))).toBe('RELAY_USED')
  await expect(repeat(means, 9, failing(new TypeError('a fault of ours')))).rejects.toThrow('a fault of ours')
  expect(tries).toBe(3)
  const caller = new AbortController()
  const ended = repeat(means, 9, failing(down), caller.signal)
  await clock.waited(1000)
  caller.abort(new Error('enough'))
  await expect(ended).rejects.toThrow('enough')
  expect(clock.waits).toEqual([])
  await expect(pause(clock, 1, caller.signal)).rejects.toThrow('enough')
})

function world(): { network: RelayNetwork; client: RelayClient; relay: ReturnType<typeof testRelay> } {
  const relay = testRelay()
  const network = new RelayNetwork(relay)
  return { relay, network, client: new RelayClient(parseRelayUrl(ORIGIN), network.means) }
}

const isWait = (url: string): boolean => url.endsWith('/wait')

test('waiting goes on over ends and failures of streams, with the cursor of the moment', async () => {
  const { network, client } = world()
  await client.post(key, Uint8Array.of(0, 0, 1))
  let at = 0
  const ends: Scripted[] = [
    { headers: { 'content-type': 'text/event-stream' }, body: ': hello\n\n' },
    { status: 502, body: '' },
    { body: { ok: false, error: 'Too often', retryAfter: 5 } },
  ]
  network.script = ({ url }) => (isWait(url) ? (ends.shift() ?? null) : null)
  const news = waitForNews(client, () => [{ key, at }])
  const first = news.next()
  for (const ms of [1000, 2000, 9000]) {
    await network.clock.waited(ms)
    network.clock.turn(ms)
    at++
  }
  expect(((await first).value as News).key).toBe(key)
  const cursors = network.asked
    .filter(({ url }) => isWait(url))
    .map(({ body }) => (body as { boxes: { at: number }[] }).boxes[0]!.at)
  expect(cursors).toEqual([0, 1, 2, 3])
  await news.return()
})

test('a stream that held for a minute makes the next pause short again', async () => {
  const { network, client } = world()
  let controller!: ReadableStreamDefaultController<Uint8Array>
  let streams = 0
  network.script = ({ url }) => {
    if (!isWait(url)) return null
    if (++streams <= 3) return { status: 502, body: '' }
    return {
      headers: { 'content-type': 'text/event-stream' },
      stream: new ReadableStream({ start: (given) => void (controller = given) }),
    }
  }
  const news = waitForNews(client, () => [{ key, at: 0 }])
  const first = news.next().catch(() => null)
  for (const ms of [1000, 2000, 4000]) {
    await network.clock.waited(ms)
    network.clock.turn(ms)
  }
  await network.clock.waited(70_000)
  network.clock.turn(60_000)
  controller.close()
  await network.clock.waited(1000)
  expect(streams).toBe(4)
  void first
})

test('where a relay has no streams, boxes are checked from time to time', async () => {
  const { network, client, relay } = world()
  network.script = ({ url }) => (isWait(url) ? { status: 404, body: { error: 'No such path' } } : null)
  const news = waitForNews(client, () => [{ key, at: 0 }], { checkMs: 90_000 })
  const first = news.next()
  await network.clock.waited(90_000)
  await client.post(key, Uint8Array.of(0, 0, 1))
  relay.pass(90)
  network.clock.turn(90_000)
  const { value } = await first
  expect(await client.receive(alice.pair, 0, { question: (value as News).question })).toHaveLength(1)
  expect(network.asked.filter(({ url }) => isWait(url))).toHaveLength(1)
  network.script = () => ({ status: 503, body: '' })
  const second = news.next().catch((error: unknown) => error)
  await network.clock.waited(90_000)
  network.clock.turn(90_000)
  await network.clock.waited(90_000)
  network.script = () => ({ body: { ok: false, error: 'Bad at' } })
  network.clock.turn(90_000)
  expect(await second).toMatchObject({ code: 'RELAY_BAD_AT' })
})

test('waiting ends with the reason of its caller, in a stream and in a pause', async () => {
  for (const script of [null, { status: 502, body: '' }]) {
    const { network, client } = world()
    network.script = () => script
    const caller = new AbortController()
    const first = waitForNews(client, () => [{ key, at: 0 }], { signal: caller.signal }).next()
    await network.clock.waited(script === null ? 70_000 : 1000)
    caller.abort(new Error('enough'))
    await expect(first).rejects.toThrow('enough')
    expect(network.clock.waits).toEqual([])
  }
})

test('an error that does not pass ends the waiting', async () => {
  const { network, client } = world()
  network.script = () => ({ body: { ok: false, error: 'Bad request' } })
  expect(await codeOf(waitForNews(client, () => [{ key, at: 0 }]).next())).toBe('RELAY_BAD_REQUEST')
})
