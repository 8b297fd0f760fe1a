/** The check of objects: against a relay over HTTP, and through proxies that get in its way. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { checkObject } from '../../../../src/relayd/program/check-object.ts'
import type { CheckedRelay } from '../../../../src/relayd/program/checked-relay.ts'
import { Outside } from '../../../../src/relayd/program/outside.ts'
import { NOW_SEC } from '../../../support/made-persona.ts'
import { CARDS_URL, type TestCardsOptions } from '../../../support/relay-cards.ts'
import { objectWorld } from '../../../support/relay-object-world.ts'

const MIB = 1 << 20

/** Answers instead of the relay, or changes the headers of the request and hands it on. */
type Proxy = (request: IncomingMessage, response: ServerResponse, headers: Headers) => boolean

async function startProxy(url: string, proxy: Proxy): Promise<string> {
  const server = createServer((request, response) => void handOn(url, proxy, request, response))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

async function handOn(url: string, proxy: Proxy, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = Buffer.concat(await request.toArray())
  const headers = new Headers(request.headers as Record<string, string>)
  headers.delete('connection')
  if (proxy(request, response, headers)) return
  const method = request.method ?? 'GET'
  const answer = await fetch(url + (request.url ?? ''), { method, headers, ...(body.length > 0 ? { body } : {}) })
  response.writeHead(answer.status, Object.fromEntries(answer.headers)).end(Buffer.from(await answer.arrayBuffer()))
}

interface Checked {
  readonly text: string
  /** Objects that are left at the relay. */
  readonly left: number
}

async function check(
  proxy: Proxy = () => false,
  token: string | null = 'secret',
  options: TestCardsOptions = {},
): Promise<Checked> {
  const { server, kept, limits } = await objectWorld(options)
  const outside = new Outside(await startProxy(server.url, proxy), null)
  const info = { url: CARDS_URL, senders: '', limits: { dataChars: 0, objectBytes: limits.object.maxObjectBytes } }
  const relay: CheckedRelay = { url: CARDS_URL, outside, token, nowMs: () => NOW_SEC * 1000, info }
  const text = await checkObject(relay).catch((error: Error) => error.message)
  return { text, left: kept().length }
}

test('an object is left, read in part, and deleted', async () => {
  const text = `an object of ${2 * MIB} bytes was left, read in part and deleted`
  expect(await check()).toEqual({ text, left: 0 })
})

test('an object is no larger than the relay allows', async () => {
  const { text } = await check(undefined, undefined, { object: { maxObjectBytes: 5000 } })
  expect(text).toContain('an object of 5000 bytes was left')
})

test('a guest learns that they may leave none', async () => {
  const text = 'an object of a guest was refused; --token-file would try one'
  expect(await check(undefined, null)).toEqual({ text, left: 0 })
})

test('a relay that takes no guests is tried by a token alone', async () => {
  const { text } = await check(undefined, null, { limits: { maxGuestCards: 0 } })
  expect(text).toBe('only with a token, which --token-file would give')
})

test.each<[string, Proxy, string]>([
  [
    'refuses large bodies',
    ({ headers }, response) => Number(headers['content-length']) > MIB && response.writeHead(413).end() === response,
    'is too big for a proxy',
  ],
  [
    'drops the header Range',
    (_request, _response, headers) => {
      headers.delete('range')
      return false
    },
    'does the proxy drop Range?',
  ],
  [
    'answers a part of its own',
    ({ headers }, response) => {
      if (headers.range === undefined) return false
      response.writeHead(206, { 'Content-Range': `bytes 0-1/${2 * MIB}` }).end('AA')
      return true
    },
    'or other bytes',
  ],
  [
    'answers what was deleted',
    ({ method, headers }, response) =>
      method === 'GET' && headers.range === undefined && response.writeHead(200).end('kept') === response,
    'a request for a deleted object was answered 200 kept',
  ],
])('a proxy that %s is found, and nothing stays at the relay', async (_name, proxy, text) => {
  expect(await check(proxy)).toEqual({ text: expect.stringContaining(text) as string, left: 0 })
})
