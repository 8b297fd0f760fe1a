/** A web page of another origin uses a relay by fetch, in Chromium. */
import { spawn, spawnSync } from 'node:child_process'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { answerQuestion } from '../../src/relay/answer-question.ts'
import { BoxOwner } from '../support/box-owner.ts'
import { RelayProcess } from '../support/relay-process.ts'
import { tempDir } from '../support/temp-dir.ts'

const BROWSER = ['chromium', 'chromium-browser', 'google-chrome'].find(
  (name) => spawnSync(name, ['--version']).error === undefined,
)
const DATA = 'vttf66efd34dttf66fg6fde57gg4'

/** The script of the page. The relay's URL and the key of a box come with the address; its own server answers questions and takes the report. */
const SCRIPT = `
const query = new URLSearchParams(location.search)
const relay = query.get('relay'), pub = query.get('pub')
const post = async (path, body, headers) =>
  (await fetch(relay + path, { method: 'POST', body: JSON.stringify(body), headers })).json()
async function firstEvent() {
  const { body } = await fetch(relay + '/wait', { method: 'POST', body: JSON.stringify({ boxes: [{ pub, at: 0 }] }) })
  const reader = body.pipeThrough(new TextDecoderStream()).getReader()
  let text = ''
  for (;;) {
    const found = /^data: (.*)\\n\\n/m.exec(text)
    if (found) { await reader.cancel(); return JSON.parse(found[1]) }
    const { value, done } = await reader.read()
    if (done) throw new Error('the stream ended')
    text += value
  }
}
async function run() {
  const report = {}
  // As the page of an app writes it: the browser asks with OPTIONS before.
  const json = { 'content-type': 'application/json' }
  report.empty = await post('/', { pub, ext: null, action: 'check', at: 0 }, json)
  report.send = await post('/', { pub, ext: null, action: 'send', data: '${DATA}' }, json)
  report.plain = await post('/', { pub, ext: null, action: 'send', data: '${DATA}' })
  report.event = await firstEvent()
  const checked = await post('/', { pub, ext: null, action: 'check', at: 0 }, json)
  const answer = await (await fetch('/answer', { method: 'POST', body: checked.question })).text()
  report.receive = await post('/', { pub, ext: null, action: 'receive', answer, at: 0, limit: 1 }, json)
  report.bad = await post('/', 'nonsense', json)
  report.software = (await (await fetch(relay + '/info')).json()).software
  report.health = (await fetch(relay + '/healthz')).status
  report.missing = (await fetch(relay + '/nothing')).status
  return report
}
run().catch((error) => ({ error: String(error) })).then((report) =>
  fetch('/report', { method: 'POST', body: JSON.stringify(report) }))
`

async function bodyOf(request: IncomingMessage): Promise<string> {
  let text = ''
  for await (const part of request) text += String(part)
  return text
}

/** Serves the page. @returns its URL, and what the page reports */
async function servePage(
  answer: (question: string) => Promise<string>,
): Promise<{ url: string; report: Promise<unknown> }> {
  const { promise: report, resolve } = Promise.withResolvers<unknown>()
  const server = createServer((request, response) => {
    const serve = async (): Promise<void> => {
      if (request.url === '/report') {
        resolve(JSON.parse(await bodyOf(request)))
        response.end()
      } else if (request.url === '/answer') response.end(await answer(await bodyOf(request)))
      else
        response
          .setHeader('content-type', 'text/html')
          .end(`<!doctype html><title>app</title><script>${SCRIPT}</script>`)
    }
    void serve()
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  onTestFinished(() => void server.close())
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, report }
}

test.skipIf(BROWSER === undefined)(
  'a page of another origin sends, checks, waits and receives by fetch (needs chromium)',
  async () => {
    const relay = await RelayProcess.start({ home: tempDir() })
    const owner = await BoxOwner.make()
    const page = await servePage((question) =>
      answerQuestion(owner.pair, relay.url, question, Math.floor(Date.now() / 1000)),
    )
    const flags = ['--headless=new', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run']
    const target = `${page.url}?${new URLSearchParams({ relay: relay.url, pub: owner.pub }).toString()}`
    const browser = spawn(BROWSER!, [...flags, `--user-data-dir=${tempDir()}`, target], { stdio: 'ignore' })
    onTestFinished(() => void browser.kill('SIGKILL'))
    const ended = new Promise((resolve) => browser.on('exit', () => resolve('the browser ended')))
    expect(await Promise.race([page.report, ended])).toEqual({
      empty: { ok: true, found: false },
      send: { ok: true },
      plain: { ok: true },
      event: { pub: owner.pub, found: true, question: expect.stringMatching(/^[\w-]+$/) },
      receive: { ok: true, at: expect.any(Number), data: DATA },
      bad: { ok: false, error: 'Bad request' },
      software: 'persona-relay',
      health: 200,
      missing: 404,
    })
  },
  60_000,
)
