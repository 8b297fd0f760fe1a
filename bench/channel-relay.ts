/** A channel over a real relay, content to content, beside one durable POST to the same relay. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { rowBesidePosts } from './beside-posts.ts'
import { OneByOne, startPair } from './channel-pair.ts'
import { makeHome, removeHome } from './daemon.ts'
import type { Row } from './measure.ts'
import { OPEN_CONFIG, RELAY, start, stop } from './relay-load.ts'

const A_ROUND = 5 // contents, then posts: short, so that both meet the same disk and the same load

export async function benchChannelRelay(isQuick: boolean): Promise<Row[]> {
  const home = makeHome()
  const config = join(home, 'relay.yaml')
  writeFileSync(config, OPEN_CONFIG)
  const relay = await start(RELAY, ['--dir', join(home, 'relay'), '--config', config])
  const pair = await startPair({ relays: [`http://127.0.0.1:${relay.port}`], private: ['127.0.0.1'] })
  try {
    const channel = await OneByOne.open(pair, 'chat')
    const timed = {
      what: 'channel over a relay, content to content',
      goal: 4,
      rounds: isQuick ? 6 : 60,
      aRound: A_ROUND,
      timesMs: async (count: number) => await channel.timesMs(count),
    }
    return [await rowBesidePosts(timed, relay)]
  } finally {
    await pair.close()
    await stop(relay)
    removeHome(home)
  }
}

if (import.meta.main)
  for (const { what, figure } of await benchChannelRelay(process.argv.includes('--quick')))
    console.log(`${what.padEnd(56)} ${figure}`)
