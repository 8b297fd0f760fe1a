/**
 * 64 channels with disk, each side alone, beside two others that commit the same records again, as many at a time, by the group commit of the
 * store: the store alone, which gets the sealed bytes, and a daemon that seals values of the same size, as it does for any app. The carrier is
 * in memory.
 */
import { join } from 'node:path'
import { sealedKind, type SealedKind } from '../src/daemon/sealed/sealed-kind.ts'
import type { Write } from '../src/store/store.ts'
import { ChannelDaemon, settle } from '../test/support/channel-daemon.ts'
import { MemoryPost } from '../test/support/memory-carrier.ts'
import { openState, type OpenState } from '../test/support/state-dir.ts'
import { makeHome, removeHome } from './daemon.ts'
import { HeldCarrier } from './held-carrier.ts'
import { formatRatio, timedMs, type Row } from './measure.ts'

const CHANNELS = 64
const TEXT = 'x'.repeat(200) // a line of a chat
const INVITES = 16 // below the limit of 20 open invites
const WARM_UP_ROUNDS = 40 // until the compiler has seen all of it
const SEALED_PREFIX = 'sealed/'
const SEAL_BYTES: number = 1 + 8 + 24 + 16 + 2 // version of the record, id of the key, nonce, tag, and length of the name

interface Side {
  readonly daemon: ChannelDaemon
  readonly carrier: HeldCarrier
  readonly state: OpenState
  /** The same commits go there. */
  readonly bare: OpenState
  /** So do values of the same size, which it seals. */
  readonly sealing: ChannelDaemon
  readonly sealingState: OpenState
}

async function startSide(home: string, post: MemoryPost): Promise<Side> {
  const stateDir = join(home, 'state')
  const state = await openState(stateDir)
  const bare = await openState(join(home, 'bare'))
  const carrier = new HeldCarrier(post)
  const daemon = await ChannelDaemon.open(carrier, { store: state.store, stateDir })
  const sealingDir = join(home, 'sealing')
  const sealingState = await openState(sealingDir)
  const sealing = await ChannelDaemon.open(new MemoryPost(), { store: sealingState.store, stateDir: sealingDir })
  return { daemon, carrier, state, bare, sealing, sealingState }
}

async function stopSide({ daemon, state, bare, sealing, sealingState }: Side): Promise<void> {
  for (const { runner } of [daemon, sealing]) await runner.close()
  for (const each of [state, bare, sealingState]) await each.close()
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

/** Times of some work in rounds: by the clock, and of the processor. The least of each counts, since others on the machine only add to it. */
class Times {
  readonly #ms: number[] = []
  readonly #busyUs: number[] = []

  async add(run: () => Promise<unknown>): Promise<void> {
    const before = process.cpuUsage()
    this.#ms.push(await timedMs(run))
    const { user, system } = process.cpuUsage(before)
    this.#busyUs.push(user + system)
  }

  get ms(): number {
    return Math.min(...this.#ms)
  }

  /** The time of all threads. */
  get busyUs(): number {
    return Math.min(...this.#busyUs)
  }
}

/** One part of the way of contents, measured in rounds. */
class Part {
  readonly what: string
  readonly #side: Side
  readonly #channel = new Times()
  readonly #store = new Times()
  readonly #sealing = new Times()
  #commits = 0
  #bytes = 0

  constructor(what: string, side: Side) {
    this.what = what
    this.#side = side
  }

  /** Runs the part, and then its commits at both others. */
  async round(run: () => Promise<unknown>): Promise<void> {
    const { daemon, bare, sealing } = this.#side
    const { commits } = daemon.test.store
    const before = commits.length
    await this.#channel.add(run)
    const made = commits.slice(before)
    await this.#store.add(async () => await inLanes(made, (writes) => bare.store.commit(writes)))
    const values = made.map((writes) => writes.map(valueOf))
    await this.#sealing.add(async () => await inLanes(values, (each) => sealAll(each, sealing)))
    this.#commits = made.length
    this.#bytes = made.flat().reduce((sum, { value }) => sum + (value?.length ?? 0), 0)
  }

  row(contents: number): Row {
    const [channel, store, sealing] = [this.#channel, this.#store, this.#sealing]
    const rate = `${Math.round((contents * 1000) / channel.ms)} a second`
    if (this.#commits === 0) return { what: this.what, figure: `${rate}; no commits` }
    const [us, storeUs, sealingUs] = [channel, store, sealing].map(({ busyUs }) => Math.round(busyUs / contents))
    const each = `${(this.#commits / contents).toFixed(2)} commits and ${Math.round(this.#bytes / contents)} bytes a content`
    const ratios = `${formatRatio(store.ms / channel.ms)} of the store alone (goal: 0.8 or more), ${formatRatio(sealing.ms / channel.ms)} of sealed values`
    return {
      what: this.what,
      figure: `${rate} at best; ${ratios}; ${each}; ${us}, ${storeUs} and ${sealingUs} us of CPU`,
    }
  }
}

interface Value {
  readonly kind: SealedKind<Uint8Array>
  readonly id: string
  /** Null where the record is deleted. */
  readonly bytes: Uint8Array | null
}

/** A value that makes a sealed record of the same size under the same key. */
function valueOf({ key, value }: Write): Value {
  if (!key.startsWith(SEALED_PREFIX)) throw new Error(`the record ${key} is not sealed`)
  const name = key.slice(SEALED_PREFIX.length)
  const slash = name.indexOf('/')
  const kind = sealedKind(name.slice(0, slash), { encode: (bytes: Uint8Array) => bytes, decode: (bytes) => bytes })
  const bytes = value === null ? null : new Uint8Array(value.length - SEAL_BYTES - name.length)
  return { kind, id: name.slice(slash + 1), bytes }
}

async function sealAll(values: readonly Value[], { test, sealed }: ChannelDaemon): Promise<void> {
  await test.keeper.change(() => {
    for (const { kind, id, bytes } of values) {
      const records = sealed.records.inChange(kind)
      if (bytes === null) records.delete(id)
      else records.put(id, bytes)
    }
  })
}

/** As many commits wait at a time as there are channels. */
async function inLanes<Item>(items: readonly Item[], commit: (item: Item) => Promise<void>): Promise<void> {
  let next = 0
  const lane = async (): Promise<void> => {
    for (let at = next++; at < items.length; at = next++) await commit(items[at]!)
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
    if (!isQuick) await measure(host, guest, ids, 1, WARM_UP_ROUNDS)
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
