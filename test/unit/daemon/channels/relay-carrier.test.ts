import { setImmediate } from 'node:timers/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { Line, OwnIntake, OwnPlace, Watched } from '../../../../src/channel/carriers/carrier.ts'
import { CarrierError } from '../../../../src/channel/carriers/errors.ts'
import { RelayCarrier } from '../../../../src/channel/carriers/relay-carrier.ts'
import { RelayClient } from '../../../../src/relay/client.ts'
import { RelayError } from '../../../../src/relay/errors.ts'
import { parseRelayUrl } from '../../../../src/relay/relay-url.ts'
import { exportBoxSecret, generateBoxKeyPair } from '../../../../src/seal/key-pair.ts'
import { frame } from '../../../support/carrier-places.ts'
import { ORIGIN, testRelay, type TestRelayOptions } from '../../../support/relay-boxes.ts'
import { RelayNetwork, type Scripted } from '../../../support/relay-fetch.ts'

const URL_OF_RELAY = `${ORIGIN}/`
const HOUR_MS = 3_600_000
const MANY = { burst: 100_000, perSec: 1000 }

class World {
  readonly relay: ReturnType<typeof testRelay>
  readonly network: RelayNetwork
  readonly carrier: RelayCarrier
  #clients = new Map<string, RelayClient>()

  constructor(options: TestRelayOptions = {}, token: string | null = null) {
    this.relay = testRelay({ ...options, limits: { address: MANY, boxSends: MANY, ...options.limits } })
    this.network = new RelayNetwork(this.relay)
    this.carrier = new RelayCarrier({
      client: (url) => {
        const client = this.#clients.get(url) ?? new RelayClient(parseRelayUrl(url), this.network.means)
        this.#clients.set(url, client)
        return client
      },
      token: () => token,
      clock: this.network.clock,
    })
  }

  /** Moves the clocks of the relay and of its clients. */
  pass(ms: number): void {
    this.relay.pass(ms / 1000)
    this.network.clock.turn(ms)
  }

  async place(url = URL_OF_RELAY): Promise<OwnPlace> {
    const pair = await generateBoxKeyPair('x25519', true)
    const intake = await this.carrier.open(url, pair.key.bytes)
    return { address: { pub: pair.key.bytes, where: [intake] }, secret: await exportBoxSecret(pair) }
  }

  /** Both lines of an exchange, and the intake of each end. */
  async exchange(): Promise<{ toBob: Line; toAlice: Line; ofAlice: OwnIntake; ofBob: OwnIntake }> {
    const [alice, bob] = [await this.place(), await this.place()]
    return {
      toBob: { id: 'to bob', own: [alice], peer: bob.address },
      toAlice: { id: 'to alice', own: [bob], peer: alice.address },
      ofAlice: { ...alice.address.where[0]!, place: alice },
      ofBob: { ...bob.address.where[0]!, place: bob },
    }
  }

  send(line: Line, data: Uint8Array): Promise<'left' | 'used'> {
    return this.carrier.send(line, line.peer!.where[0]!, data)
  }

  /** Answers all calls of this path like this; null ends it. */
  scripted(script: ((body: { action?: string; at?: number }) => Scripted | null) | null, path = '/'): void {
    this.network.script = ({ url, body }) =>
      script !== null && new URL(url).pathname === path ? script(body as { action?: string; at?: number }) : null
  }

  goAway(): void {
    this.network.script = () => {
      throw new TypeError('fetch failed')
    }
  }

  comeBack(): void {
    this.network.script = () => null
  }
}

async function errorOf(work: Promise<unknown>): Promise<CarrierError> {
  const error = await work.then(
    () => null,
    (thrown: unknown) => thrown,
  )
  expect(error).toBeInstanceOf(CarrierError)
  return error as CarrierError
}

