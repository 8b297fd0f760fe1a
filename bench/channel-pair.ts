/** Two real daemons with channels between them, for measuring. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Client } from '../src/ipc/client.ts'
import type { EventName } from '../src/ipc/methods/events.ts'
import { makeHome, removeHome, startDaemon, type RunningDaemon } from './daemon.ts'
import { timedMs } from './measure.ts'

const OPEN_AT_A_TIME = 10 // below the limit of 20 open invites

export interface Pair {
  readonly host: RunningDaemon
  readonly guest: RunningDaemon
  close(): Promise<void>
}

/** @param net the keys of `net:` in the configuration @param ofGuest those of the guest, where they are others */
export async function startPair(net: object, ofGuest: object = net): Promise<Pair> {
  const homes = [net, ofGuest].map((keys) => {
    const home = makeHome()
    mkdirSync(join(home, 'config'), { mode: 0o700 })
    // YAML reads JSON.
    writeFileSync(join(home, 'config', 'personad.yaml'), `net: ${JSON.stringify(keys)}\n`, { mode: 0o600 })
    return home
  })
  const [host, guest] = [await startDaemon(homes[0]!, true), await startDaemon(homes[1]!, true)]
  const close = async (): Promise<void> => {
    await host.stop()
    await guest.stop()
    for (const home of homes) removeHome(home)
  }
  return { host, guest, close }
}

/** Resolves at the next of these events for which the question is answered with yes. */
export async function until(client: Client, events: readonly EventName[], ask: () => Promise<boolean>): Promise<void> {
  let ring = (): void => {}
  const subscription = await client.subscribe(events, () => ring())
  for (;;) {
    const rung = new Promise<void>((resolve) => (ring = resolve))
    if (await ask()) break
    await rung
  }
  await subscription.close()
}

/** Makes channels of an app. @param direct whether they may go directly @returns the ids at the guest */
export async function meet({ host, guest }: Pair, app: string, count: number, direct = false): Promise<string[]> {
  const ids: string[] = []
  for (let done = 0; done < count; done += OPEN_AT_A_TIME) {
    const some = Array.from({ length: Math.min(OPEN_AT_A_TIME, count - done) }, async () => {
      const { invite } = await host.admin.call('channel.invite', { app, direct })
      return (await guest.admin.call('channel.accept', { app, invite, direct })).id
    })
    const begun = await Promise.all(some)
    const isOpen = async (id: string): Promise<boolean> =>
      (await guest.admin.call('channel.show', { id })).state === 'open'
    await until(guest.admin, ['channel.changed', 'channel.content'], async () =>
      (await Promise.all(begun.map(isOpen))).every(Boolean),
    )
    ids.push(...begun)
  }
  return ids
}

/** A channel of its own app over which contents go one after another, each once the one before is acknowledged at its sender. */
export class OneByOne {
  readonly #pair: Pair
  readonly #hostId: string
  readonly #guestId: string
  #sent = 0

  private constructor(pair: Pair, hostId: string, guestId: string) {
    this.#pair = pair
    this.#hostId = hostId
    this.#guestId = guestId
  }

  static async open(pair: Pair, app: string): Promise<OneByOne> {
    const [guestId] = await meet(pair, app, 1)
    const { channels } = await pair.host.admin.call('channel.list', { app })
    return new OneByOne(pair, channels[0]!.id, guestId!)
  }

  /** @returns the milliseconds from each call that sends to the event at the other daemon */
  async timesMs(count: number): Promise<number[]> {
    const { host, guest } = this.#pair
    const times: number[] = []
    let arrived = (_number: number): void => {}
    let delivered = (_upTo: number): void => {}
    const arrivals = await guest.admin.subscribe(['channel.content'], (event) => {
      if (event.event === 'channel.content' && event.data.id === this.#guestId) arrived(event.data.number)
    })
    const deliveries = await host.admin.subscribe(['channel.delivered'], (event) => {
      if (event.event === 'channel.delivered' && event.data.id === this.#hostId) delivered(event.data.upTo)
    })
    for (const last = this.#sent + count; this.#sent < last;) {
      const number = ++this.#sent
      const came = new Promise<void>((resolve) => {
        arrived = (each) => each >= number && resolve()
      })
      const acknowledged = new Promise<void>((resolve) => {
        delivered = (upTo) => upTo >= number && resolve()
      })
      times.push(
        await timedMs(async () => {
          await host.admin.call('channel.send', { id: this.#hostId, text: `content ${number}` })
          await came
        }),
      )
      await guest.admin.call('channel.ack', { id: this.#guestId, upTo: number })
      // Its ack is a message at the relay too: on its way, it would share the disk with the next content, and a POST shares it with nothing.
      await acknowledged
    }
    await arrivals.close()
    await deliveries.close()
    return times
  }
}
