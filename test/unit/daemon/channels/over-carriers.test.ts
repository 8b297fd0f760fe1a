/** Channels over the carriers themselves: a folder, a relay over HTTP, and both, of which one goes away in the middle. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { expect, it, onTestFinished } from 'vitest'
import { Carriers } from '../../../../src/daemon/channels/carriers/carriers.ts'
import { systemClock } from '../../../../src/process/pulse.ts'
import {
  folderPlace,
  realClock,
  relayServer,
  type TestPlace,
  type TestRelayServer,
} from '../../../support/carrier-places.ts'
import { ChannelDaemon } from '../../../support/channel-daemon.ts'

const AT_ONCE = 5

interface World {
  readonly folder: TestPlace
  readonly relay: TestRelayServer
  readonly ends: readonly [End, End]
}

/** One end of the channel. */
class End {
  daemon: ChannelDaemon
  id: string
  /** How many contents it has sent and read. */
  sent = 0
  read = 0
  readonly #ways: () => Carriers

  constructor(daemon: ChannelDaemon, id: string, ways: () => Carriers) {
    this.daemon = daemon
    this.id = id
    this.#ways = ways
    onTestFinished(() => this.daemon.runner.close())
  }

  /** Starts a new process of it. */
  async restart(): Promise<void> {
    await this.daemon.runner.close()
    this.daemon = await ChannelDaemon.over(await this.daemon.test.reopened(), this.#ways())
  }

  /** Calls that come together share a turn, so this makes few frames. */
  async send(count: number): Promise<void> {
    for (let left = count; left > 0; left -= AT_ONCE) {
      const texts = Array.from({ length: Math.min(left, AT_ONCE) }, () => `content ${++this.sent}`)
      await Promise.all(texts.map((text) => this.daemon.call('channel.send', { id: this.id, text })))
    }
  }

  /** Reads what the other end has sent: all of it, each once, in order. */
  async readAll(other: End): Promise<void> {
    while (this.read < other.sent) {
      await setImmediate()
      await this.daemon.idle()
      if ((await this.daemon.call('channel.show', { id: this.id })).unread === 0) continue
      for (const text of await this.daemon.texts(this.id)) expect(text).toBe(`content ${++this.read}`)
      await this.daemon.call('channel.ack', { id: this.id, upTo: this.read })
    }
    expect(this.read).toBe(other.sent)
    expect(await this.daemon.texts(this.id)).toEqual([])
  }
}

/** Two daemons with a channel over these carriers: `folder`, or the URL of the relay. */
async function opened(overOf: (relay: string) => string[]): Promise<World> {
  const folder = folderPlace()
  const relay = await relayServer()
  const ways = (): Carriers => {
    const client = relay.client()
    return new Carriers({
      folder: { folders: [folder.at], clock: systemClock, wallMs: Date.now },
      relay: { client: () => client, token: () => null, clock: realClock },
      relays: () => [relay.at],
    })
  }
  const [host, guest] = [await ChannelDaemon.open(ways()), await ChannelDaemon.open(ways())]
  const over = overOf(relay.at)
  const { invite } = await host.call('channel.invite', { name: 'Bob', over })
  const { id } = await guest.call('channel.accept', { invite, name: 'Alice', over })
  const ends = [new End(host, '', ways), new End(guest, id, ways)] as const
  for (const stateOf of [hostState, guestState]) while ((await stateOf()) !== 'open') await setImmediate()
  return { folder, relay, ends }

  async function hostState(): Promise<string | undefined> {
    const [channel] = (await host.call('channel.list', {})).channels
    ends[0].id = channel?.id ?? ''
    return channel?.state
  }

  async function guestState(): Promise<string> {
    return (await guest.call('channel.show', { id })).state
  }
}

async function bothWays([host, guest]: readonly [End, End], count: number): Promise<void> {
  await Promise.all([host.send(count), guest.send(count)])
  await Promise.all([host.readAll(guest), guest.readAll(host)])
}

it.each([
  ['a folder', (): string[] => ['folder']],
  ['a relay', (relay: string): string[] => [relay]],
])('over %s, contents go both ways, each read once, in order, also over restarts', async (_name, over) => {
  const { ends } = await opened(over)
  await bothWays(ends, 20)
  for (const end of ends) {
    await end.send(5)
    await end.restart()
  }
  await bothWays(ends, 5)
})

it('a folder has few files once everything was acknowledged, and no first message of a guest', async () => {
  const { folder, ends } = await opened(() => ['folder'])
  await bothWays(ends, 20)
  // The last ack of each end stays, and M2 at the place of the invite.
  while ((await folder.count()) > 3) {
    await setImmediate()
    for (const { daemon } of ends) await daemon.idle()
  }
  expect(readdirSync(folder.at).filter((name) => name.endsWith('.m1'))).toEqual([])
  for (const name of readdirSync(folder.at)) expect(readdirSync(join(folder.at, name)).length).toBeLessThanOrEqual(2)
})

it('a relay keeps nothing that was read some seconds before', async () => {
  const { relay, ends } = await opened((url) => [url])
  await bothWays(ends, 5)
  while ((await relay.relay.store.stats()).messages > 0) {
    await setImmediate()
    for (const { daemon } of ends) await daemon.idle()
    for (const { daemon } of ends) daemon.clock.turn(5000)
  }
})

it('while one carrier is away the other goes on, and nothing is read twice when it is back', async () => {
  const { folder, relay, ends } = await opened((url) => ['folder', url])
  await bothWays(ends, 5)
  const relayBack = relay.takeAway()
  await bothWays(ends, 10)
  relayBack()
  const folderBack = folder.takeAway()
  for (const end of ends) await end.restart()
  await bothWays(ends, 10)
  folderBack()
  for (const end of ends) await end.restart()
  await bothWays(ends, 10)
})

it('contents that were sent while every carrier was away arrive when one is back', async () => {
  const { folder, relay, ends } = await opened((url) => ['folder', url])
  await bothWays(ends, 5)
  relay.takeAway()
  const folderBack = folder.takeAway()
  for (const end of ends) await end.send(10)
  // Each try has failed, and waits for its time.
  for (const { daemon } of ends) await daemon.idle()
  folderBack()
  for (const { daemon } of ends) daemon.clock.turn(60_000)
  await bothWays(ends, 5)
})
