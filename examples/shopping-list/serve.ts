/** Serves the shopping list on this computer, under a strict policy: `node examples/shopping-list/serve.ts [--relay URL] [--port PORT]`. */
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { bundleConnectoid } from '../../bundle/connectoid.ts'

const RELAY = 'http://127.0.0.1:8787/' // where `persona-relay` without a command serves
const PORT = 8080
const TYPES: Readonly<Record<string, string>> = { html: 'text/html', css: 'text/css', js: 'text/javascript' }
const FILES = ['index.html', 'style.css', 'app.js', 'draw.js', 'list.js', 'offline.js']

export interface Served {
  /** The address of the page. */
  readonly url: string
  readonly close: () => void
}

/** Serves the list. @param relay the URL of the relay where the page receives @param port 0 for any free one */
export async function serveList(relay: string, port: number): Promise<Served> {
  const files = new Map(FILES.map((name) => [name, readFileSync(join(import.meta.dirname, name), 'utf8')]))
  files.set('index.html', files.get('index.html')!.replace(RELAY, relay))
  files.set('connectoid.js', await bundleConnectoid())
  const policy =
    `default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self' ${relay}; ` +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
  return await serveFiles(files, policy, port)
}

/** Serves files by their names under a policy. @returns once the page can be opened */
export async function serveFiles(files: ReadonlyMap<string, string>, policy: string, port: number): Promise<Served> {
  const server = createServer((request, response) => {
    const name = new URL(request.url!, 'http://page/').pathname.slice(1) || 'index.html'
    const file = files.get(name)
    if (file === undefined) return void response.writeHead(404).end()
    const type = `${TYPES[name.split('.').at(-1)!]!}; charset=utf-8`
    response.writeHead(200, { 'content-type': type, 'content-security-policy': policy, 'cache-control': 'no-cache' })
    response.end(file)
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(port, '127.0.0.1', resolve)
  })
  const close = (): void => {
    server.close()
    server.closeAllConnections()
  }
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, close }
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { relay: { type: 'string' }, port: { type: 'string' } } })
  const { url } = await serveList(values.relay ?? RELAY, Number(values.port ?? PORT))
  console.log(`the shopping list is at ${url}; Ctrl-C ends it`)
}
