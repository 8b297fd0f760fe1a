/** A small chat: it says hello to each new contact, and prints what they say (docs/links.md tells the story of two apps). */
import { connect } from '../../src/ipc/client.ts' // in a project of your own: from 'personad/client'

const [socketPath] = process.argv.slice(2)
const token = process.env['APP_TOKEN']
if (socketPath === undefined || token === undefined) {
  console.error('usage: APP_TOKEN=TOKEN veilchat.ts SOCKET')
  process.exit(2)
}
const client = await connect({ socketPath })
await client.call('app.hello', { token })
let work: Promise<unknown> = Promise.resolve()
const greeted = new Set<string>()

async function greet(id: string): Promise<void> {
  if (greeted.has(id)) return
  greeted.add(id)
  const { name } = await client.call('channel.show', { id })
  console.log(`${name} is a new contact`)
  await client.call('channel.send', { id, text: `Hello ${name}, nobody had to scan anything.` })
}

async function take(id: string): Promise<void> {
  const { name } = await client.call('channel.show', { id })
  const { contents } = await client.call('channel.read', { id, after: 0 })
  for (const { number, content } of contents) {
    console.log(`${name}: ${Buffer.from(content, 'base64').toString()}`)
    await client.call('channel.ack', { id, upTo: number })
  }
}

await client.subscribe(['channel.changed', 'channel.content'], (event) => {
  if (event.event === 'channel.content') work = work.then(() => take(event.data.id))
  if (event.event === 'channel.changed' && event.data.state === 'open') work = work.then(() => greet(event.data.id))
})
console.log(`ready, with ${(await client.call('channel.list', {})).channels.length} contacts`)
await client.closed
