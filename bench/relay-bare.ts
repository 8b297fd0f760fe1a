/** A program: the least that could serve as a relay. It commits what is sent, or reads one record; argv[2] is its directory. Prints its address. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { decodeUtf8, encodeUtf8 } from '../src/core/encoding/bytes.ts'
import { openState } from '../test/support/state-dir.ts'

const { store } = await openState(process.argv[2]!)
await store.commit([{ key: 'bare/read', value: encodeUtf8('x'.repeat(896)) }])
let number = 0

async function answer(text: string): Promise<string> {
  const { action, data } = JSON.parse(text) as { action: string; data: string }
  if (action !== 'send') return JSON.stringify({ ok: true, at: 1, data: decodeUtf8(store.get('bare/read')!) })
  await store.commit([{ key: `bare/${number++}`, value: encodeUtf8(data) }])
  return '{"ok":true}'
}

const server = createServer((request, response) => {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => void chunks.push(chunk))
  request.on('end', () => {
    void answer(Buffer.concat(chunks).toString()).then((body) => {
      response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) })
      response.end(body)
    })
  })
})
server.listen(0, '127.0.0.1', () => console.log(`127.0.0.1:${(server.address() as AddressInfo).port}`))
// The store is thrown away.
process.on('SIGTERM', () => process.exit(0))
