/** The messages of daemons in this process: real keepers, cards and sealed records, and relays whose time the test moves with theirs. */
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { APP_KEYS } from '../../src/daemon/cards/app-keys.ts'
import { HeldCards } from '../../src/daemon/cards/held-cards.ts'
import { relayStores } from '../../src/daemon/cards/relay-stores.ts'
import { messageHandlers } from '../../src/daemon/messages/methods.ts'
import { Messages } from '../../src/daemon/messages/messages.ts'
import { MessagesError } from '../../src/daemon/messages/records/errors.ts'
import { SEALED_KINDS } from '../../src/daemon/messages/records/kinds.ts'
import { CallApps } from '../../src/daemon/wing/call-apps.ts'
import type { OwnRelay, Relays } from '../../src/daemon/relays/relays.ts'
import type { SealedKind } from '../../src/daemon/sealed/sealed-kind.ts'
import { Sealed } from '../../src/daemon/sealed/sealed.ts'
import type { Caller, Handlers, ParamsOf, ResultOf } from '../../src/ipc/methods/method.ts'
import type { MessagesMethods, ReadMessage, SentMessage, SentState } from '../../src/ipc/methods/messages.ts'
import { RelayClient } from '../../src/relay/client.ts'
import type { RelayClock } from '../../src/relay/means.ts'
import { appCaller, OWNER } from './channel-daemon.ts'
import { ownText, TestKeeper, type KeeperStory } from './keeper.ts'
import { OPERATORS_TOKEN, type MessageRelay } from './message-relay.ts'
import { MessageWorld } from './message-world.ts'
import { deviceKey } from './person.ts'
import { silentLog } from './silent-log.ts'

export const NOTES = 'org.example.notes'
export const DAY_SEC = 86_400
function laptopOf(name: string): string {
  return deviceKey(`${name}'s laptop`)
}

export class MessageDaemon {
  readonly world: MessageWorld
  readonly name: string
  readonly test: TestKeeper
  readonly sealed: Sealed
  readonly cards: HeldCards
  readonly messages: Messages
  readonly personaId: string
  /** Relays of the owner. */
  readonly relays: readonly MessageRelay[]
  /** The operator's token, which goes with the cards; null while the owner has none. */
  token: string | null = OPERATORS_TOKEN
  readonly #added = new Set<(url: string) => void>()
  readonly #handlers: Handlers<MessagesMethods>
  #phone: TestKeeper | null = null

