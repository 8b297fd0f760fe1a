/** Channels of two daemons that reach each other by a folder: content to content, and what many channels cost the rest. */
import type { Client } from '../src/ipc/client.ts'
import { meet, OneByOne, startPair, type Pair } from './channel-pair.ts'
import { liveKiB, makeHome, removeHome, residentMiB, startDaemon } from './daemon.ts'
import { formatRatio, formatUs, quantile, timedMs, type Row } from './measure.ts'

const CALLS = 100 // of a round of lookups
const CHANNELS_AN_APP = 200 // below the limit of 256
const UNKNOWN_KEY = 'AB'.repeat(32)

async function lookupUs(client: Client): Promise<number> {
  const ms = await timedMs(async () => {
    for (let i = 0; i < CALLS; i++) await client.call('lookup', { query: UNKNOWN_KEY })
  })
  return (ms * 1000) / CALLS
}

/** Lookups of two daemons in turn, so that both see the same machine. */
async function lookupsInTurn(rounds: number, clients: readonly Client[]): Promise<number[]> {
  const times: number[][] = clients.map(() => [])
  for (let round = 0; round < rounds; round++)
    for (const [i, client] of clients.entries()) times[i]!.push(await lookupUs(client))
  return times.map((list) => quantile(list, 0.5))
}

async function meetMany(pair: Pair, name: string, count: number): Promise<void> {
  for (let done = 0; done < count; done += CHANNELS_AN_APP)
    await meet(pair, `${name}-${done}`, Math.min(CHANNELS_AN_APP, count - done))
}

/** Makes many channels, and compares the second half with the first: by then all code is compiled, and most channels are idle. */
async function makeMany(pair: Pair, many: number): Promise<Row[]> {
  const half = many / 2
  const pid = pair.host.process.pid!
  const firstMs = await timedMs(async () => await meetMany(pair, 'first', half))
  const [beforeKiB, beforeMiB] = [await liveKiB(pair.host.process), residentMiB(pid)]
  const secondMs = await timedMs(async () => await meetMany(pair, 'second', half))
  const afterMiB = residentMiB(pid)
  const live = (await liveKiB(pair.host.process)) - beforeKiB
  const resident = (afterMiB - beforeMiB) * 1024
  return [
    {
      what: `making a channel, from 0 to ${half} and to ${many}`,
      figure: `${(firstMs / half).toFixed(1)} ms and ${(secondMs / half).toFixed(1)} ms`,
    },
    {
      what: `memory a channel at the host, from ${half} to ${many}`,
      figure: `${(live / half).toFixed(1)} KiB in use, ${(resident / half).toFixed(0)} KiB resident with garbage`,
    },
  ]
}

export async function benchChannels(isQuick: boolean): Promise<Row[]> {
  const many = isQuick ? 20 : 1000
  const folder = makeHome()
  const pair = await startPair({ folders: [folder] })
  const bareHome = makeHome()
  const bare = await startDaemon(bareHome)
  try {
    const times = await (await OneByOne.open(pair, 'chat')).timesMs(isQuick ? 5 : 200)
    const made = await makeMany(pair, many)
    const [none, some] = await lookupsInTurn(isQuick ? 3 : 30, [bare.admin, pair.host.admin])
    const p50 = quantile(times, 0.5)
    return [
      {
        what: 'channel over a folder, content to content',
        figure: `p50 ${p50.toFixed(1)} ms, p95 ${quantile(times, 0.95).toFixed(1)} ms (goal: 250 ms at most)`,
      },
      ...made,
      {
        what: `lookup with ${many} channels`,
        figure: `${formatUs(some!)}; ${formatRatio(some! / none!)} of that without (goal: 1.2 at most)`,
      },
    ]
  } finally {
    await pair.close()
    await bare.stop()
    for (const home of [folder, bareHome]) removeHome(home)
  }
}

if (import.meta.main)
  for (const { what, figure } of await benchChannels(process.argv.includes('--quick')))
    console.log(`${what.padEnd(56)} ${figure}`)
