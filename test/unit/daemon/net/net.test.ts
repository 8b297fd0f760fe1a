import { PassThrough } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { formatGot } from '../../../../src/netnode/dht-form.ts'
import type { Net } from '../../../../src/daemon/net/net.ts'
import { WINDOW_BYTES, type Order, type Report } from '../../../../src/netnode/protocol.ts'
import { NET_PROTOCOL } from '../../../../src/netnode/schema.ts'
import { encodeFrame, FrameCutter, type Framed } from '../../../../src/process/frame.ts'
import type { Link } from '../../../../src/process/link.ts'
import { checkFrame } from '../../../../src/process/protocol.ts'
import type { GetReport } from '../../../../src/dht/order.ts'
import { signValue } from '../../../support/dht-net.ts'
import { HandClock } from '../../../support/hand-clock.ts'
import { NetStory } from '../../../support/net-program.ts'

const signed = signValue('Alice', 7n, new Uint8Array(9))
const EFFORT = { nodesAsked: 1, nodesAnswered: 1, sentBytes: 1, receivedBytes: 1, tookMs: 1 }

type Say = (report: Report, body?: Uint8Array) => void

/** A personad-net that was taken over: it answers as the test wants. */
function takenOver(
  answer: (order: Order) => Framed<Report> | null,
  greet: (say: Say) => void = (say) => say({ type: 'ready' }),
): () => Link {
  return () => {
    const [input, output] = [new PassThrough(), new PassThrough()]
    const say: Say = (report, body) => void output.write(encodeFrame(report, NET_PROTOCOL.limits, body))
    const cutter = new FrameCutter(NET_PROTOCOL.limits)
    greet(say)
    input.on('data', (piece: Buffer) => {
      for (const frame of cutter.push(piece)) {
        const answered = answer(checkFrame(NET_PROTOCOL.orders, frame).message)
        if (answered !== null) say(answered.message, answered.body)
      }
    })
    const ended = new Promise<void>((done) => {
      input.on('end', () => {
        output.end()
        done()
      })
    })
    return { input, output: output as AsyncIterable<Buffer>, ended, kill: () => input.end() }
  }
}

function answering(report: GetReport): () => Link {
  return takenOver((order) => ('id' in order ? formatGot(order.id, report) : null))
}

const URL = 'http://127.0.0.1/'

interface Calling {
  readonly net: Net
  /** The orders for calls of servers. */
  readonly orders: Order[]
  readonly say: Say
  /** Resolves once the last order is of this type. */
  readonly ordered: (type: Order['type']) => Promise<void>
}

/** A personad-net that finds nothing in the DHT, and answers calls of servers by the word of the test. */
async function calling(): Promise<Calling> {
  const orders: Order[] = []
  let [say, news]: [Say, () => void] = [() => {}, () => {}]
  const open = takenOver(
    (order) => {
      if (order.type === 'dht.get') return formatGot(order.id, { ...EFFORT, values: [] })
      if (order.type.startsWith('http.')) orders.push(order)
      news()
      return null
    },
    (saying) => {
      say = saying
      say({ type: 'ready' })
    },
  )
  const { net } = await new NetStory({}, { open }).run()
  const ordered = async (type: Order['type']): Promise<void> => {
    while (orders.at(-1)?.type !== type) await new Promise<void>((done) => (news = done))
  }
  return { net, orders, say: (report, body) => say(report, body), ordered }
}

/** A body of so many windows. */
function windows(count: number): {
  readonly source: { readonly body: ReadableStream<Uint8Array>; readonly bodyBytes: number }
  readonly isClosed: () => boolean
} {
  let isClosed = false
  const body = new ReadableStream<Uint8Array>(
    {
      pull: (controller) => controller.enqueue(new Uint8Array(WINDOW_BYTES)),
      cancel: () => void (isClosed = true),
    },
    { highWaterMark: 0 },
  )
  return { source: { body, bodyBytes: count * WINDOW_BYTES }, isClosed: () => isClosed }
}