describe('an intake at a relay', () => {
  it('has the right to send where the owner has a token, and others are refused for good', async () => {
    const world = new World({ tokens: ['secret'] }, 'secret')
    const { toBob } = await world.exchange()
    expect(await world.send(toBob, frame(1))).toBe('left')
    const { url } = toBob.peer!.where[0]!
    const refused = await errorOf(world.carrier.send(toBob, { url, ext: new Uint8Array(16) }, frame(2)))
    expect(refused).toMatchObject({ code: 'CARRIER_DENIED', passes: false })
  })

  it('is made while the relay is away or silent, and works once it is back', async () => {
    const world = new World()
    world.goAway()
    const alice = await world.place()
    world.network.script = async ({ request }) => {
      await new Promise((_, reject) => request.signal.addEventListener('abort', () => reject(new Error('late'))))
      return {}
    }
    world.pass(1000)
    const opening = world.place()
    await world.network.clock.waited(5000)
    world.pass(5000)
    const bob = await opening
    world.comeBack()
    world.pass(HOUR_MS)
    const line: Line = { id: 'line', own: [alice], peer: bob.address }
    expect(await world.send(line, frame(1))).toBe('left')
  })

  it('is not made at an address that may not be called, or that is no relay’s', async () => {
    const world = new World()
    const pub = (await world.place()).address.pub
    for (const url of ['https://127.0.0.1/', 'https://relay.example:22/', 'http://relay.example/'])
      expect((await errorOf(world.carrier.open(url, pub))).passes, url).toBe(false)
    await expect(world.carrier.open('https://relay.example/', new Uint8Array(32))).rejects.toThrow('cannot be used')
  })
})

describe('a relay that is away', () => {
  it('is called once, however many lines have something for it, and less and less often', async () => {
    const world = new World()
    const lines = await Promise.all(Array.from({ length: 8 }, async () => (await world.exchange()).toBob))
    world.goAway()
    const calls = world.network.asked.length
    const first = await Promise.all(lines.map(async (line) => await errorOf(world.send(line, frame(1)))))
    expect(first.map(({ code }) => code)).toEqual(lines.map(() => 'CARRIER_AWAY'))
    expect(world.network.asked.length).toBe(calls + 8)
    const waits: number[] = []
    for (let n = 0; n < 9; n++) {
      const { retryAfterMs } = await errorOf(world.send(lines[n % 8]!, frame(1)))
      waits.push(retryAfterMs!)
      world.pass(retryAfterMs!)
      await errorOf(world.send(lines[0]!, frame(1)))
    }
    expect(waits).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256].map((sec) => sec * 1000))
    expect(world.network.asked.length).toBe(calls + 8 + 9)
  })

  it('for an hour has lost nothing of what was left before, and takes what waited', async () => {
    const world = new World()
    const { toBob, toAlice, ofBob } = await world.exchange()
    await world.send(toBob, frame(1))
    world.goAway()
    for (let passed = 0; passed < HOUR_MS - 600_000; passed += 300_000) {
      await errorOf(world.send(toBob, frame(2)))
      world.pass(300_000)
    }
    world.comeBack()
    expect(await world.send(toBob, frame(2))).toBe('left')
    const arrivals = await world.carrier.receive(toAlice, ofBob, '')
    expect(arrivals.map(({ data }) => data)).toEqual([frame(1), frame(2)])
  })
})

describe('a relay that says "Too often"', () => {
  it('waits as long as it asks, and only with this box', async () => {
    const world = new World({ limits: { boxSends: { burst: 2, perSec: 0.1 } } })
    const one = await world.exchange()
    const two = await world.exchange()
    await world.send(one.toBob, frame(1))
    await world.send(one.toBob, frame(2))
    const { code, passes, retryAfterMs } = await errorOf(world.send(one.toBob, frame(3)))
    expect({ code, passes }).toEqual({ code: 'CARRIER_FULL', passes: true })
    expect(retryAfterMs).toBeGreaterThanOrEqual(10_000)
    const calls = world.network.asked.length
    expect((await errorOf(world.send(one.toBob, frame(3)))).code).toBe('CARRIER_FULL')
    expect(world.network.asked.length).toBe(calls)
    expect(await world.send(two.toBob, frame(1))).toBe('left')
    world.pass(retryAfterMs!)
    expect(await world.send(one.toBob, frame(3))).toBe('left')
  })
})

