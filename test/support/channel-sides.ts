/** Real daemons in homes of their own, which reach each other by a folder or by relays, and the channels between them. */
import { randomBytes } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import type { Client } from '../../src/ipc/client.ts'
import type { ChannelView } from '../../src/ipc/methods/channel-values.ts'
import { DaemonProcess } from './daemon.ts'
import { tempDir } from './temp-dir.ts'

/** The keys of `net:` in the configuration. */
export interface NetSection {
  readonly folders?: readonly string[]
  readonly relays?: readonly string[]
  readonly private?: readonly string[]
  readonly direct?: boolean
  readonly direct_address?: string
  readonly ice?: readonly string[]
  readonly bootstrap?: readonly string[]
  readonly veilid_socket?: string
  readonly veilid?: string
}

/** One daemon, which may be killed and started again in its home. */
export class Side {
  readonly home: string
  readonly #prefix: readonly string[]
  daemon!: DaemonProcess
  client!: Client

  /** @param prefix a command that runs the daemon as its argument, such as to enter a network namespace */
  constructor(net: NetSection, home: string = tempDir(), prefix: readonly string[] = []) {
    this.home = home
    this.#prefix = prefix
    this.configure(net)
  }

  /** Writes the configuration, which the next start reads. */
  configure(net: NetSection): void {
    mkdirSync(join(this.home, 'config'), { recursive: true, mode: 0o700 })
    // YAML reads JSON.
    writeFileSync(join(this.home, 'config', 'personad.yaml'), `net: ${JSON.stringify(net)}\n`, { mode: 0o600 })
  }

  async start(): Promise<this> {
    this.daemon = await DaemonProcess.start({ home: this.home, prefix: this.#prefix })
    this.client = await this.daemon.connect()
    return this
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    await this.daemon.kill(signal)
  }

  /** Resolves once `look` finds something. It looks again after each event of a channel. */
  async until<T>(look: (client: Client) => Promise<T | null | false>): Promise<T> {
    const { client } = this
    let ring = (): void => {}
    const subscription = await client.subscribe(
      ['channel.changed', 'channel.content', 'channel.delivered', 'channel.way', 'channel.alarm'],
      () => ring(),
    )
    try {
      for (;;) {
        const rung = new Promise<null>((resolve) => (ring = () => resolve(null)))
        const found = await look(client)
        if (found !== null && found !== false) return found
        const reason = await Promise.race([rung, client.closed.then((error) => error ?? new Error('closed'))])
        if (reason !== null) throw reason
      }
    } finally {
      await subscription.close().catch(() => {})
    }
  }

  async show(id: string): Promise<ChannelView> {
    return await this.client.call('channel.show', { id })
  }
}

/** Two daemons that run. */
export async function twoSides(net: NetSection): Promise<[Side, Side]> {
  return await Promise.all([new Side(net).start(), new Side(net).start()])
}

/** Makes a persona with one device, and returns its id. */
export async function makePersona({ client }: Side): Promise<string> {
  const key = `${randomBytes(31).toString('hex').toUpperCase()}00` // below 2^255 - 19
  const { table } = await client.call('persona.init', { device: { name: 'laptop', key } })
  return table.personaId
}

export interface Met {
  /** The ids of the channel, which are other ones on each side. */
  readonly hostId: string
  readonly guestId: string
  readonly words: readonly string[]
}

/** Makes a channel by an invite, and expects the same words on both sides. */
export async function meet(host: Side, guest: Side, over?: string[], direct: boolean = false): Promise<Met> {
  const known = (await host.client.call('channel.list', {})).channels.map(({ id }) => id)
  const at = { ...(over === undefined ? {} : { over }), ...(direct ? { direct } : {}) }
  const { invite } = await host.client.call('channel.invite', { name: 'Guest', ...at })
  const { id: guestId } = await guest.client.call('channel.accept', { invite, name: 'Host', ...at })
  const ofGuest = await guest.until(async () => isOpen(await guest.show(guestId)))
  const ofHost = await host.until(async (client) => {
    const { channels } = await client.call('channel.list', {})
    return isOpen(channels.find(({ id }) => !known.includes(id)) ?? null)
  })
  expect(ofHost.words).toHaveLength(4)
  expect(ofHost.words).toEqual(ofGuest.words)
  return { hostId: ofHost.id, guestId, words: ofHost.words! }
}

function isOpen(view: ChannelView | null): ChannelView | null {
  return view?.state === 'open' ? view : null
}

const AT_A_TIME = 64 // as many as a window
const MOST_WAITING = 2048 // half of the contents that a daemon lets wait for one peer

/** Sends texts in their order, some at a time. It waits for the peer while much is not delivered. */
export async function sendInOrder(side: Side, id: string, texts: readonly string[]): Promise<void> {
  for (let from = 0; from < texts.length; from += AT_A_TIME) {
    await side.until(async () => (await side.show(id)).waiting < MOST_WAITING)
    const some = texts.slice(from, from + AT_A_TIME)
    await Promise.all(some.map((text) => side.client.call('channel.send', { id, text })))
  }
}

/**
 * Reads and acknowledges contents until `count` have come in all, each with the next number.
 * @param after the number of the last content that was read before
 */
export async function readUpTo(side: Side, id: string, count: number, after = 0): Promise<string[]> {
  const texts: string[] = []
  let last = after
  await side.until(async (client) => {
    for (let isMore = true; isMore;) {
      const { contents, next } = await client.call('channel.read', { id, after: last })
      for (const { number, content } of contents) {
        expect(number).toBe(last + 1)
        texts.push(Buffer.from(content, 'base64').toString())
        last = number
      }
      if (contents.length > 0) await client.call('channel.ack', { id, upTo: last })
      isMore = next !== null && contents.length > 0
    }
    return last >= count
  })
  return texts
}