  private constructor(
    world: MessageWorld,
    test: TestKeeper,
    sealed: Sealed,
    relays: readonly MessageRelay[],
    name: string,
  ) {
    this.name = name
    this.world = world
    this.test = test
    this.sealed = sealed
    this.relays = relays
    this.personaId = test.records.own.get('own')?.personaId ?? ''
    const { keeper, cardReader: reader } = test
    const means = relaysOf(
      world,
      relays.map(({ url }) => ({ url, hasToken: true, from: 'added' })),
      { token: () => this.token, added: this.#added },
    )
    const { clock } = world
    const parts = { keeper, reader, sealed: sealed.records, clock, log: silentLog }
    this.cards = new HeldCards({ ...parts, stores: relayStores(means) })
    this.messages = new Messages({
      keeper,
      sealed: sealed.records,
      cards: this.cards,
      relays: means,
      // No wing of channels is here.
      takeInvite: () => Promise.resolve(),
      clock,
      log: silentLog,
    })
    test.onEvent = (event) => {
      this.cards.onEvent(event)
      if ((event.event === 'locked' && event.data.locked) || event.event === 'own.changed') void this.messages.settle()
      if (event.event === 'contact.changed') void this.messages.contactChanged(event.data)
      if (event.event === 'contact.forgotten') void this.messages.contactForgotten(event.data)
    }
    const apps = new CallApps(
      (caller) => appNameOf(caller),
      'messages',
      (message, hint) => new MessagesError('MESSAGE_APP', message, hint),
    )
    this.#handlers = messageHandlers(this.messages, apps, async () => {})
    world.daemons.add(this)
  }

  /** A person whose table names their relays. */
  static async open(
    world: MessageWorld,
    name: string,
    relays: readonly MessageRelay[],
    story: KeeperStory = {},
  ): Promise<MessageDaemon> {
    const test = await TestKeeper.open({ nowSec: world.nowSec, ...story })
    await test.call('persona.init', { device: { name: 'laptop', key: laptopOf(name) } })
    const { keeper } = test
    const hosts = relays.map(({ url }) => new URL(url).host)
    if (hosts.length > 0)
      await keeper.change(() => keeper.own.edit({ kind: 'set', key: 'at', found: null, value: hosts }))
    return await MessageDaemon.over(world, test, relays, name)
  }

  static async over(
    world: MessageWorld,
    test: TestKeeper,
    relays: readonly MessageRelay[],
    name: string,
  ): Promise<MessageDaemon> {
    const sealed = await Sealed.open({
      keeper: test.keeper,
      paths: { apps: join(test.stateDir, 'apps') },
      setting: null,
      log: silentLog,
      kinds: [APP_KEYS, ...SEALED_KINDS],
    })
    const daemon = new MessageDaemon(world, test, sealed, relays, name)
    onTestFinished(async () => await daemon.stopped())
    await daemon.cards.start()
    daemon.messages.start()
    await daemon.idle()
    return daemon
  }

  /** Brings the persona to a phone, which uses nothing yet. Call it before the first message: pairing brings none. */
  async pairs(): Promise<void> {
    const key = deviceKey(`${this.name}'s phone`)
    await this.test.call('device.add', { name: 'phone', key })
    this.#phone = await this.test.copied(key)
  }

  /** The phone takes messages from now on. */
  async phone({ isHeard = true }: { readonly isHeard?: boolean } = {}): Promise<MessageDaemon> {
    const paired = this.#phone!
    paired.nowSec = this.world.nowSec
    await paired.call('observe', { from: laptopOf(this.name), text: await ownText(this.test) })
    const phone = await MessageDaemon.over(this.world, paired, this.relays, this.name)
    await phone.use()
    // The laptop reads the card back that its sibling signed.
    if (isHeard) await this.world.later(60)
    return phone
  }

  async call<Name extends keyof MessagesMethods>(
    name: Name,
    params: ParamsOf<MessagesMethods[Name]>,
    caller: Caller = OWNER,
  ): Promise<ResultOf<MessagesMethods[Name]>> {
    const handler = this.#handlers[name] as (
      params: unknown,
      caller: Caller,
    ) => ResultOf<MessagesMethods[Name]> | Promise<ResultOf<MessagesMethods[Name]>>
    return await handler(params, caller)
  }

  /** Has somebody as a contact from now on. */
  async meets(other: MessageDaemon): Promise<void> {
    const { link } = await other.test.call('link.get', {})
    await this.test.call('contact.add', { link })
    await this.test.call('observe', { from: laptopOf(other.name), text: await ownText(other.test) })
  }

  /** Takes messages of an app from now on. Resolves once nothing of it is left to do. */
  async use(app: string = NOTES): Promise<void> {
    await this.call('message.open', { app })
    await this.idle()
  }

  async send(to: MessageDaemon, text: string, key?: string): Promise<number> {
    const wishes = { app: NOTES, to: to.personaId, text, ...(key === undefined ? {} : { key }) }
    return (await this.call('message.put', wishes)).number!
  }

  async read(): Promise<ReadMessage[]> {
    return (await this.call('message.read', { app: NOTES, after: 0, limit: 500 })).messages
  }

  /** The texts that have come, and reasons in place of those that cannot be read. */
  async texts(): Promise<string[]> {
    return (await this.read()).map(({ content, failed }) => failed ?? Buffer.from(content, 'base64').toString())
  }

  /** Resolves once so many messages have come. */
  async arrived(count: number): Promise<string[]> {
    return await this.world.until(async () => {
      const texts = await this.texts()
      return texts.length >= count && texts
    })
  }

