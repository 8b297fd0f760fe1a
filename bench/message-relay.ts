/** A message over a real relay that is store and inbox, from the call that sends it to the event at the recipient, beside one durable POST. */
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Client } from '../src/ipc/client.ts'
import { rowBesidePosts } from './beside-posts.ts'
import { startPair, until, type Pair } from './channel-pair.ts'
import { deviceKey } from '../test/support/person.ts'
import { makeHome, removeHome } from './daemon.ts'
import { timedMs, type Row } from './measure.ts'
import { OPEN_CONFIG, RELAY, start, stop } from './relay-load.ts'

const APP = 'org.example.notes'
const A_ROUND = 5 // messages, then posts: short, so that both meet the same disk and the same load
const ROUNDS = 10 // a relay takes 60 entries of a sender at once
const WARMING = 250 // messages after which each process has compiled what it uses

async function begin({ host, guest }: Pair, url: string, token: string): Promise<string> {
  for (const [name, { admin }] of Object.entries({ host, guest })) {
    await admin.call('persona.init', { device: { name: 'phone', key: deviceKey(name) } })
    await admin.call('relay.add', { url, token })
  }
  const { link } = await guest.admin.call('link.get', {})
  const { contact } = await host.admin.call('contact.add', { link })
  const own = await host.admin.call('link.get', {})
  await guest.admin.call('contact.add', { link: own.link })
  await guest.admin.call('message.open', { app: APP })
  return contact.personaId!
}

/** Sends messages one after another, each once the sender of the one before has its receipt. @returns milliseconds of each */
async function timesMs({ host, guest }: Pair, to: string, count: number): Promise<number[]> {
  const times: number[] = []
  let arrived = (): void => {}
  const arrivals = await guest.admin.subscribe(['message.arrived'], () => arrived())
  for (let i = 0; i < count; i++) {
    const came = new Promise<void>((resolve) => (arrived = resolve))
    let number: number | null = null
    times.push(
      await timedMs(async () => {
        number = (await host.admin.call('message.put', { app: APP, to, text: 'dinner at eight?' })).number
        await came
      }),
    )
    await until(host.admin, ['message.changed'], async () => await isReceived(host.admin, number!))
  }
  await arrivals.close()
  return times
}

async function isReceived(client: Client, number: number): Promise<boolean> {
  const { messages } = await client.call('message.sent', { app: APP, after: number - 1, limit: 1 })
  return messages[0]?.state === 'received'
}

export async function benchMessageRelay(isQuick: boolean): Promise<Row[]> {
  const home = makeHome()
  const [config, data] = [join(home, 'relay.yaml'), join(home, 'relay')]
  writeFileSync(config, OPEN_CONFIG)
  const relay = await start(RELAY, ['--dir', data, '--config', config])
  const token = execFileSync(process.execPath, [RELAY, 'token', 'add', 'people', '--dir', data], { encoding: 'utf8' })
  const pair = await startPair({ private: ['127.0.0.1'] })
  try {
    const to = await begin(pair, `http://127.0.0.1:${relay.port}/`, token.split('\n')[0]!)
    const timed = {
      what: 'message over a relay, end to end, the first ones',
      goal: 6,
      rounds: isQuick ? 2 : ROUNDS,
      aRound: A_ROUND,
      timesMs: async (count: number) => await timesMs(pair, to, count),
    }
    const first = await rowBesidePosts(timed, relay)
    if (isQuick) return [first]
    await timesMs(pair, to, WARMING)
    return [
      first,
      await rowBesidePosts({ ...timed, what: `message over a relay, end to end, after ${WARMING} more` }, relay),
    ]
  } finally {
    await pair.close()
    await stop(relay)
    removeHome(home)
  }
}

if (import.meta.main)
  for (const { what, figure } of await benchMessageRelay(process.argv.includes('--quick')))
    console.log(`${what.padEnd(56)} ${figure}`)
