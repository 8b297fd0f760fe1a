/** A channel over a real relay, content to content, beside one durable POST to the same relay. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { OneByOne, startPair } from './channel-pair.ts'
import { makeHome, removeHome } from './daemon.ts'
import { formatRatio, quantile, type Row } from './measure.ts'
import { Bodies, load, OPEN_CONFIG, RELAY, start, stop } from './relay-load.ts'

const A_ROUND = 5 // contents, then posts: short, so that both meet the same disk and the same load

export async function benchChannelRelay(isQuick: boolean): Promise<Row[]> {
  const home = makeHome()
  const config = join(home, 'relay.yaml')
  writeFileSync(config, OPEN_CONFIG)
  const relay = await start(RELAY, ['--dir', join(home, 'relay'), '--config', config])
  const pair = await startPair({ relays: [`http://127.0.0.1:${relay.port}`], private: ['127.0.0.1'] })
  try {
    // The key of the relay is for receiving alone.
    const bodies = new Bodies(new Uint8Array(32))
    const channel = await OneByOne.open(pair, 'chat')
    const [contentsMs, postsMs]: [number[], number[]] = [[], []]
    for (let round = 0; round < (isQuick ? 6 : 60); round++) {
      contentsMs.push(...(await channel.timesMs(A_ROUND)))
      postsMs.push(...(await load(relay, A_ROUND, bodies.send, 1)).latenciesMs)
    }
    const [content, post] = [quantile(contentsMs, 0.5), quantile(postsMs, 0.5)]
    return [
      {
        what: 'channel over a relay, content to content',
        figure: `p50 ${content.toFixed(1)} ms, p95 ${quantile(contentsMs, 0.95).toFixed(1)} ms; ${formatRatio(content / post)} times a durable POST of ${post.toFixed(1)} ms (goal: 4 at most)`,
      },
    ]
  } finally {
    await pair.close()
    await stop(relay)
    removeHome(home)
  }
}

if (import.meta.main)
  for (const { what, figure } of await benchChannelRelay(process.argv.includes('--quick')))
    console.log(`${what.padEnd(56)} ${figure}`)