  async sent(number: number): Promise<SentMessage | undefined> {
    const { messages } = await this.call('message.sent', { app: NOTES, after: number - 1, limit: 1 })
    return messages.find((each) => each.number === number)
  }

  async untilSent(number: number, state: SentState): Promise<SentMessage> {
    return await this.world.until(async () => {
      const sent = await this.sent(number)
      return sent?.state === state && sent
    })
  }

  /** The owner has got the operator's token, and adds the relays again with it. */
  getsToken(): void {
    this.token = OPERATORS_TOKEN
    for (const { url } of this.relays) for (const run of this.#added) run(url)
  }

  /** Ends it as a power cut does: whatever is on disk stays. It takes part in nothing until {@link restarted}. */
  async stopped(): Promise<void> {
    this.world.daemons.delete(this)
    await Promise.all([this.messages.close(), this.cards.close()])
  }

  /** Begins again with what is on disk. */
  async restarted(): Promise<MessageDaemon> {
    await this.stopped()
    this.test.nowSec = this.world.nowSec
    return await MessageDaemon.over(this.world, await this.test.reopened(), this.relays, this.name)
  }

  async idle(): Promise<void> {
    await Promise.all([this.cards.idle(), this.messages.idle()])
  }
}

const names = new WeakMap<Caller, string>()

function appNameOf(caller: Caller): string | null {
  return names.get(caller) ?? null
}

/** A connection of an app with this name. */
export function messageApp(name: string): Caller {
  const caller = appCaller(name)
  names.set(caller, name)
  return caller
}

/** The relays of an owner, as the daemon sees them. */
function relaysOf(
  world: MessageWorld,
  own: readonly OwnRelay[],
  owner: { readonly token: () => string | null; readonly added: Set<(url: string) => void> },
): Relays {
  const clients = new Map<string, RelayClient>()
  const clock: RelayClock = {
    nowMs: () => world.nowSec * 1000,
    after: (ms, run) => world.clock.after(ms, run),
  }
  const { fetch } = world
  const of = (url: string): RelayClient => {
    const address = { url, origin: new URL(url).origin }
    const means = { fetch: fetch as never, clock, random: () => 0.5 }
    const client = clients.get(url) ?? new RelayClient(address, means)
    clients.set(url, client)
    return client
  }
  return {
    list: () => [...own],
    clients: () => Promise.resolve({ of, fetch, clock }),
    client: (url) => Promise.resolve(of(url)),
    token: owner.token,
    onAdded: (run) => {
      owner.added.add(run)
      return () => void owner.added.delete(run)
    },
  }
}

/** Everybody has everybody as a contact. */
export async function makeContacts(...people: readonly MessageDaemon[]): Promise<void> {
  for (const one of people) for (const other of people) if (one !== other) await one.meets(other)
}

export interface TwoPeople {
  readonly world: MessageWorld
  /** Where Alice's messages lie, and where hers come. */
  readonly alices: MessageRelay
  readonly bobs: MessageRelay
  readonly alice: MessageDaemon
  readonly bob: MessageDaemon
}

/** Alice and Bob, each with a relay and a phone that is not used yet, who have each other as contacts and take messages. */
export async function twoPeople(story: KeeperStory = {}): Promise<TwoPeople> {
  const world = new MessageWorld()
  const [alices, bobs] = [await world.relay('alice'), await world.relay('bob')]
  const alice = await MessageDaemon.open(world, 'Alice', [alices], story)
  const bob = await MessageDaemon.open(world, 'Bob', [bobs], story)
  await makeContacts(alice, bob)
  await alice.pairs()
  await bob.pairs()
  await alice.use()
  await bob.use()
  return { world, alices, bobs, alice, bob }
}

/** Records of a kind on the disk of a daemon. */
export async function recordsOf(daemon: MessageDaemon, kind: SealedKind<unknown>): Promise<number> {
  return (await Array.fromAsync(daemon.sealed.records.onDisk(kind).ids())).length
}
