/** A small app that keeps addresses up to date: its contacts get yours, and you get theirs (docs/links.md tells the story of two apps). */
import { connect } from '../../src/ipc/client.ts' // in a project of your own: from 'personad/client'

const [socketPath, address, invite] = process.argv.slice(2)
const token = process.env['APP_TOKEN']
if (socketPath === undefined || address === undefined || token === undefined) {
  console.error('usage: APP_TOKEN=TOKEN renuicorn.ts SOCKET ADDRESS [INVITE]')
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
  console.log(`${name} is a contact now, and gets the address`)
  await client.call('channel.send', { id, text: address! })
}

async function take(id: string): Promise<void> {
  const { name } = await client.call('channel.show', { id })
  const { contents } = await client.call('channel.read', { id, after: 0 })
  for (const { number, content } of contents) {
    console.log(`${name} lives at ${Buffer.from(content, 'base64').toString()}`)
    await client.call('channel.ack', { id, upTo: number })
  }
}

await client.subscribe(['channel.changed', 'channel.content', 'app.linked'], (event) => {
  if (event.event === 'channel.content') work = work.then(() => take(event.data.id))
  if (event.event === 'channel.changed' && event.data.state === 'open') work = work.then(() => greet(event.data.id))
  if (event.event === 'app.linked' && event.data.state === 'linked') console.log(`linked with ${event.data.other}`)
})
if (invite === undefined) console.log((await client.call('channel.invite', { name: 'Kim' })).invite)
else await client.call('channel.accept', { invite, name: 'Leo' })
// The app asks, and the owner answers.
const { state } = await client.call('app.link', { other: 'org.example.veilchat' })
console.log(state === 'asked' ? 'asks to be linked with org.example.veilchat' : 'is linked with org.example.veilchat')
await client.closed
