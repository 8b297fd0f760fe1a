/** A channel between two apps: makes an invite and answers pings; with an invite it sends three (docs/ipc.md, section 3, channel). */
import { connect } from '../src/ipc/client.ts' // in a project of your own: from 'personad/client'

const [socketPath, invite] = process.argv.slice(2)
const token = process.env['PING_TOKEN']
if (socketPath === undefined || token === undefined) {
  console.error('usage: PING_TOKEN=TOKEN ping.ts SOCKET [INVITE]')
  process.exit(2)
}
const client = await connect({ socketPath })
await client.call('app.hello', { token })
let read = 0
let work: Promise<unknown> = Promise.resolve()

/** Contents come in order, each with its number; those that were acknowledged do not come again. */
async function take(id: string): Promise<void> {
  const { contents } = await client.call('channel.read', { id, after: read })
  for (const { number, content } of contents) {
    read = number
    console.log('got', JSON.stringify(Buffer.from(content, 'base64').toString()))
    await client.call('channel.ack', { id, upTo: number })
    if (invite === undefined) await client.call('channel.send', { id, text: `pong ${number}` })
    else if (number === 3) await client.call('channel.close', { id })
    else await client.call('channel.send', { id, text: `ping ${number + 1}` })
  }
}

await client.subscribe(['channel.changed', 'channel.content'], (event) => {
  if (event.event === 'channel.content') work = work.then(() => take(event.data.id))
  if (event.event !== 'channel.changed') return
  const { id, state } = event.data
  const isFirst = state === 'open' && invite !== undefined
  if (isFirst) work = work.then(() => client.call('channel.send', { id, text: 'ping 1' }))
  if (['closing', 'closed', 'gone', 'broken'].includes(state)) work = work.then(() => client.close())
})
if (invite === undefined) console.log((await client.call('channel.invite')).invite)
else console.log((await client.call('channel.accept', { invite })).state)
// The subscription keeps this process running until the channel or the daemon ends.
await client.closed
