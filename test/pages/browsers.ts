/** Real browsers: Debian's Chromium, each with a profile of its own, and a page that uses the library of src/connectoid. */
import { spawnSync } from 'node:child_process'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { chromium, type BrowserContext, type Page } from 'playwright-core'
import { onTestFinished } from 'vitest'
import { bundleConnectoid } from '../../bundle/connectoid.ts'
import { tempDir } from '../support/temp-dir.ts'

/** The Chromium of this machine; undefined where there is none. */
export const BROWSER: string | undefined = ['chromium', 'chromium-browser', 'google-chrome'].find(
  (name) => spawnSync(name, ['--version']).error === undefined,
)
const BROWSER_FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage']

/** The script of the page: the test calls what it leaves at `window`. */
const SCRIPT = `
import { Connectoid } from './connectoid.js'
window.messages = []
window.changes = new Set()
window.start = async (options) => {
  window.connectoid = await Connectoid.open({ app: 'list', onwaiting: () => { window.isWaiting = true; tell() }, ...options })
  connectoid.onmessage = ({ text }) => { messages.push(text); tell() }
  connectoid.onchange = tell
}
const tell = () => { for (const check of changes) check() }
// Waits for an event of the library after which the condition holds.
window.until = (condition, ...args) => new Promise((resolve) => {
  const check = async () => { const value = await condition(...args); if (value) { changes.delete(check); resolve(value) } }
  changes.add(check)
  check()
})
window.peer = (name) => connectoid.peers().find((each) => each.name === name)
window.view = (name) => {
  const { state, problem, words, isVerified, unsent, ownName } = peer(name)
  return { state, problem, words, isVerified, unsent, ownName }
}
window.codeOf = (work) => work().then(() => 'done', ({ code, message }) => code ?? message)
`

/** Serves the page under a strict policy. @param relays where the page may call @returns its address */
export async function serveApp(...relays: readonly string[]): Promise<string> {
  const files = new Map([
    ['/', { type: 'text/html', body: '<!doctype html><title>app</title><script type="module" src="app.js"></script>' }],
    ['/app.js', { type: 'text/javascript', body: SCRIPT }],
    ['/connectoid.js', { type: 'text/javascript', body: await bundleConnectoid() }],
  ])
  const policy = `default-src 'none'; script-src 'self'; connect-src ${relays.join(' ')}`
  const server = createServer((request, response) => {
    const file = files.get(new URL(request.url!, 'http://app/').pathname)
    if (file === undefined) return void response.writeHead(404).end()
    response.writeHead(200, { 'content-type': file.type, 'content-security-policy': policy }).end(file.body)
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  onTestFinished(() => void server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
}

/** Starts a browser. @param profile its profile; by default a new one */
export async function startBrowser(profile: string = tempDir()): Promise<BrowserContext> {
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: `/usr/bin/${BROWSER}`,
    args: BROWSER_FLAGS,
  })
  onTestFinished(() => context.close())
  return context
}

/** Opens the page in a new tab. Errors of the page fail the test. */
export async function openTab(context: BrowserContext, url: string): Promise<Page> {
  const page = await context.newPage()
  page.on('pageerror', (error) => {
    throw error
  })
  await page.goto(url)
  return page
}
