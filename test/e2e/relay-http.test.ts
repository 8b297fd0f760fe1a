/** The real relay over HTTP: killed under load, flooded, attacked by its protocol, and read through for what it must not keep. */
import { randomBytes, randomInt } from 'node:crypto'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { encodeUtf8 } from '../../src/core/encoding/bytes.ts'
import { callRelay } from '../../src/relayd/program/call-relay.ts'
import { sealTo } from '../../src/seal/seal.ts'
import { BoxOwner, madeUpKey, type Post } from '../support/box-owner.ts'
import { postText, RawConnection } from '../support/relay-http.ts'
import { RelayProcess } from '../support/relay-process.ts'
import { tempDir } from '../support/temp-dir.ts'

/** No limit of a rate, so that a test is as fast as the relay. */
const FAST = `limits:
  box_burst: 1000000
  address_burst: 1000000
  address_per_second: 1000000
  checks_burst: 1000000
  streams_of_address: 2000
  connections_of_address: 4000
`

/** Posts on a few connections that stay open. Rejects when the relay is gone. */
function poster(url: string, headers: Readonly<Record<string, string>> = {}, localAddress = '127.0.0.1'): Post {
  const agent = new Agent({ keepAlive: true, maxSockets: 16 })
  onTestFinished(() => agent.destroy())
  return (body) =>
    new Promise((resolve, reject) => {
      const call = request(url, { method: 'POST', agent, headers, localAddress }, (response) => {
        let text = ''
        response.on('data', (part) => (text += String(part)))
        response.on('end', () => (response.complete ? resolve(JSON.parse(text)) : reject(new Error('cut off'))))
        response.on('error', reject)
      })
      call.on('error', reject)
      call.end(JSON.stringify(body))
    })
}

const send = (pub: string, data: string): unknown => ({ pub, ext: null, action: 'send', data })
const bytesOf = (text: string): string => Buffer.from(text).toString('base64url')

/** How many of each answer there were. */
function tally(answers: readonly unknown[]): Record<string, number> {
  return Object.fromEntries(
    [...Map.groupBy(answers, (answer) => JSON.stringify(answer))].map(([answer, all]) => [answer, all.length]),
  )
}

/** Calls with each number below `count`, 32 at a time. */
async function each<T>(count: number, call: (n: number) => Promise<T>): Promise<T[]> {
  const results: T[] = []
  let next = 0
  const work = async (): Promise<void> => {
    for (let n = next++; n < count; n = next++) results.push(await call(n))
  }
  await Promise.all(Array.from({ length: 32 }, work))
  return results
}

describe('a relay killed under load', () => {
  test('has everything that it acknowledged, and no cursor goes back', async () => {
    const home = tempDir()
    const owners = await Promise.all([1, 2, 3, 4].map(() => BoxOwner.make()))
    const acknowledged = owners.map((): string[] => [])
    const cursors = owners.map(() => 0)
    let relay = await RelayProcess.start({ home, config: FAST })
    // A box that nobody checked holds only a few messages.
    for (const owner of owners) await owner.receive(poster(relay.url), relay.url)
    let rounds = 0
    for (const signal of ['SIGKILL', 'SIGKILL', 'SIGKILL', 'SIGKILL', 'SIGKILL', 'SIGTERM'] as const) {
      let left = randomInt(20, 120)
      const killing = poster(relay.url)
      const work = async (worker: number): Promise<void> => {
        for (let n = 0; n < 40; n++) {
          const owner = worker % owners.length
          const data = bytesOf(`round ${rounds} worker ${worker} message ${n}`)
          try {
            const answer = (await killing(send(owners[owner]!.pub, data))) as { ok: boolean }
            if (answer.ok) acknowledged[owner]!.push(data)
          } catch {
            return
          }
          if (--left === 0) relay.child.kill(signal)
        }
      }
      await Promise.all([0, 1, 2, 3, 4, 5, 6, 7].map(work))
      if (left > 0) relay.child.kill(signal)
      expect(await relay.ended).toBe(signal === 'SIGTERM' ? 0 : signal)
      relay = await RelayProcess.start({ home, config: FAST })
      const post = poster(relay.url)
      for (const [i, owner] of owners.entries()) {
        const messages = await owner.receive(post, relay.url, cursors[i])
        const ats = messages.map(({ at }) => at)
        expect(ats).toEqual(ats.toSorted((a, b) => a - b))
        expect(ats.every((at) => at > cursors[i]!)).toBe(true)
        const found = new Set(messages.map(({ data }) => data))
        expect(acknowledged[i]!.filter((data) => !found.has(data))).toEqual([])
        cursors[i] = ats.at(-1) ?? cursors[i]!
        acknowledged[i] = []
        expect(await owner.receive(post, relay.url, cursors[i])).toEqual([])
      }
      rounds++
    }
    expect(rounds).toBe(6)
  }, 120_000)
})

