/** The client of a relay, and curl, over HTTP: the example of docs/relay.md as it is printed there. */
import { execFile, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { answerQuestion } from '../../src/relay/answer-question.ts'
import { RelayClient, type News } from '../../src/relay/client.ts'
import { RELAY_LIMITS } from '../../src/relay/limits.ts'
import type { RelayFetch } from '../../src/relay/means.ts'
import type { Received } from '../../src/relay/read-answer.ts'
import { readBox } from '../../src/relay/read-box.ts'
import { parseRelayUrl } from '../../src/relay/relay-url.ts'
import { openFrom } from '../../src/seal/seal.ts'
import { RELAY_DOC } from '../generate/relay-example.ts'
import { codeOf } from '../support/code-of.ts'
import { ORIGIN, TestOwner, testRelay, type TestRelay, type TestRelayOptions } from '../support/relay-boxes.ts'
import { serveBoxes } from '../support/relay-http.ts'
import { RelayProcess } from '../support/relay-process.ts'
import { tempDir } from '../support/temp-dir.ts'

const run = promisify(execFile)
const DOC = readFileSync(RELAY_DOC, 'utf8')
const alice = await TestOwner.of('alice')

async function hasCurl(): Promise<boolean> {
  return await run('curl', ['--version']).then(
    () => true,
    () => false,
  )
}

/** Runs a line of the page as a shell does, against another server. */
async function curl(line: string, url: string): Promise<string> {
  const { stdout } = await run('sh', ['-c', line.replace(ORIGIN, url)])
  return stdout.trim()
}

/** The output of a line up to its first event. The stream would go on. */
async function firstEvent(line: string): Promise<string> {
  const child = spawn('sh', ['-c', `exec ${line}`], { stdio: ['ignore', 'pipe', 'ignore'] })
  let told = ''
  for await (const part of child.stdout) {
    told += String(part)
    if (/^data: .*\n/m.test(told)) break
  }
  child.kill()
  return told
}

/** An answer with its question opened: a seal is never the same twice. */
async function opened(text: string): Promise<unknown> {
  const answer = JSON.parse(text) as { question?: string }
  if (answer.question === undefined) return answer
  const sealed = Buffer.from(answer.question, 'base64url')
  const plain = await openFrom(alice.pair, 'relay-question', new Uint8Array(), sealed)
  return { ...answer, question: JSON.parse(new TextDecoder().decode(plain)) as unknown }
}

test.skipIf(!(await hasCurl()))(
  'every curl line of docs/relay.md gets the answer that is printed below it',
  async () => {
    const relay = testRelay()
    const { url } = await serveBoxes({ boxes: relay.boxes })
    const steps = [...DOC.matchAll(/^(curl (?!-N).*)\n(\{.*\})$/gm)].map(
      ([, line, answer]) => [line!, answer!] as const,
    )
    expect(steps.length).toBe(14)
    for (const [i, [line, answer]] of steps.entries()) {
      // The page says that two more messages come in between. A stream took one question, too.
      if (i === 2) await relay.boxes.check({ pub: alice.pub, at: 0 }, { address: 'stream' })
      if (i === 4) for (const data of ['T25lIG1vcmU', 'QW5kIGFub3RoZXI']) await relay.ask(alice.send(data))
      expect(await opened(await curl(line, url)), line).toEqual(await opened(answer))
    }
  },
)

test.skipIf(!(await hasCurl()))('the curl line of a stream tells what is printed below it', async () => {
  const relay = testRelay()
  const { url } = await serveBoxes({ boxes: relay.boxes })
  await relay.ask(alice.send('QmxhY2twb29s'))
  await relay.ask(alice.check())
  const [, line, comment, id, event] = /^(curl -N .*)\n(: .*)\n(id: .*)\n(data: .*)$/m.exec(DOC)!
  const told = await firstEvent(line!.replace(ORIGIN, url))
  const [first, second, third] = told.split('\n').filter((each) => each !== '')
  expect(first).toBe(comment)
  // The name of a stream is another one each time.
  expect(second).toMatch(/^id: [\w-]{22}$/)
  expect(id).toHaveLength(second!.length)
  expect(await opened(third!.slice(6))).toEqual(await opened(event!.slice(6)))
})

/** The text's own lines (Connectoid 0.1), with its missing comma and with real keys. */
const TEXT_LINES = {
  send: (pub: string) => `curl https://connecto.id/ -d '{
"pub": "${pub}",
"ext": null,
"action": "send",
"data": "vttf66efd34dttf66fg6fde57ggA"
}'`,
  check: (pub: string) => `curl https://connecto.id/ -d '{
"pub": "${pub}",
"ext": null,
"action": "check",
"at": 0
}'`,
  receive: (pub: string, answer: string) => `curl https://connecto.id/ -d '{
"pub": "${pub}",
"ext": null,
"answer": "${answer}",
"action": "receive",
"at": 0,
"limit": 1
}'`,
}

test.skipIf(!(await hasCurl())).each(['x25519', 'p384'] as const)(
  'every curl line of the Connectoid text gets an answer of its printed form (%s)',
  async (suite) => {
    const relay = testRelay()
    const { url } = await serveBoxes({ boxes: relay.boxes })
    const owner = await TestOwner.new(suite)
    const ask = async (line: string): Promise<Record<string, unknown>> =>
      JSON.parse(await curl(line.replace('https://connecto.id', ORIGIN), url)) as Record<string, unknown>
    expect(await ask(TEXT_LINES.check(owner.pub))).toEqual({ ok: true, found: false })
    expect(await ask(TEXT_LINES.send(owner.pub))).toEqual({ ok: true })
    const { question, ...found } = await ask(TEXT_LINES.check(owner.pub))
    expect(found).toEqual({ ok: true, found: true })
    const answer = await answerQuestion(owner.pair, ORIGIN, question as string, Math.floor(relay.nowUs / 1e6))
    const { at, ...received } = await ask(TEXT_LINES.receive(owner.pub, answer))
    expect(received).toEqual({ ok: true, data: 'vttf66efd34dttf66fg6fde57ggA' })
    expect(at).toBeGreaterThan(1e15)
    expect(at).toBeLessThan(2 ** 53)
    expect(await ask(TEXT_LINES.receive(owner.pub, 'hghy64egyu7yguy5'))).toEqual({ ok: false, error: 'Wrong answer' })
  },
)

const clock = {
  nowMs: (): number => Date.now(),
  after: (ms: number, done: () => void): (() => void) => {
    const timer = setTimeout(done, ms)
    return () => clearTimeout(timer)
  },
}

/** A client with the standard fetch. The clock of its relay stands still, and the client corrects its own by that of the server. */
async function served(options: TestRelayOptions = {}): Promise<{ client: RelayClient; relay: TestRelay }> {
  const relay = testRelay(options)
  relay.nowUs = Date.now() * 1000
  const server = await serveBoxes({ boxes: relay.boxes })
  const fetch: RelayFetch = async (url, request) => await globalThis.fetch(url.replace(ORIGIN, server.url), request)
  const client = new RelayClient(parseRelayUrl(ORIGIN), { fetch, clock, random: Math.random })
  return { client, relay }
}

/** A client of a relay on this computer, which the owner named. */
function clientOf(url: string): RelayClient {
  return new RelayClient(parseRelayUrl(url, ['127.0.0.1']), { fetch: globalThis.fetch, clock, random: Math.random })
}

test.each(['x25519', 'p384'] as const)('a client sends, waits, receives and retires over HTTP (%s)', async (suite) => {
  const { client, relay } = await served()
  const owner = await TestOwner.new(suite)
  const { key } = owner.pair
  const wait = client.wait([{ key, at: 0 }])
  const next = wait.next()
  await client.post(key, new Uint8Array(12_288).fill(1))
  const news = (await next).value as News
  const read: number[] = []
  const cursor = await readBox(client, owner.pair, 0, ({ data }) => void read.push(data.length), {
    question: news.question,
  })
  expect(read).toEqual([12_288])
  expect(await relay.store.stats()).toMatchObject({ messages: 0 })
  expect(await client.check(key, cursor)).toEqual({ found: false, question: null })
  expect(await codeOf(client.post(key, new Uint8Array(12_289)))).toBe('RELAY_TOO_BIG')
  await client.retire(owner.pair)
  expect(await codeOf(client.post(key, Uint8Array.of(1)))).toBe('RELAY_USED')
  await wait.return()
})

test('a full box of messages of the greatest size comes in one answer', async () => {
  const { client, relay } = await served({ limits: { boxSends: { burst: 1000, perSec: 1 } } })
  await relay.ask(alice.check())
  const count = RELAY_LIMITS.box.maxBytes / RELAY_LIMITS.maxDataChars
  for (let n = 0; n < count; n++) await relay.ask(alice.send(Buffer.alloc(12_288, n + 1).toString('base64url')))
  const received = await client.receive(alice.pair, 0)
  expect(received.map(({ data }) => data[0])).toEqual(Array.from({ length: count }, (_, n) => n + 1))
})

test.skipIf(!(await hasCurl()))(
  "the text's lines, a client and its stream work with the real program, also after kill -9",
  async () => {
    const home = tempDir()
    const first = await RelayProcess.start({ home })
    const owner = await TestOwner.new('x25519')
    const { key } = owner.pair
    const ask = async (relay: RelayProcess, line: string): Promise<Record<string, unknown>> =>
      JSON.parse(await curl(line.replace('https://connecto.id', ORIGIN), relay.url)) as Record<string, unknown>
    expect(await ask(first, TEXT_LINES.check(owner.pub))).toEqual({ ok: true, found: false })
    expect(await ask(first, TEXT_LINES.send(owner.pub))).toEqual({ ok: true })
    const client = clientOf(first.url)
    const wait = client.wait([{ key, at: 0 }])
    const { question } = (await wait.next()).value as News
    const { port } = first
    await first.kill('SIGKILL')
    expect(await codeOf(wait.next())).toBe('RELAY_UNREACHABLE')
    expect(await codeOf(client.check(key, 0))).toBe('RELAY_UNREACHABLE')
    const second = await RelayProcess.start({ home, listen: `127.0.0.1:${port}` })
    expect(await ask(second, TEXT_LINES.check(owner.pub))).toMatchObject({ ok: true, found: true })
    const read: Received[] = []
    // The new process may refuse the old question; the client then asks anew.
    const cursor = await readBox(client, owner.pair, 0, (message) => void read.push(message), { question })
    expect(read.map(({ data }) => Buffer.from(data).toString('base64url'))).toEqual(['vttf66efd34dttf66fg6fde57ggA'])
    expect(read[0]!.at).toBe(cursor)
    expect(cursor).toBeLessThan(2 ** 53)
    expect(await second.kill('SIGTERM')).toBe(0)
  },
)
