/** The client of a relay in a page of another origin, in a real browser, from its sources. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createRequire, stripTypeScriptTypes } from 'node:module'
import { dirname, join, normalize } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { RelayProcess } from '../support/relay-process.ts'
import { tempDir } from '../support/temp-dir.ts'

const ROOT = join(import.meta.dirname, '../..')
const HPKE = dirname(createRequire(import.meta.url).resolve('hpke'))
const BROWSER = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync)

/** The script of the page. It reports to its own server. */
const SCRIPT = `
import { RelayClient } from '/src/relay/client.ts'
import { parseRelayUrl } from '/src/relay/relay-url.ts'
import { readBox } from '/src/relay/read-box.ts'
import { generateBoxKeyPair } from '/src/seal/key-pair.ts'
import { openFrom, sealTo } from '/src/seal/seal.ts'

const clock = {
  nowMs: () => Date.now() - 3_600_000, // a clock that is an hour late
  after: (ms, run) => { const timer = setTimeout(run, ms); return () => clearTimeout(timer) },
}
const nothing = new Uint8Array()
const report = (result) => fetch('/report', { method: 'POST', body: JSON.stringify(result) })
try {
  const url = new URL(location.href).searchParams.get('relay')
  const client = new RelayClient(parseRelayUrl(url, ['127.0.0.1']), { fetch: (...call) => fetch(...call), clock, random: Math.random })
  const results = []
  for (const suite of ['x25519', 'p384']) {
    const pair = await generateBoxKeyPair(suite)
    const wait = client.wait([{ key: pair.key, at: 0 }])
    const next = wait.next()
    await client.post(pair.key, await sealTo(pair.key, 'channel-m1', nothing, new TextEncoder().encode('hello')))
    const { value: { question } } = await next
    await wait.return()
    await readBox(client, pair, 0, async ({ data }) => {
      results.push(new TextDecoder().decode(await openFrom(pair, 'channel-m1', nothing, data)))
    }, { question })
    await client.retire(pair)
    results.push(await client.post(pair.key, nothing.slice()).catch(({ code }) => code))
    results.push(await client.post(pair.key, Uint8Array.of(1)).catch(({ code }) => code))
    results.push(pair.keys.privateKey.extractable)
  }
  await report(results)
} catch (error) {
  await report(String(error) + ' ' + error.code + ' ' + String(error.cause))
}`

const PAGE = `<!doctype html><script type="importmap">{"imports":{"hpke":"/hpke/index.js"}}</script><script type="module">${SCRIPT}</script>`

/** Serves the page and the sources, as JavaScript. @returns its address, and what the page reports */
async function servePage(): Promise<{ url: string; report: Promise<unknown> }> {
  let take: (report: unknown) => void = () => {}
  const report = new Promise<unknown>((resolve) => (take = resolve))
  const server = createServer((request, response) => {
    const path = normalize(new URL(request.url!, 'http://page').pathname)
    if (path === '/report') {
      let text = ''
      request
        .on('data', (part) => (text += String(part)))
        .on('end', () => {
          response.end()
          take(JSON.parse(text))
        })
    } else if (path === '/') response.writeHead(200, { 'content-type': 'text/html' }).end(PAGE)
    else if (path.startsWith('/src/') || path.startsWith('/hpke/')) {
      const file = path.startsWith('/src/') ? join(ROOT, path) : join(HPKE, path.slice('/hpke/'.length))
      const source = readFileSync(file, 'utf8')
      response.writeHead(200, { 'content-type': 'text/javascript' })
      response.end(file.endsWith('.ts') ? stripTypeScriptTypes(source) : source)
    } else response.writeHead(404).end()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, report }
}

test.skipIf(BROWSER === undefined)(
  'a page of another origin sends, waits, receives and retires with both suites, by a clock that is an hour late',
  async () => {
    const relay = await RelayProcess.start({ home: tempDir() })
    const page = await servePage()
    const flags = ['--headless', '--no-sandbox', '--disable-gpu', '--no-first-run', `--user-data-dir=${tempDir()}`]
    const browser = spawn(BROWSER!, [...flags, `${page.url}/?relay=${encodeURIComponent(relay.url)}`], {
      stdio: 'ignore',
    })
    const ended = once(browser, 'exit')
    onTestFinished(async () => {
      browser.kill('SIGKILL')
      await ended
    })
    const one = ['hello', 'RELAY_BAD_REQUEST', 'RELAY_USED', false]
    expect(await page.report).toEqual([...one, ...one])
  },
)
