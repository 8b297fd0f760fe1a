/** Real browsers: Debian's Chromium, each with a profile of its own, and a page that uses the library of src/connectoid. */
import type { BrowserContext, Page } from 'playwright-core'
import { onTestFinished } from 'vitest'
import { bundleConnectoid } from '../../bundle/connectoid.ts'
import { launchBrowser } from '../../examples/shopping-list/chromium.ts'
import { serveFiles } from '../../examples/shopping-list/serve.ts'
import { tempDir } from '../support/temp-dir.ts'

/** The script of the page: the test calls what it leaves at `window`. */
const SCRIPT = `
import { Connectoid } from './connectoid.js'
window.connections = []
window.RTCPeerConnection = class extends RTCPeerConnection { constructor(...args) { super(...args); connections.push(this) } }
window.messages = []
window.changes = new Set()
window.unreadable = []
window.start = async (options) => {
  window.connectoid = await Connectoid.open({
    app: 'list',
    onwaiting: () => { window.isWaiting = true; tell() },
    onunreadable: ({ id }, { code, cause }) => unreadable.push({ id, code, cause: cause.name }),
    ...options,
  })
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
  const { state, problem, way, words, isVerified, unsent, ownName } = peer(name)
  return { state, problem, way, words, isVerified, unsent, ownName }
}
window.codeOf = (work) => work().then(() => 'done', ({ code, message }) => code ?? message)
`

/** Serves the page under a strict policy. @param relays where the page may call @returns its address */
export async function serveApp(...relays: readonly string[]): Promise<string> {
  const files = new Map([
    ['index.html', '<!doctype html><title>app</title><script type="module" src="app.js"></script>'],
    ['app.js', SCRIPT],
    ['connectoid.js', await bundleConnectoid()],
  ])
  const policy = `default-src 'none'; script-src 'self'; connect-src ${relays.join(' ')}`
  const { url, close } = await serveFiles(files, policy, 0)
  onTestFinished(close)
  return url
}

/** Starts a browser. @param profile its profile; by default a new one */
export async function startBrowser(profile: string = tempDir()): Promise<BrowserContext> {
  const context = await launchBrowser(profile)
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
