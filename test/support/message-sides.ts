/** Real daemons whose people send each other messages, by real relays that keep inboxes and stores for them. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Client } from '../../src/ipc/client.ts'
import type { ReadMessage, SentMessage, SentState } from '../../src/ipc/methods/messages.ts'
import { makePersona, Side } from './channel-sides.ts'
import type { TestKeeper } from './keeper.ts'
import { pair } from './pairing.ts'
import { RelayProcess, runRelayCommand } from './relay-process.ts'
import { tempDir } from './temp-dir.ts'

/** A relay, and a token of its operator. */
export interface InboxRelay {
  readonly relay: RelayProcess
  readonly token: string
}

/** @param config lines of its configuration */
export async function inboxRelay(home: string = tempDir(), config: string = ''): Promise<InboxRelay> {
  const relay = await RelayProcess.start({ home, config })
  const { stdout } = await runRelayCommand(['token', 'add', 'people', '--dir', relay.dataDir])
  return { relay, token: stdout.trim().split('\n')[0]! }
}

/** Files of objects that a relay has. */
export function objectsOf({ relay }: InboxRelay): string[] {
  return readdirSync(join(relay.dataDir, 'objects'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ name }) => name)
}

/** The figures of a relay. */
export async function statsOf({ relay }: InboxRelay): Promise<{ readonly entries: number; readonly objects: number }> {
  const metrics = await relay.metrics()
  const of = (name: string): number => Number(new RegExp(`^persona_relay_${name} (\\d+)$`, 'm').exec(metrics)![1])
  return { entries: of('entries'), objects: of('objects') }
}

/** A person with one device. */
export class Correspondent extends Side {
  persona = ''

  /** @param relays their inboxes and stores */
  static async start(...relays: readonly InboxRelay[]): Promise<Correspondent> {
    const person = new Correspondent({ private: ['127.0.0.1'] })
    await person.start()
    for (const { relay, token } of relays) await person.client.call('relay.add', { url: relay.url, token })
    person.persona = await makePersona(person)
    return person
  }

  /** Has this person as a contact from now on. */
  async meets(other: Correspondent): Promise<void> {
    const { link } = await other.client.call('link.get', {})
    await this.client.call('contact.add', { link })
  }

  async use(app: string): Promise<void> {
    await this.client.call('message.open', { app })
  }

  async put(app: string, to: Correspondent, text: string, key?: string): Promise<number | null> {
    const wishes = { app, to: to.persona, text, ...(key === undefined ? {} : { key }) }
    return (await this.client.call('message.put', wishes)).number
  }

  /** Resolves once `look` finds something. It looks again after each event of a message. */
  async untilMessages<T>(look: (client: Client) => Promise<T | null | false>): Promise<T> {
    let ring = (): void => {}
    const { client } = this
    const subscription = await client.subscribe(['message.arrived', 'message.changed', 'message.request'], () => ring())
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

  /** Messages that have come, once there are so many. */
  async arrived(app: string, count: number): Promise<ReadMessage[]> {
    return await this.untilMessages(async (client) => {
      const { messages } = await client.call('message.read', { app, after: 0 })
      return messages.length >= count && messages
    })
  }

  async texts(app: string, count: number): Promise<string[]> {
    return (await this.arrived(app, count)).map(({ content }) => Buffer.from(content, 'base64').toString())
  }

  /** The texts of messages that have come, once there are so many. The app has dealt with them then. */
  async take(app: string, count: number): Promise<string[]> {
    const messages = await this.arrived(app, count)
    await this.client.call('message.ack', { app, upTo: messages.at(-1)!.number })
    return messages.map(({ content }) => Buffer.from(content, 'base64').toString())
  }

  /** Resolves once a sent message is in a state. */
  async untilSent(app: string, number: number, state: SentState): Promise<SentMessage> {
    return await this.untilMessages(async (client) => {
      const { messages } = await client.call('message.sent', { app })
      return messages.find((sent) => sent.number === number && sent.state === state) ?? null
    })
  }
}

/** Another device of somebody, with the same persona and contacts. */
export async function joined(first: Correspondent, ...relays: readonly InboxRelay[]): Promise<Correspondent> {
  const second = new Correspondent({ private: ['127.0.0.1'] })
  await second.start()
  for (const { relay, token } of relays) await second.client.call('relay.add', { url: relay.url, token })
  // A client makes the same calls as a keeper without a socket.
  const [old, joining] = [first.client, second.client] as unknown as TestKeeper[]
  await pair(old!, joining!)
  second.persona = first.persona
  return second
}

export async function makeContacts(...people: readonly Correspondent[]): Promise<void> {
  for (const one of people) for (const other of people) if (one !== other) await one.meets(other)
}
