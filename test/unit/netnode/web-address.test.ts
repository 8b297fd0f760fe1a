/** Which addresses personad-net calls, by which way, and whose certificates it believes. */
import { execFileSync, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { HandClock } from '../../support/hand-clock.ts'
import { SocksServer } from '../../support/socks-server.ts'
import { tempDir } from '../../support/temp-dir.ts'
import { WebServer } from '../../support/web-server.ts'
import type { Report } from '../../../src/netnode/protocol.ts'
import type { NetSettings } from '../../../src/netnode/settings.ts'
import { WebCalls } from '../../../src/netnode/web-calls.ts'
import { PrivateHosts } from '../../../src/core/encoding/private-hosts.ts'
import { checkUrl } from '../../../src/netnode/web-url.ts'
import { systemClock, type Clock } from '../../../src/process/pulse.ts'

interface Outcome {
  readonly code: string
  readonly message: string
  readonly status: number
}

/** The calls of personad-net in this process, with names that the test resolves. */
class Caller {
  readonly #calls: WebCalls
  readonly #outcomes = new Map<number, (outcome: Partial<Outcome>) => void>()
  readonly resolved: string[] = []
  #lastId = 0

  constructor(
    settings: Partial<NetSettings>,
    names: Readonly<Record<string, readonly string[]>> = {},
    clock: Clock = systemClock,
  ) {
    const resolve = (host: string): Promise<string[]> => {
      this.resolved.push(host)
      const found = names[host]
      return found === undefined ? Promise.reject(new Error('ENOTFOUND')) : Promise.resolve([...found])
    }
    const all = { bootstrap: [], proxy: null, private: [], ca: null, ...settings }
    this.#calls = new WebCalls(all, resolve, clock, (report) => this.#take(report))
    onTestFinished(() => this.#calls.close())
  }

  /** @returns the code of the refusal, or the status of the answer */
  async get(url: string): Promise<Partial<Outcome>> {
    const id = ++this.#lastId
    const { promise, resolve } = Promise.withResolvers<Partial<Outcome>>()
    this.#outcomes.set(id, resolve)
    try {
      this.#calls.open({ id, method: 'GET', url, headers: {}, bodyBytes: 0, maxBytes: 1000 }, new Uint8Array())
    } catch (error) {
      return error as Outcome
    }
    return await promise
  }

  #take(report: Report): void {
    if (report.type === 'http.head') this.#outcomes.get(report.id)?.({ status: report.status })
    if (report.type === 'refused') this.#outcomes.get(report.id)?.(report)
  }
}

describe('an address that came from others is called', () => {
  const refused = (url: string, named: readonly string[] = []): boolean => {
    try {
      checkUrl(url, new PrivateHosts(named))
      return false
    } catch {
      return true
    }
  }

  test.each([
    'https://relay.example/',
    'https://relay.example:1024/a/b',
    'https://relay.example:65535/',
    'https://xn--bcher-kva.example/',
    `https://${'a'.repeat(63)}.example/`,
    'https://1.2.3.example/',
    'https://relay.example/inbox?app=org.example&after=0',
    'https://relay.example/?a=',
  ])('as it is: %s', (url) => {
    expect(refused(url)).toBe(false)
  })

  test.each([
    'http://relay.example/',
    'ftp://relay.example/',
    'file:///etc/passwd',
    'https://relay.example:1023/',
    'https://relay.example:22/',
    'https://ada@relay.example/',
    'https://ada:secret@relay.example/',
    'https://relay.example/?a',
    'https://relay.example/?',
    'https://relay.example/?a=b?c=d',
    'https://relay.example/?a=b&',
    'https://relay.example/?a=%00',
    'https://relay.example/?a=b#c',
    'https://relay.example/#a',
    'https://relay.example',
    'https://RELAY.example/',
    'https://relay.example/a/../b',
    ' https://relay.example/',
    'https://relay.example/\n',
    'https://localhost/',
    'https://relay/',
    'https://relay.example./',
    'https://relay_1.example/',
    `https://${'a'.repeat(64)}.example/`,
    `https://${'a.'.repeat(126)}example/`,
    'https://127.0.0.1/',
    'https://8.8.8.8/',
    'https://127.1/',
    'https://2130706433/',
    'https://0x7f000001/',
    'https://0177.0.0.1/',
    'https://127.0.0.0x1/',
    'https://[::1]/',
    'https://[2a00::1]/',
    'https://[::ffff:8.8.8.8]/',
  ])('never in this form: %j', (url) => {
    expect(refused(url)).toBe(true)
  })

  test('over http, at a low port and as a number only if the owner named its host and port', () => {
    for (const [url, named, other] of [
      ['http://127.0.0.1:8080/', '127.0.0.1', '127.0.0.2'],
      ['http://127.0.0.1:8080/', '127.0.0.1:8080', '127.0.0.1:8081'],
      ['http://relay.home/', 'relay.home', 'nas.home'],
      ['http://relay.home/', 'relay.home:80', 'relay.home:443'],
      ['https://relay/', 'relay:443', 'relay:80'],
      ['https://nas:81/', 'nas:81', 'nas'],
      ['http://[fd00::1]:81/', '[fd00::1]:81', 'fd00::1'],
    ] as const) {
      expect(refused(url), url).toBe(true)
      expect(refused(url, [named]), `${url} by ${named}`).toBe(false)
      expect(refused(url, [other]), `${url} by ${other}`).toBe(true)
    }
  })
})

describe('a name is resolved once, and the connection goes', () => {
  test('to none of its addresses that lead into a private network', async () => {
    const server = await WebServer.start((_request, response) => void response.end())
    const inside = ['127.0.0.1', '10.0.0.1', '169.254.169.254', '::1', '::ffff:127.0.0.1', '64:ff9b::7f00:1', 'fd00::1']
    const caller = new Caller({}, { 'evil.example': inside })
    expect(await caller.get(`https://evil.example:${server.port}/`)).toMatchObject({
      code: 'NET_ADDRESS',
      message: `the name evil.example leads into a private network, and net.private does not name it with port ${server.port}`,
    })
    expect(caller.resolved).toEqual(['evil.example'])
    expect(server.connections).toBe(0)
  })

  test('to its private address if the owner named the host or the address, and the port if they named one', async () => {
    const server = await WebServer.start((_request, response) => void response.end())
    const names = { 'relay.home': ['127.0.0.1'] }
    const url = `http://relay.home:${server.port}/`
    expect(await new Caller({ private: ['relay.home'] }, names).get(url)).toEqual({ status: 200 })
    // http needs the name itself to be named; an https call fails later, at the certificate.
    const byAddress = new Caller({ private: ['127.0.0.1'] }, { 'relay.example': ['127.0.0.1'] })
    expect(await byAddress.get(url)).toMatchObject({ code: 'NET_ADDRESS' })
    expect(await byAddress.get(`https://relay.example:${server.port}/`)).toMatchObject({ code: 'NET_TLS' })
    const other = await WebServer.start((_request, response) => void response.end())
    const byPort = new Caller({ private: [`127.0.0.1:${server.port}`] }, { 'relay.example': ['127.0.0.1'] })
    expect(await byPort.get(`https://relay.example:${server.port}/`)).toMatchObject({ code: 'NET_TLS' })
    expect(await byPort.get(`https://relay.example:${other.port}/`)).toMatchObject({ code: 'NET_ADDRESS' })
    expect(await byPort.get(server.url)).toEqual({ status: 200 })
    expect(await byPort.get(other.url)).toMatchObject({ code: 'NET_ADDRESS' })
    expect(other.connections).toBe(0)
  })

  test('nowhere if nobody knows it', async () => {
    expect(await new Caller({}).get('https://nobody.example/')).toMatchObject({ code: 'NET_NAME' })
    expect(await new Caller({}, { 'empty.example': [] }).get('https://empty.example/')).toMatchObject({
      code: 'NET_NAME',
    })
  })
})

const NO_OPENSSL = spawnSync('openssl', ['version']).error !== undefined

describe.skipIf(NO_OPENSSL)('a certificate (needs openssl)', () => {
  function certificate(subject: string): { readonly key: string; readonly cert: string } {
    const directory = tempDir()
    const [key, cert] = [join(directory, 'key.pem'), join(directory, 'cert.pem')]
    const args = `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=x -addext subjectAltName=${subject}`
    execFileSync('openssl', [...args.split(' '), '-keyout', key, '-out', cert], { stdio: 'ignore' })
    return { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') }
  }

  test('that nobody vouches for, or of another name, ends the call; one of the own authority does not', async () => {
    const tls = certificate('DNS:relay.home')
    const server = await WebServer.start((_request, response) => void response.end(), tls)
    const names = { 'relay.home': ['127.0.0.1'], 'other.home': ['127.0.0.1'] }
    const home = { private: Object.keys(names) }
    const url = `https://relay.home:${server.port}/`
    expect(await new Caller(home, names).get(url)).toMatchObject({ code: 'NET_TLS' })
    const trusting = new Caller({ ...home, ca: tls.cert }, names)
    expect(await trusting.get(url)).toEqual({ status: 200 })
    expect(await trusting.get(url.replace('relay', 'other'))).toMatchObject({ code: 'NET_TLS' })
    expect(server.asked).toEqual(['GET / '])
  })

  test('is judged through a proxy too, by the name that was called', async () => {
    const tls = certificate('DNS:relay.example')
    const server = await WebServer.start((_request, response) => void response.end(), tls)
    const hosts = new Map([
      ['relay.example', server.port],
      ['other.example', server.port],
    ])
    const proxy = await SocksServer.start(hosts)
    const caller = new Caller({ proxy: { host: '127.0.0.1', port: proxy.port }, ca: tls.cert })
    expect(await caller.get('https://relay.example/')).toEqual({ status: 200 })
    expect(await caller.get('https://other.example/')).toMatchObject({ code: 'NET_TLS' })
  })
})

describe('with a proxy', () => {
  test('the proxy gets the name, and nothing is resolved here', async () => {
    const server = await WebServer.start((_request, response) => void response.end())
    const proxy = await SocksServer.start(new Map([['relay.home', server.port]]))
    const caller = new Caller({
      proxy: { host: '127.0.0.1', port: proxy.port },
      private: ['relay.home:81', '10.0.0.1', 'fd00::1'],
    })
    for (let i = 0; i < 2; i++) expect(await caller.get('http://relay.home:81/')).toEqual({ status: 200 })
    expect(proxy.asked).toEqual(['3 relay.home:81'])
    expect(await caller.get('http://10.0.0.1/')).toMatchObject({ code: 'NET_UNREACHABLE' })
    expect(await caller.get('http://[fd00::1]/')).toMatchObject({ code: 'NET_UNREACHABLE' })
    expect(proxy.asked.slice(1)).toEqual(['1 10.0.0.1:80', `4 fd00${'0'.repeat(27)}1:80`])
    expect(caller.resolved).toEqual([])
    expect(await caller.get('https://127.0.0.1/')).toMatchObject({ code: 'NET_ADDRESS' })
    expect(proxy.asked).toHaveLength(3)
  })

  test('that refuses, asks for a password, speaks something else or is away, calls fail and never go around it', async () => {
    const server = await WebServer.start((_request, response) => void response.end())
    const proxy = await SocksServer.start(new Map())
    const through = (port: number): Caller => new Caller({ proxy: { host: '127.0.0.1', port }, private: ['127.0.0.1'] })
    expect(await through(proxy.port).get(server.url)).toMatchObject({
      code: 'NET_UNREACHABLE',
      message: 'the proxy made no connection: it does not reach 127.0.0.1: the host is unreachable',
    })
    proxy.method = 2
    expect(await through(proxy.port).get(server.url)).toMatchObject({
      message: 'the proxy made no connection: it asks for a password',
    })
    expect(await through(server.port).get(server.url)).toMatchObject({
      message: 'the proxy made no connection: it speaks no SOCKS5',
    })
    const gone = await WebServer.start(() => {})
    const { port } = gone
    gone.stop()
    expect(await through(port).get(server.url)).toMatchObject({
      message: `the proxy 127.0.0.1:${port} cannot be reached`,
    })
    expect(server.asked).toEqual([])
  })
})

describe('a server that falls silent', () => {
  test('loses the call after 60 seconds before its answer, and after 60 within it', async () => {
    const clock = new HandClock()
    const server = await WebServer.start((request, response) => {
      if (request.url === '/none') return
      response.writeHead(200, { 'Content-Length': 2 })
      response.write('x')
    })
    const caller = new Caller({ private: ['127.0.0.1'] }, {}, clock)
    for (const path of ['none', 'half']) {
      const outcome = caller.get(`${server.url}${path}`)
      await clock.waited(60_000)
      clock.turn(59_999)
      expect(clock.waits).toEqual([1])
      clock.turn(1)
      expect(await outcome).toMatchObject({ code: 'NET_SILENT' })
      expect(clock.waits).toEqual([])
    }
  })
})
