/**
 * 64 channels with disk, each side alone, beside the store alone: it commits the same records again, as many at a time, by its group commit.
 * The carrier is in memory.
 */
import { join } from 'node:path'
import type { Write } from '../src/store/store.ts'
import { ChannelDaemon, settle } from '../test/support/channel-daemon.ts'
import { MemoryPost } from '../test/support/memory-carrier.ts'
import { openState, type OpenState } from '../test/support/state-dir.ts'
import { makeHome, removeHome } from './daemon.ts'
import { HeldCarrier } from './held-carrier.ts'
import { formatRatio, quantile, timedMs, type Row } from './measure.ts'

const CHANNELS = 64
const TEXT = 'x'.repeat(200) // a line of a chat
const INVITES = 16 // below the limit of 20 open invites

interface Side {
  readonly daemon: ChannelDaemon
  readonly carrier: HeldCarrier
  readonly state: OpenState
  /** The same commits go there. */
  readonly bare: OpenState
}

async function startSide(home: string, post: MemoryPost): Promise<Side> {
  const stateDir = join(home, 'state')
  const state = await openState(stateDir)
  const bare = await openState(join(home, 'bare'))
  const carrier = new HeldCarrier(post)
  return { daemon: await ChannelDaemon.open(carrier, { store: state.store, stateDir }), carrier, state, bare }
}

async function stopSide({ daemon, state, bare }: Side): Promise<void> {
  await daemon.runner.close()
  await state.close()
  await bare.close()
}

/** @returns the ids at the guest */
async function meet(host: ChannelDaemon, guest: ChannelDaemon, post: MemoryPost): Promise<string[]> {
  const ids: string[] = []
  while (ids.length < CHANNELS) {
    for (let n = 0; n < INVITES; n++) {
      const { invite } = await host.call('channel.invite', {})
      ids.push((await guest.call('channel.accept', { invite })).id)
    }
    await settle(post, host, guest)
  }
  return ids
}

/** One part of the way of contents, measured in rounds. */
class Part {
  readonly what: string
  readonly #side: Side
  readonly #channelMs: number[] = []
  readonly #storeMs: number[] = []
  readonly #channelUs: number[] = []
  readonly #storeUs: number[] = []
  #commits = 0
  #bytes = 0

  constructor(what: string, side: Side) {
    this.what = what
    this.#side = side
  }

  /** Runs the part, and then its commits at the store alone. */
  async round(run: () => Promise<unknown>): Promise<void> {
    const { daemon, bare } = this.#side
    const { commits } = daemon.test.store
    const before = commits.length
    const started = process.cpuUsage()
    this.#channelMs.push(await timedMs(run))
    this.#channelUs.push(busyUs(started))
    const made = commits.slice(before)
    const storeStarted = process.cpuUsage()
    this.#storeMs.push(await timedMs(async () => await commitAll(bare, made)))
    this.#storeUs.push(busyUs(storeStarted))
    this.#commits = made.length
    this.#bytes = made.flat().reduce((sum, { value }) => sum + (value?.length ?? 0), 0)
  }

  row(contents: number): Row {
    const [channelMs, storeMs] = [quantile(this.#channelMs, 0.5), quantile(this.#storeMs, 0.5)]
    const [channelUs, storeUs] = [quantile(this.#channelUs, 0.5), quantile(this.#storeUs, 0.5)]
    const each = `CPU ${Math.round(channelUs / contents)} us, store alone ${Math.round(storeUs / contents)} us; ${(this.#commits / contents).toFixed(2)} commits and ${Math.round(this.#bytes / contents)} bytes a content`
    return {
      what: this.what,
      figure: `${Math.round((contents * 1000) / channelMs)} a second; ${formatRatio(storeMs / channelMs)} of the store alone (goal: 0.8 or more); ${each}`,
    }
  }
}

/** The time of the processor of all threads. It swings less with the load of the machine than the time of the clock. */
function busyUs(started: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(started)
  return user + system
}

/** As many commits wait at a time as there are channels. */
async function commitAll({ store }: OpenState, commits: readonly (readonly Write[])[]): Promise<void> {
  let next = 0
  const lane = async (): Promise<void> => {
    for (let at = next++; at < commits.length; at = next++) await store.commit(commits[at]!)
  }
  await Promise.all(Array.from({ length: CHANNELS }, lane))
}

async function measure(host: Side, guest: Side, ids: readonly string[], aTime: number, rounds: number): Promise<Row[]> {
  const name = (part: string): string => `channel with disk, ${aTime} contents at a time, ${part}`
  const sender = new Part(name('sender'), guest)
  const receiver = new Part(name('receiver'), host)
  const acked = new Part(name('acks'), guest)
  const all = ids.flatMap((id) => Array.from({ length: aTime }, () => id))
  for (let round = 0; round < rounds; round++) {
    for (const { carrier } of [host, guest]) carrier.hold()
    await sender.round(async () => {
      await Promise.all(all.map((id) => guest.daemon.call('channel.send', { id, text: TEXT })))
    })
    await guest.daemon.idle()
    await receiver.round(async () => {
      host.carrier.release()
      await host.daemon.idle()
    })
    await acked.round(async () => {
      guest.carrier.release()
      await guest.daemon.idle()
    })
  }
  return [sender, receiver, acked].map((part) => part.row(all.length))
}

export async function benchChannelDisk(isQuick: boolean): Promise<Row[]> {
  const homes = [makeHome(), makeHome()]
  const post = new MemoryPost()
  const [host, guest] = [await startSide(homes[0]!, post), await startSide(homes[1]!, post)]
  try {
    const ids = await meet(host.daemon, guest.daemon, post)
    const rounds = isQuick ? 2 : 60
    return [
      ...(await measure(host, guest, ids, 1, rounds)),
      ...(await measure(host, guest, ids, 16, Math.ceil(rounds / 4))),
    ]
  } finally {
    for (const side of [host, guest]) await stopSide(side)
    for (const home of homes) removeHome(home)
  }
}

if (import.meta.main)
  for (const { what, figure } of await benchChannelDisk(process.argv.includes('--quick')))
    console.log(`${what.padEnd(56)} ${figure}`)
