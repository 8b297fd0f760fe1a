/** From a link to an open channel between two browsers, beside bare WebRTC of the same two pages, in turn. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { BrowserContext, Page } from 'playwright-core'
import { bundleConnectoid } from '../bundle/connectoid.ts'
import { BROWSER, launchBrowser } from '../examples/shopping-list/chromium.ts'
import { serveFiles } from '../examples/shopping-list/serve.ts'
import { makeHome, removeHome } from './daemon.ts'
import { formatRatio, quantile, timedMs, type Row } from './measure.ts'
import { OPEN_CONFIG, RELAY, start, stop } from './relay-load.ts'

const WHAT = 'link to open channel of two browsers'

/** The bare side makes one data channel, and sends its description once all candidates are in it. */
const SCRIPT = `
import { Connectoid } from './connectoid.js'
const changes = new Set()
window.start = async (service) => {
  window.connectoid = await Connectoid.open({ app: 'bench', service, direct: true })
  connectoid.onchange = () => { for (const check of changes) check() }
}
const until = (condition) => new Promise((resolve) => {
  const check = () => { if (condition()) { changes.delete(check); resolve() } }
  changes.add(check)
  check()
})
const peer = (name) => connectoid.peers().find((each) => each.name === name)
window.connected = (name) => until(() => peer(name).state === 'connected')
window.direct = (name) => until(() => peer(name).way === 'direct')
window.share = async (name) => (await connectoid.share(name)).url
window.accept = async (url, name) => { await connectoid.accept(url, name); await connected(name) }
window.send = async (name) => { await peer(name).send('opens the way'); await direct(name) }

let connection
const described = () => new Promise((resolve) => {
  const check = () => { if (connection.iceGatheringState === 'complete') resolve(connection.localDescription.sdp) }
  connection.onicegatheringstatechange = check
  check()
})
const isOpen = (channel) => new Promise((resolve) => channel.readyState === 'open' ? resolve() : channel.onopen = () => resolve())
window.offer = async () => {
  connection = new RTCPeerConnection()
  window.opened = isOpen(connection.createDataChannel('bench'))
  await connection.setLocalDescription()
  return await described()
}
window.answer = async (sdp) => {
  connection = new RTCPeerConnection()
  window.opened = new Promise((resolve) => connection.ondatachannel = ({ channel }) => resolve(isOpen(channel)))
  await connection.setRemoteDescription({ type: 'offer', sdp })
  await connection.setLocalDescription()
  return await described()
}
window.answered = async (sdp) => await connection.setRemoteDescription({ type: 'answer', sdp })
window.hangUp = () => connection.close()
`

/** The pages of two people, each in a browser of its own. */
class Pages {
  readonly #alice: Page
  readonly #bob: Page

  constructor(alice: Page, bob: Page) {
    this.#alice = alice
    this.#bob = bob
  }

  /** @param name what both call each other @returns milliseconds until both can send, and until both do so directly */
  async linkMs(name: string): Promise<[connectedMs: number, directMs: number]> {
    const named = JSON.stringify(name)
    const url = JSON.stringify(await this.#alice.evaluate(`share(${named})`))
    const connectedMs = await timedMs(
      async () =>
        await Promise.all([
          this.#alice.evaluate(`connected(${named})`),
          this.#bob.evaluate(`accept(${url}, ${named})`),
        ]),
    )
    const directMs = await timedMs(
      async () => await Promise.all([this.#alice.evaluate(`direct(${named})`), this.#bob.evaluate(`send(${named})`)]),
    )
    return [connectedMs, connectedMs + directMs]
  }

  async bareMs(): Promise<number> {
    const ms = await timedMs(async () => {
      const offer = JSON.stringify(await this.#alice.evaluate('offer()'))
      const answer = JSON.stringify(await this.#bob.evaluate(`answer(${offer})`))
      await this.#alice.evaluate(`answered(${answer})`)
      await Promise.all([this.#alice.evaluate('opened'), this.#bob.evaluate('opened')])
    })
    for (const page of [this.#alice, this.#bob]) await page.evaluate('hangUp()')
    return ms
  }
}

async function openPage(context: BrowserContext, url: string, relay: string): Promise<Page> {
  const page = await context.newPage()
  await page.goto(url)
  await page.evaluate(`start(${JSON.stringify(relay)})`)
  return page
}

export async function benchLinkOpen(isQuick: boolean): Promise<Row[]> {
  if (BROWSER === undefined) return [{ what: WHAT, figure: 'skipped: there is no chromium' }]
  const home = makeHome()
  const config = join(home, 'relay.yaml')
  writeFileSync(config, OPEN_CONFIG)
  const relay = await start(RELAY, ['--dir', join(home, 'relay'), '--config', config])
  const relayUrl = `http://127.0.0.1:${relay.port}/`
  const files = new Map([
    ['index.html', '<!doctype html><title>bench</title><script type="module" src="app.js"></script>'],
    ['app.js', SCRIPT],
    ['connectoid.js', await bundleConnectoid()],
  ])
  const served = await serveFiles(files, `default-src 'none'; script-src 'self'; connect-src ${relayUrl}`, 0)
  const contexts = [await launchBrowser(join(home, 'alice')), await launchBrowser(join(home, 'bob'))]
  try {
    const [alice, bob] = await Promise.all(contexts.map((context) => openPage(context, served.url, relayUrl)))
    return await figures(new Pages(alice!, bob!), isQuick ? 2 : 20)
  } finally {
    for (const context of contexts) await context.close()
    served.close()
    await stop(relay)
    removeHome(home)
  }
}

async function figures(pages: Pages, rounds: number): Promise<Row[]> {
  const [connected, direct, bare]: [number[], number[], number[]] = [[], [], []]
  for (let round = 0; round < rounds; round++) {
    const [connectedMs, directMs] = await pages.linkMs(`peer ${round}`)
    connected.push(connectedMs)
    direct.push(directMs)
    bare.push(await pages.bareMs())
  }
  const [connectedMs, directMs, bareMs] = [quantile(connected, 0.5), quantile(direct, 0.5), quantile(bare, 0.5)]
  const beside = (ms: number): string => `p50 ${ms.toFixed(0)} ms; ${formatRatio(ms / bareMs)} times bare WebRTC`
  return [
    { what: WHAT, figure: `${beside(connectedMs)} of ${bareMs.toFixed(0)} ms (goal: 2 at most)` },
    { what: 'link to open direct way, with a content', figure: beside(directMs) },
  ]
}

if (import.meta.main)
  for (const { what, figure } of await benchLinkOpen(process.argv.includes('--quick')))
    console.log(`${what.padEnd(56)} ${figure}`)