describe('floods', () => {
  test('10 000 boxes from one address are refused after the first 1 000, and others are served', async () => {
    const config = `trust_proxy: [127.0.0.1]\n${FAST}`
    const relay = await RelayProcess.start({ home: tempDir(), config })
    const flood = poster(relay.url, { 'x-forwarded-for': '203.0.113.7' })
    const answers = await each(10_000, () => flood(send(madeUpKey(randomBytes), 'aGk')))
    const crowded = JSON.stringify({ ok: false, error: 'Too often', retryAfter: 60 })
    expect(tally(answers)).toEqual({ '{"ok":true}': 1000, [crowded]: 9000 })
    const other = poster(relay.url, { 'x-forwarded-for': '203.0.113.8' })
    const owner = await BoxOwner.make()
    expect(await other(send(owner.pub, 'aGk'))).toEqual({ ok: true })
    expect(await owner.receive(other, relay.url)).toHaveLength(1)
    const { boxes } = (await callRelay(join(relay.dataDir, 'control.sock'), 'stats', {})) as { boxes: number }
    expect(boxes).toBe(1001)
  }, 120_000)

  test('10 000 made-up ids get the words of a wrong answer, and no box', async () => {
    const relay = await RelayProcess.start({ home: tempDir(), config: FAST })
    const post = poster(relay.url)
    const answer = `${Buffer.alloc(16).toString('base64url')}.${Math.floor(Date.now() / 1000) + 30}.${Buffer.alloc(32).toString('base64url')}`
    const answers = await each(10_000, () =>
      post({ pub: madeUpKey(randomBytes), ext: null, action: 'receive', answer, at: 0, limit: 1 }),
    )
    expect(tally(answers)).toEqual({ '{"ok":false,"error":"Wrong answer"}': 10_000 })
    expect(await callRelay(join(relay.dataDir, 'control.sock'), 'stats', {})).toMatchObject({ boxes: 0, messages: 0 })
  }, 120_000)

  test('an address over its rate is told when to come back, and others are served', async () => {
    const relay = await RelayProcess.start({ home: tempDir(), config: 'trust_proxy: [127.0.0.1]\n' })
    const owner = await BoxOwner.make()
    const check = { pub: owner.pub, ext: null, action: 'check', at: 0 }
    const fast = poster(relay.url, { 'x-forwarded-for': '203.0.113.7' })
    const answers = await each(200, () => fast(check))
    const refused = answers.filter((answer) => !(answer as { ok: boolean }).ok)
    expect(refused.length).toBeGreaterThan(0)
    expect(refused[0]).toEqual({ ok: false, error: 'Too often', retryAfter: 1 })
    expect(await poster(relay.url, { 'x-forwarded-for': '203.0.113.8' })(check)).toMatchObject({ ok: true })
  })
})

test('1 000 streams: one send is told to the one that waits for it, and one to all', async () => {
  const relay = await RelayProcess.start({ home: tempDir(), config: `${FAST}  unchecked_boxes: 2000\n` })
  const own = Array.from({ length: 1000 }, () => madeUpKey(randomBytes))
  const shared = await BoxOwner.make()
  const post = poster(relay.url)
  const streams = await each(1000, async (n) => {
    const stream = await RawConnection.open(relay.port)
    const boxes = [
      { pub: own[n]!, at: 0 },
      { pub: shared.pub, at: 0 },
    ]
    stream.socket.write(postText('/wait', JSON.stringify({ boxes })))
    await stream.received(': still here')
    return { stream, pub: own[n]! }
  })
  const { streams: open } = (await callRelay(join(relay.dataDir, 'control.sock'), 'stats', {})) as { streams: number }
  expect(open).toBe(1000)
  const chosen = streams[randomInt(1000)]!
  await post(send(chosen.pub, 'aGk'))
  await chosen.stream.received(`"pub":"${chosen.pub}"`)
  await post(send(shared.pub, 'aGk'))
  await Promise.all(streams.map(({ stream }) => stream.received(`"pub":"${shared.pub}"`)))
  expect(streams.filter(({ stream, pub }) => stream.text.includes(`"pub":"${pub}"`))).toEqual([chosen])
  expect(await relay.kill('SIGTERM')).toBe(0)
  await Promise.all(streams.map(({ stream }) => stream.closed))
}, 120_000)