describe('a relay that lies', () => {
  const messages = (from: number, count: number): Scripted => ({
    body: {
      ok: true,
      at: from,
      data: 'AAAA',
      messages: Array.from({ length: count }, (_, i) => ({ at: from + i, data: 'AAAA' })),
    },
  })

  it('with old messages is refused for now', async () => {
    const world = new World()
    const { toBob, toAlice, ofBob } = await world.exchange()
    await world.send(toBob, frame(1))
    const [arrival] = await world.carrier.receive(toAlice, ofBob, '')
    world.scripted(({ action }) => (action === 'receive' ? messages(Number(arrival!.cursor), 1) : null))
    const error = await errorOf(world.carrier.receive(toAlice, ofBob, arrival!.cursor))
    expect(error).toMatchObject({ code: 'CARRIER_STRANGE', passes: true })
  })

  it('with messages without an end gives a bounded number of them', async () => {
    const world = new World()
    const { toAlice, ofBob } = await world.exchange()
    world.scripted(({ action, at }) => (action === 'receive' ? messages(at! + 1, 5000) : null))
    let cursor = ''
    let count = 0
    let failed: CarrierError | null = null
    while (failed === null) {
      try {
        const arrivals = await world.carrier.receive(toAlice, ofBob, cursor)
        expect(arrivals.length).toBe(128)
        count += arrivals.length
        cursor = arrivals.at(-1)!.cursor
      } catch (error) {
        failed = error as CarrierError
      }
    }
    expect(count).toBe(1024)
    expect(failed).toMatchObject({ code: 'CARRIER_STRANGE', passes: true, retryAfterMs: 1000 })
  })

  it.each([
    ['an answer of 3 MiB', (): Scripted => ({ body: 'x'.repeat(3 << 20) })],
    ['a page that asks for a login', (): Scripted => ({ body: '<html>Please log in</html>' })],
    ['another form', (): Scripted => ({ body: { ok: 1, at: '1', data: 7 } })],
  ])('with %s is refused for now', async (_name, script) => {
    const world = new World()
    const { toBob, toAlice, ofBob } = await world.exchange()
    world.scripted(script)
    const passing = { code: 'CARRIER_STRANGE', passes: true }
    expect(await errorOf(world.send(toBob, frame(1)))).toMatchObject(passing)
    expect(await errorOf(world.carrier.receive(toAlice, ofBob, ''))).toMatchObject(passing)
  })

  it('with the question of another relay gets no answer', async () => {
    const world = new World()
    const other = new World({ origin: 'https://other.example' })
    const { toAlice, ofBob } = await world.exchange()
    const pub = Buffer.from(ofBob.place.address.pub).toString('base64url')
    const asked = await other.relay.ask({ pub, ext: null, action: 'check', at: 0, ask: true })
    world.scripted(({ action }) => (action === 'check' ? { body: asked } : null))
    expect((await errorOf(world.carrier.receive(toAlice, ofBob, ''))).code).toBe('CARRIER_STRANGE')
  })
})