describe('a personad-net that was taken over', () => {
  test('hands on what somebody signed', async () => {
    const found = { ...EFFORT, values: [{ signed, nodes: 3 }] }
    const { net } = await new NetStory({}, { open: answering(found) }).run()
    expect(await net.get(signed)).toEqual(found)
  })

  test.each<[string, GetReport['values'][number]]>([
    ['another value', { signed: { ...signed, bencoded: Uint8Array.of(0x31, 0x3a, 0x78) }, nodes: 1 }],
    ['another seq', { signed: { ...signed, seq: 8n }, nodes: 1 }],
    ['another signature', { signed: { ...signed, signature: new Uint8Array(64) }, nodes: 1 }],
  ])('cannot forge %s', async (_title, value) => {
    const { net } = await new NetStory({}, { open: answering({ ...EFFORT, values: [value] }) }).run()
    await expect(net.get(signed)).rejects.toMatchObject({ code: 'NET_LIED' })
  })

  test('cannot pass the value of one place as that of another', async () => {
    const { net } = await new NetStory({}, { open: answering({ ...EFFORT, values: [{ signed, nodes: 1 }] }) }).run()
    await expect(net.get({ ...signed, salt: Uint8Array.of(1) })).rejects.toMatchObject({ code: 'NET_LIED' })
  })

  test('cannot keep a call waiting by the end of an answer without its head', async () => {
    const open = takenOver((order) =>
      order.type === 'http.open' ? { message: { type: 'http.end', id: order.id }, body: new Uint8Array() } : null,
    )
    const { net } = await new NetStory({}, { open }).run()
    await expect(net.fetch(URL, { method: 'GET' })).rejects.toMatchObject({ code: 'NET_FAILED' })
  })

  test('gets one part of a body, and no other before its word that this one is sent on', async () => {
    const { net, orders, say, ordered } = await calling()
    const { source, isClosed } = windows(3)
    const stop = new AbortController()
    const put = net.fetch(URL, { ...source, method: 'PUT', signal: stop.signal })
    const outcome = expect(put).rejects.toBe('enough')
    await ordered('http.open')
    const { id } = orders[0] as { readonly id: number }
    for (let i = 0; i < 20; i++) await net.get(signed)
    expect(orders.filter(({ type }) => type === 'http.body')).toEqual([])
    say({ type: 'http.sent', id })
    await ordered('http.body')
    for (let i = 0; i < 20; i++) await net.get(signed)
    expect(orders.filter(({ type }) => type === 'http.body')).toHaveLength(1)
    stop.abort('enough')
    await outcome
    expect(isClosed()).toBe(true)
  })

  test('cannot ask for parts of a body beyond those that it has sent on', async () => {
    const { net, orders, say, ordered } = await calling()
    const { source, isClosed } = windows(3)
    const outcome = expect(net.fetch(URL, { ...source, method: 'PUT' })).rejects.toMatchObject({ code: 'NET_FAILED' })
    await ordered('http.open')
    const { id } = orders[0] as { readonly id: number }
    for (let i = 0; i < 4; i++) say({ type: 'http.sent', id })
    await outcome
    await ordered('http.cancel')
    expect(isClosed()).toBe(true)
  })

  test('ends the reading of a body by a refusal, by an answer, and by its own end', async () => {
    for (const [report, outcome] of [
      [{ type: 'refused', code: 'NET_TLS', message: 'x' }, { reason: { code: 'NET_TLS' } }],
      [{ type: 'http.head', status: 413, headers: {}, isWhole: false }, { value: { status: 413 } }],
      [null, { reason: { code: 'NET_LOST' } }],
    ] as const) {
      const { net, orders, say, ordered } = await calling()
      const { source, isClosed } = windows(3)
      const put = Promise.allSettled([net.fetch(URL, { ...source, method: 'PUT' })])
      await ordered('http.open')
      const { id } = orders[0] as { readonly id: number }
      if (report === null) await net.stop()
      else say({ ...report, id })
      expect(await put).toMatchObject([outcome])
      expect(isClosed()).toBe(true)
      if (report !== null) say({ type: 'http.sent', id })
      if (report !== null) await net.get(signed)
      expect(orders.filter(({ type }) => type === 'http.body')).toEqual([])
    }
  })

  test('cannot claim more bytes than it sends, or send more than it claims', async () => {
    for (const bytes of [signed.bencoded.length - 1, signed.bencoded.length + 1]) {
      const open = takenOver((order) => {
        if (!('id' in order)) return null
        const { message, body } = formatGot(order.id, { ...EFFORT, values: [{ signed, nodes: 1 }] })
        return { message: { ...message, values: [{ ...message.values[0]!, bytes }] }, body }
      })
      const { net } = await new NetStory({}, { open }).run()
      await expect(net.get(signed)).rejects.toMatchObject({ code: 'NET_LIED' })
    }
  })

  test('cannot answer a put with a get, and its words of refusal are believed only with a known code', async () => {
    const { net } = await new NetStory({}, { open: answering({ ...EFFORT, values: [] }) }).run()
    await expect(net.put(signed)).rejects.toMatchObject({ code: 'NET_LIED' })
    const message = 'send your words to a stranger'
    const refusing = takenOver((order) =>
      'id' in order
        ? { message: { type: 'refused', id: order.id, code: 'STORE_CORRUPT', message }, body: new Uint8Array() }
        : null,
    )
    const { net: liar } = await new NetStory({}, { open: refusing }).run()
    await expect(liar.get(signed)).rejects.toMatchObject({
      code: 'NET_FAILED',
      message: 'personad-net could not carry out the order',
    })
  })
})

