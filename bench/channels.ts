/** Channels of two daemons that reach each other by a folder: content to content, and what many channels cost the rest. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Client } from '../src/ipc/client.ts'
import { makeHome, removeHome, residentMiB, startDaemon, type RunningDaemon } from './daemon.ts'
import { formatRatio, formatUs, quantile, timedMs, type Row } from './measure.ts'

const CALLS = 100 // of a round of lookups
const CHANNELS_AN_APP = 200 // below the limit of 256
const OPEN_AT_A_TIME = 10 // below the limit of 20 open invites
const UNKNOWN_KEY = 'AB'.repeat(32)

interface Pair {
  readonly host: RunningDaemon
  readonly guest: RunningDaemon
  close(): Promise<void>
}

async function startPair(): Promise<Pair> {
  const homes = [makeHome(), makeHome()]
  const folder = makeHome()
  for (const home of homes) {
    mkdirSync(join(home, 'config'), { mode: 0o700 })
    writeFileSync(join(home, 'config', 'personad.yaml'), `net: { folders: ['${folder}'] }\n`, { mode: 0o600 })
  }
  const [host, guest] = [await startDaemon(homes[0]!), await startDaemon(homes[1]!)]
  const close = async (): Promise<void> => {
    await host.stop()
    await guest.stop()
    for (const home of [...homes, folder]) removeHome(home)
  }
  return { host, guest, close }
}

/** Resolves at the next event of a channel for which the question is answered with yes. */
async function until(client: Client, ask: () => Promise<boolean>): Promise<void> {
  let ring = (): void => {}
  const subscription = await client.subscribe(['channel.changed', 'channel.content'], () => ring())
  for (;;) {
    const rung = new Promise<void>((resolve) => (ring = resolve))
    if (await ask()) break
    await rung
  }
  await subscription.close()
}

/** @returns the ids at the guest */
async function meet({ host, guest }: Pair, app: string, count: number): Promise<string[]> {
  const ids: string[] = []
  for (let done = 0; done < count; done += OPEN_AT_A_TIME) {
    const some = Array.from({ length: Math.min(OPEN_AT_A_TIME, count - done) }, async () => {
      const { invite } = await host.admin.call('channel.invite', { app })
      return (await guest.admin.call('channel.accept', { app, invite })).id
    })
    const begun = await Promise.all(some)
    const isOpen = async (id: string): Promise<boolean> =>
      (await guest.admin.call('channel.show', { id })).state === 'open'
    await until(guest.admin, async () => (await Promise.all(begun.map(isOpen))).every(Boolean))
    ids.push(...begun)
  }
  return ids
}

/** From the call that sends to the event at the other daemon, in milliseconds. */
async function contentToContent({ host, guest }: Pair, guestId: string, count: number): Promise<number[]> {
  const { channels } = await host.admin.call('channel.list', {})
  const hostId = channels.at(-1)!.id
  const times: number[] = []
  let arrived = (_number: number): void => {}
  const subscription = await guest.admin.subscribe(['channel.content'], (event) => {
    if (event.event === 'channel.content' && event.data.id === guestId) arrived(event.data.number)
  })
  for (let n = 1; n <= count; n++) {
    const came = new Promise<void>((resolve) => {
      arrived = (number) => number >= n && resolve()
    })
    times.push(
      await timedMs(async () => {
        await host.admin.call('channel.send', { id: hostId, text: `content ${n}` })
        await came
      }),
    )
    await guest.admin.call('channel.ack', { id: guestId, upTo: n })
  }
  await subscription.close()
  return times
}

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

export async function benchChannels(isQuick: boolean): Promise<Row[]> {
  const many = isQuick ? 10 : 200
  const pair = await startPair()
  const bareHome = makeHome()
  const bare = await startDaemon(bareHome)
  try {
    const [first] = await meet(pair, 'chat', 1)
    const times = await contentToContent(pair, first!, isQuick ? 5 : 200)
    const beforeMiB = residentMiB(pair.host.process.pid!)
    for (let done = 0; done < many; done += CHANNELS_AN_APP)
      await meet(pair, `app-${done}`, Math.min(CHANNELS_AN_APP, many - done))
    const channelKiB = ((residentMiB(pair.host.process.pid!) - beforeMiB) * 1024) / many
    const [none, some] = await lookupsInTurn(isQuick ? 3 : 30, [bare.admin, pair.host.admin])
    const p50 = quantile(times, 0.5)
    return [
      {
        what: 'channel over a folder, content to content',
        figure: `p50 ${p50.toFixed(1)} ms, p95 ${quantile(times, 0.95).toFixed(1)} ms (goal: 250 ms at most)`,
      },
      {
        what: `lookup with ${many} channels`,
        figure: `${formatUs(some!)}; ${formatRatio(some! / none!)} of that without (goal: 1.2 at most)`,
      },
      { what: 'memory a channel at the host', figure: `${channelKiB.toFixed(0)} KiB resident, from ${many} channels` },
    ]
  } finally {
    await pair.close()
    await bare.stop()
    removeHome(bareHome)
  }
}