/** Resolves once it holds. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await setImmediate()
}

describe('waiting at a relay', () => {
  async function boxes(world: World, count: number): Promise<Watched[]> {
    return await Promise.all(
      Array.from({ length: count }, async (_, n) => {
        const place = await world.place()
        const line: Line = { id: `line ${n}`, own: [place], peer: place.address }
        return { line, own: { ...place.address.where[0]!, place } }
      }),
    )
  }

  const streamsOf = ({ network }: World): number[] =>
    network.asked.flatMap(({ url, body }) =>
      url.endsWith('/wait') ? [(body as { boxes: unknown[] }).boxes.length] : [],
    )

  function watch(world: World, lines: Watched[]): { told: string[]; changed: () => void } {
    const stop = new AbortController()
    onTestFinished(() => stop.abort())
    const told: string[] = []
    const onNews = ({ line }: Watched): void => void told.push(line.id)
    const watching = world.carrier.watch(() => lines, onNews, stop.signal)
    return { told, changed: () => watching.changed() }
  }

  it('takes a stream for 256 boxes, and one more for those that are added', async () => {
    const world = new World()
    const lines = await boxes(world, 260)
    const more = lines.splice(257)
    const { told, changed } = watch(world, lines)
    await until(() => streamsOf(world).length === 2)
    lines.push(...more)
    changed()
    changed()
    await until(() => streamsOf(world).length === 3)
    expect(streamsOf(world)).toEqual([256, 1, 3])
    await world.send(more[0]!.line, frame(1))
    await until(() => told.length === 1)
    await world.send(lines[0]!.line, frame(1))
    await until(() => told.length === 2)
    expect(told).toEqual(['line 257', 'line 0'])
  })

  it('makes few streams of many that were added one by one, and ends those without a box', async () => {
    const world = new World()
    const all = await boxes(world, 7)
    const lines: Watched[] = []
    const { told, changed } = watch(world, lines)
    for (const [n, each] of all.entries()) {
      lines.push(each)
      changed()
      await until(() => streamsOf(world).length === n + 1)
    }
    expect(streamsOf(world)).toEqual([1, 1, 1, 1, 5, 1, 1])
    lines.splice(0, 6)
    changed()
    const streams = world.network.asked.filter(({ url }) => url.endsWith('/wait'))
    expect(streams.map(({ request }) => request.signal.aborted)).toEqual([true, true, true, true, true, true, false])
    await world.send(all[0]!.line, frame(1))
    await world.send(all[6]!.line, frame(1))
    await until(() => told.length > 0)
    expect(told).toEqual(['line 6'])
  })

  it('makes one stream of all once the relay ends one of them', async () => {
    const world = new World()
    const { network } = world
    const [first, second] = await boxes(world, 2)
    const lines = [first!]
    let ends!: () => void
    const stream = new ReadableStream<Uint8Array>({ start: (given) => void (ends = () => given.close()) })
    network.script = ({ url }) => {
      if (!url.endsWith('/wait')) return null
      network.script = () => null
      return { headers: { 'content-type': 'text/event-stream' }, stream }
    }
    const { told, changed } = watch(world, lines)
    await until(() => streamsOf(world).length === 1)
    lines.push(second!)
    changed()
    await until(() => streamsOf(world).length === 2)
    ends()
    await network.clock.waited(1000)
    network.clock.turn(1000)
    await until(() => streamsOf(world).length === 3)
    expect(streamsOf(world)).toEqual([1, 1, 2])
    const streams = network.asked.filter(({ url }) => url.endsWith('/wait'))
    expect(streams.map(({ request }) => request.signal.aborted).slice(1)).toEqual([true, false])
    await world.send(second!.line, frame(1))
    await until(() => told.length === 1)
    expect(told).toEqual(['line 1'])
  })

  it('uses the question of the news, which saves a call', async () => {
    const world = new World()
    const { toBob, toAlice, ofBob } = await world.exchange()
    const { told } = watch(world, [{ line: toAlice, own: ofBob }])
    await until(() => streamsOf(world).length === 1)
    await world.send(toBob, frame(1))
    await until(() => told.length === 1)
    const calls = world.network.asked.length
    expect(await world.carrier.receive(toAlice, ofBob, '')).toHaveLength(1)
    expect(world.network.asked.length).toBe(calls + 1)
  })

  it('begins after what was processed', async () => {
    const world = new World()
    const { toBob, toAlice, ofBob } = await world.exchange()
    await world.send(toBob, frame(1))
    const [arrival] = await world.carrier.receive(toAlice, ofBob, '')
    await world.carrier.processed(toAlice, ofBob, arrival!.cursor)
    const { told } = watch(world, [{ line: toAlice, own: ofBob }])
    await until(() => streamsOf(world).length === 1)
    await world.send(toBob, frame(2))
    await until(() => told.length > 0)
    expect(told).toEqual(['to alice'])
    const wait = world.network.asked.find(({ url }) => url.endsWith('/wait'))
    expect(wait!.body).toMatchObject({ boxes: [{ at: Number(arrival!.cursor) }] })
  })

  it('checks each box once a minute where the relay has no streams', async () => {
    const world = new World()
    const { toBob, toAlice, ofBob } = await world.exchange()
    world.scripted(() => ({ status: 404, body: 'no such path' }), '/wait')
    const checks = (): number =>
      world.network.asked.filter(({ body }) => (body as { action?: string }).action === 'check').length
    const before = checks()
    const { told } = watch(world, [{ line: toAlice, own: ofBob }])
    await until(() => checks() === before + 1)
    await world.send(toBob, frame(1))
    await until(() => world.network.clock.waits.join() === '60000')
    expect(told).toEqual([])
    world.pass(60_000)
    await until(() => told.length === 1)
  })

  it('goes on after answers that no relay gives, and after the relay was away', async () => {
    const world = new World()
    const { toBob, toAlice, ofBob } = await world.exchange()
    const answers: (() => Scripted)[] = [
      () => ({ headers: { 'content-type': 'text/event-stream' }, body: `data: ${'x'.repeat(5000)}\n\n` }),
      () => {
        throw new TypeError('fetch failed')
      },
    ]
    world.network.script = ({ url }) => (url.endsWith('/wait') ? (answers.shift()?.() ?? null) : null)
    const { told } = watch(world, [{ line: toAlice, own: ofBob }])
    await world.send(toBob, frame(1))
    // The clock turns only until the stream that works is asked for: it would fall silent in this haste.
    while (streamsOf(world).length < 3) {
      await setImmediate()
      world.network.clock.turn(100)
    }
    await until(() => told.length > 0)
    expect(told).toEqual(['to alice'])
    expect(streamsOf(world)).toEqual([1, 1, 1])
  })

  it('tells each line that reads a box', async () => {
    const world = new World()
    const { toBob, toAlice, ofBob } = await world.exchange()
    const { told } = watch(world, [
      { line: toAlice, own: ofBob },
      { line: { ...toAlice, id: 'invite', peer: null }, own: ofBob },
    ])
    await until(() => streamsOf(world).length === 1)
    await world.send(toBob, frame(1))
    await until(() => told.length === 2)
    expect(told.toSorted()).toEqual(['invite', 'to alice'])
  })
})

it('an address that may not be called does not end the waiting at others', async () => {
  const world = new World()
  const { toBob, toAlice, ofBob } = await world.exchange()
  const stop = new AbortController()
  onTestFinished(() => stop.abort())
  const told: string[] = []
  const carrier = new RelayCarrier({
    client: (url) => {
      if (!url.startsWith(ORIGIN)) throw new RelayError('RELAY_URL', 'not allowed')
      return new RelayClient(parseRelayUrl(url), world.network.means)
    },
    token: () => null,
    clock: world.network.clock,
  })
  const bad: Watched = { line: { ...toAlice, id: 'bad' }, own: { ...ofBob, url: 'https://127.0.0.1/' } }
  carrier.watch(
    () => [bad, { line: toAlice, own: ofBob }],
    ({ line }) => void told.push(line.id),
    stop.signal,
  )
  await world.send(toBob, frame(1))
  await until(() => told.length > 0)
  expect(told).toEqual(['to alice'])
})