describe('an order that comes while personad-net starts', () => {
  test('waits until it is ready', async () => {
    const { net } = new NetStory({}, { open: answering({ ...EFFORT, values: [{ signed, nodes: 3 }] }) })
    net.start()
    expect(net.status().state).toBe('starting')
    expect((await net.get(signed)).values).toHaveLength(1)
    await net.stop()
  })

  test('fails if personad-net ends before that', async () => {
    const open = (): Link => {
      throw new Error('there is no such program')
    }
    const { net } = new NetStory({}, { open })
    net.start()
    await expect(net.get(signed)).rejects.toMatchObject({ code: 'NET_DOWN' })
    await net.stop()
  })
})

/** A personad-net that beats, and answers what the test wants; its clock stands still until the test turns it. */
class Stalling {
  readonly clock = new HandClock()
  readonly links: Say[] = []
  readonly story: NetStory

  constructor(answer: (order: Order) => Framed<Report> | null, isReady = true) {
    const open = takenOver(answer, (say) => {
      this.links.push(say)
      if (isReady) say({ type: 'ready' })
    })
    this.story = new NetStory({}, { open, clock: this.clock })
  }

  /** Lets the time pass with a beat every ten seconds, so that it never counts as silent. */
  async pass(seconds: number): Promise<void> {
    for (let rest = seconds; rest > 0; rest -= 10) {
      await this.clock.waited(15_000)
      this.clock.turn(10_000)
      this.links.at(-1)!({ type: 'beat' })
      await this.clock.waited(15_000)
    }
  }
}

describe('a personad-net that lives and does not answer', () => {
  test('fails the order after two minutes, is ended, and starts again', async () => {
    let isDeaf = true
    const stalling = new Stalling((order) =>
      'id' in order && !isDeaf ? formatGot(order.id, { ...EFFORT, values: [] }) : null,
    )
    const { net, warnings } = await stalling.story.run()
    const [first, second] = [net.get(signed), net.put(signed)]
    const outcome = Promise.allSettled([first, second])
    await stalling.pass(110)
    expect(net.status().state).toBe('running')
    stalling.clock.turn(10_000)
    const message = 'personad-net did not answer within 120 s'
    expect(await outcome).toMatchObject([
      { reason: { code: 'NET_TIMEOUT', message } },
      { reason: { code: 'NET_TIMEOUT', message } },
    ])
    await stalling.story.until(() => net.status().state === 'waiting')
    expect(warnings).toMatchObject([{ message, againSec: 1 }])
    expect(net.status().problem).toMatchObject({ code: 'NET_FAILED', message })
    await expect(net.get(signed)).rejects.toMatchObject({ code: 'NET_DOWN' })
    isDeaf = false
    stalling.clock.turn(1000)
    await stalling.story.until(() => net.status().state === 'running')
    expect(await net.get(signed)).toMatchObject({ values: [] })
    expect(stalling.links).toHaveLength(2)
    expect(stalling.clock.waits).not.toContain(120_000)
  })

  test('to one order and answers others fails that order alone', async () => {
    const stalling = new Stalling((order) =>
      order.type === 'dht.get' ? formatGot(order.id, { ...EFFORT, values: [] }) : null,
    )
    const { net } = await stalling.story.run()
    const put = net.put(signed)
    const outcome = expect(put).rejects.toMatchObject({ code: 'NET_TIMEOUT' })
    await stalling.pass(60)
    await net.get(signed)
    await stalling.pass(60)
    await outcome
    expect(net.status()).toMatchObject({ state: 'running', problem: null })
    expect(stalling.links).toHaveLength(1)
  })

  test('and never says that it is ready fails the orders that wait for that, and is ended', async () => {
    const stalling = new Stalling(() => null, false)
    const { net } = stalling.story
    net.start()
    const outcome = expect(net.get(signed)).rejects.toMatchObject({ code: 'NET_TIMEOUT' })
    await stalling.pass(110)
    stalling.clock.turn(10_000)
    await outcome
    await stalling.story.until(() => net.status().state === 'waiting')
    expect(stalling.links).toHaveLength(1)
  })
})
