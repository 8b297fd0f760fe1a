/** A program: the least that could serve as a relay. It commits what is sent, or reads one record; argv[2] is its directory. Prints its address. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { decodeUtf8, encodeUtf8 } from '../src/core/encoding/bytes.ts'
import { openState } from '../test/support/state-dir.ts'

const { store } = await openState(process.argv[2]!)
await store.commit([{ key: 'bare/read', value: encodeUtf8('x'.repeat(896)) }])
let number = 0

// An answer that a page of another origin can read, and that no cache keeps: no relay can leave these out.
const HEADERS = [
  'Access-Control-Allow-Origin',
  '*',
  'Access-Control-Expose-Headers',
  'etag, retry-after, content-range, date',
  'X-Content-Type-Options',
  'nosniff',
  'Content-Type',
  'application/json',
  'Cache-Control',
  'no-store',
  'Content-Length',
]

async function answer(text: string): Promise<string> {
  const { pub, action, data } = JSON.parse(text) as { pub: string; action: string; data: string }
  if (action !== 'send') return JSON.stringify({ ok: true, at: 1, data: decodeUtf8(store.get('bare/read')!) })
  // A message is found again only under the key of its box.
  await store.commit([{ key: `bare/${pub}/${number++}`, value: encodeUtf8(data) }])
  return '{"ok":true}'
}

const server = createServer((request, response) => {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => void chunks.push(chunk))
  request.on('end', () => {
    void answer(Buffer.concat(chunks).toString()).then((body) => {
      response.writeHead(200, [...HEADERS, String(Buffer.byteLength(body))])
      response.end(body)
    })
  })
})
server.listen(0, '127.0.0.1', () => console.log(`127.0.0.1:${(server.address() as AddressInfo).port}`))
// The store is thrown away.
process.on('SIGTERM', () => process.exit(0))