describe('abuse of the protocol', () => {
  test('hostile bytes, headers, bodies and pipelines end their own connection, and nothing else', async () => {
    const relay = await RelayProcess.start({ home: tempDir(), config: FAST })
    const attacks: readonly (string | Buffer)[] = [
      randomBytes(10_000),
      Buffer.from('16030100ff010000fb0303', 'hex'),
      `GET / HTTP/1.1\r\nHost: x\r\nX: ${'y'.repeat(20_000)}\r\n\r\n`,
      'GET / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n',
      'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /info HTTP/1.1\r\n\r\n',
      'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n',
      'POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 99999999999\r\nConnection: close\r\n\r\n',
      'CONNECT relay.example:443 HTTP/1.1\r\nHost: x\r\n\r\n',
      'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
      postText('/', '['.repeat(100_000), ['Connection: close']),
      postText('/', '{}').repeat(5000),
    ]
    for (const attack of attacks) {
      const connection = await RawConnection.open(relay.port)
      connection.socket.end(attack)
      await connection.closed
    }
    expect((await fetch(`${relay.url}/healthz`)).status).toBe(200)
    expect(relay.log.filter((line) => line.includes('"level":"error"'))).toEqual([])
  })

  test('300 connections that send nothing, or half a header, or read nothing, keep nobody out', async () => {
    const relay = await RelayProcess.start({ home: tempDir(), config: FAST })
    const idle = await each(100, () => RawConnection.open(relay.port))
    const half = await each(100, () => RawConnection.open(relay.port))
    for (const { socket } of half) socket.write('POST / HTTP/1.1\r\nHost: x\r\nContent-')
    const deaf = await each(100, () => RawConnection.open(relay.port))
    for (const { socket } of deaf) {
      socket.pause()
      socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(16))
    }
    const owner = await BoxOwner.make()
    const post = poster(relay.url)
    expect(await post(send(owner.pub, 'aGk'))).toEqual({ ok: true })
    expect(await owner.receive(post, relay.url)).toHaveLength(1)
    for (const { socket } of [...idle, ...half, ...deaf]) socket.destroy()
  })
})

test('neither the log nor the disk holds an address or a plaintext, and the log no key', async () => {
  const home = tempDir()
  const relay = await RelayProcess.start({ home, config: `trust_proxy: [127.0.0.1]\nlog: {level: debug}\n${FAST}` })
  const owner = await BoxOwner.make()
  const plaintext = `canary ${randomBytes(16).toString('hex')}`
  const sealed = await sealTo(owner.pair.key, 'channel-m1', new Uint8Array(), encodeUtf8(plaintext))
  const data = Buffer.from(sealed).toString('base64url')
  const direct = poster(relay.url, {}, '127.9.8.7')
  const forwarded = poster(relay.url, { 'x-forwarded-for': '203.0.113.77' })
  const six = poster(relay.url, { 'x-forwarded-for': '2001:db8:aaaa:bbbb::7' })
  for (const post of [direct, forwarded, six]) {
    expect(await post(send(owner.pub, data))).toMatchObject({ ok: true })
    await post({ nonsense: plaintext })
    await post(send('nonsense', plaintext))
  }
  const stuck = await RawConnection.open(relay.port)
  stuck.socket.end('GET nonsense')
  await stuck.closed
  expect(await owner.receive(forwarded, relay.url)).toHaveLength(1)
  const bare = poster(relay.url, { 'x-forwarded-for': '203.0.113.77' })
  await bare(send(madeUpKey(randomBytes), data))
  await relay.kill('SIGKILL')
  const disk = readdirSync(relay.dataDir, { recursive: true, encoding: 'utf8' })
    .map((name) => join(relay.dataDir, name))
    .filter((path) => statSync(path).isFile())
    .map((path) => readFileSync(path))
  const log = Buffer.from(relay.log.join('\n') + relay.output)
  const secrets: readonly Buffer[] = [
    ...['127.9.8.7', '203.0.113.77', '2001:db8:aaaa:bbbb', plaintext, bytesOf(plaintext).slice(4, -4)].map((text) =>
      Buffer.from(text),
    ),
    Buffer.from('cb00714d', 'hex'),
    Buffer.from('cb00714d'),
    Buffer.from('20010db8aaaabbbb', 'hex'),
  ]
  // The search finds what is there.
  expect(disk.some((bytes) => bytes.includes(data))).toBe(true)
  expect(log.includes('relay.ready')).toBe(true)
  for (const bytes of [...disk, log])
    for (const secret of secrets) expect(bytes.includes(secret), secret.toString()).toBe(false)
  expect(log.includes(owner.pub)).toBe(false)
})
