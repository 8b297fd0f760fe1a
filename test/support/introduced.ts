/** Two people, each with two linked apps on one daemon in this process, who have a channel in the first app. */
import { expect } from 'vitest'
import type { Client } from '../../src/ipc/client.ts'
import type { ChannelView } from '../../src/ipc/methods/channel-values.ts'
import type { EventName } from '../../src/ipc/methods/events.ts'
import type { Receive } from '../../src/ipc/methods/links.ts'
import type { ProposalView } from '../../src/ipc/methods/links.ts'
import type { Host, Wing } from '../../src/daemon/wing/wing.ts'
import { WINGS } from '../../src/daemon/wings.ts'
import { InnerDaemon } from './inner-daemon.ts'
import { deviceKey } from './person.ts'
import { tempDir } from './temp-dir.ts'

export const SOURCE = 'org.example.renuicorn'
export const TARGET = 'org.example.veilchat'

const WATCHED: EventName[] = ['channel.changed', 'channel.content', 'app.proposal', 'app.linked', 'app.unlinked']

export class Person {
  readonly name: string
  readonly home: string
  readonly #folder: string
  inner!: InnerDaemon
  /** The services of the daemon, for what no client may do. */
  host!: Host
  owner!: Client
  source!: Client
  target!: Client
  persona = ''
  readonly tokens: Record<string, string> = {}
  #ring: () => void = () => {}

  private constructor(name: string, folder: string) {
    this.name = name
    this.home = tempDir()
    this.#folder = folder
  }

  static async begin(name: string, folder: string): Promise<Person> {
    const person = new Person(name, folder)
    await person.start()
    const { table } = await person.owner.call('persona.init', {
      device: { name: `${name}s desk`, key: deviceKey(`${name} desk`) },
    })
    person.persona = table.personaId
    for (const app of [SOURCE, TARGET]) {
      const can = ['channel', 'propose']
      person.tokens[app] = (await person.owner.call('app.allow', { name: app, can })).token
    }
    await person.connectApps()
    return person
  }

  async start(): Promise<void> {
    const spy: Wing = {
      schema: { methods: {}, events: {}, status: {}, capabilities: [] },
      section: null,
      open: (host) => {
        this.host = host
        return { handlers: {} }
      },
    }
    const config = `net: ${JSON.stringify({ folders: [this.#folder] })}\n`
    this.inner = await InnerDaemon.start(this.home, config, [...WINGS, spy])
    this.owner = await this.inner.connect()
    await this.owner.subscribe(WATCHED, () => this.#ring())
    if (this.persona !== '') await this.connectApps()
  }

  async restart(): Promise<void> {
    await this.inner.stop()
    await this.start()
  }

  async connectApps(): Promise<void> {
    this.source = await this.#app(SOURCE)
    this.target = await this.#app(TARGET)
  }

  async #app(app: string): Promise<Client> {
    const client = await this.inner.connect('app')
    await client.call('app.hello', { token: this.tokens[app]! })
    return client
  }

  /** Links the apps, and provides all contacts of the source app. */
  async link(receive: { how: Receive['how']; aDay?: number } = { how: 'ask' }): Promise<void> {
    await this.owner.call('app.link', { app: SOURCE, other: TARGET, provide: 'all' })
    await this.owner.call('app.link', { app: TARGET, other: SOURCE, receive })
  }

  async unlink(): Promise<void> {
    const { links } = await this.owner.call('app.links', {})
    for (const { id } of links) await this.owner.call('app.unlink', { id })
  }

  async proposals(): Promise<ProposalView[]> {
    return (await this.owner.call('app.proposals', {})).proposals
  }

  /** Sends bytes to the daemon of the other person as a text about a proposal. */
  async tell(channel: string, text: Uint8Array): Promise<void> {
    const ways = await this.host.introductions.ways()
    expect(await ways.tell(channel, { bytes: text, replaces: () => false }, () => {})).toBe(true)
  }

  /** Resolves once everything that was sent over a channel has arrived. */
  async delivered(channel: string, other: Person): Promise<void> {
    const { number } = await this.owner.call('channel.send', { id: channel, text: 'the last' })
    await other.until(async () => (await other.channels(SOURCE)).some(({ received }) => received >= number!))
  }

  /** The states of the proposals of another person, in their order. */
  async states(): Promise<string[]> {
    return (await this.proposals()).map(({ state }) => state)
  }

  async answer(other: Person, answer: 'accept' | 'decline'): Promise<void> {
    await this.owner.call('app.answer', { app: TARGET, persona: other.persona, answer })
  }

  async channels(app: string = TARGET): Promise<ChannelView[]> {
    return (await this.owner.call('channel.list', { app })).channels
  }

  /** Resolves once the look finds something. It looks again after each event. */
  async until<T>(look: () => Promise<T | null | false>): Promise<T> {
    for (;;) {
      const rung = new Promise<void>((resolve) => (this.#ring = resolve))
      const found = await look()
      if (found !== null && found !== false) return found
      await rung
    }
  }

  /** Waits until the proposals are in these states. */
  async reach(...states: readonly string[]): Promise<void> {
    await this.until(async () => {
      const now = await this.states()
      return now.join() === states.join()
    })
  }
}

/** A channel of the source app between two people. @returns its ids at both */
export async function meetIn(app: string, host: Person, guest: Person): Promise<readonly [string, string]> {
  const known = (await host.channels(app)).map(({ id }) => id)
  const { invite } = await host.owner.call('channel.invite', { app, name: guest.name })
  const { id } = await guest.owner.call('channel.accept', { app, invite, name: host.name })
  const isOpen = ({ state }: ChannelView): boolean => state === 'open'
  await guest.until(async () => (await guest.channels(app)).find((each) => each.id === id && isOpen(each)) ?? null)
  const atHost = await host.until(
    async () => (await host.channels(app)).find((each) => !known.includes(each.id) && isOpen(each)) ?? null,
  )
  expect(atHost.peer.persona).toBe(guest.persona)
  return [atHost.id, id]
}

export interface Pair {
  readonly leo: Person
  readonly kim: Person
  readonly folder: string
  /** The ids of their channel. */
  readonly atLeo: string
  readonly atKim: string
}

export async function leoAndKim(): Promise<Pair> {
  const folder = tempDir()
  const [leo, kim] = [await Person.begin('Leo', folder), await Person.begin('Kim', folder)]
  const [atLeo, atKim] = await meetIn(SOURCE, leo, kim)
  return { leo, kim, folder, atLeo, atKim }
}
