/**
 * A keeper in this process: memory store, temporary custody, a clock set by the test, and a record of its events and
 * writes.
 */
import { cpSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Policy } from '../../src/core/consent.ts'
import type { CryptoEngine } from '../../src/crypto/engine.ts'
import { cardHooks } from '../../src/daemon/cards/hooks.ts'
import type { CardReader } from '../../src/daemon/cards/kept/read-card.ts'
import { CARD_KINDS } from '../../src/daemon/cards/kept/records.ts'
import { Custody } from '../../src/daemon/custody/custody.ts'
import type { Place } from '../../src/daemon/keeper/copy-check.ts'
import type { Keeper } from '../../src/daemon/keeper/keeper.ts'
import { Apps } from '../../src/daemon/apps/apps.ts'
import { keeperHandlers, type KeeperMethods as Methods } from '../../src/daemon/methods.ts'
import type { Kind } from '../../src/daemon/state/kind.ts'
import { WINGS } from '../../src/daemon/wings.ts'
import { openKeeper } from '../../src/daemon/open-keeper.ts'
import type { EventSpec } from '../../src/ipc/methods/wing.ts'
import type { Handlers } from '../../src/ipc/methods/method.ts'
import { recordsOf, type Records } from '../../src/daemon/state/records.ts'
import type { Caller, ParamsOf, Permission, ResultOf, Role } from '../../src/ipc/methods/method.ts'
import type { DaemonEvent, EventData, EventName } from '../../src/ipc/methods/events.ts'
import type { LaggedEvent } from '../../src/ipc/client.ts'
import type { ObserveResult } from '../../src/ipc/shapes/judged.ts'
import type { DurableFs } from '../../src/durable/file.ts'
import { openMemoryStore } from '../../src/store/memory-store.ts'
import { statePaths } from '../../src/store/state-dir.ts'
import type { Store, Write } from '../../src/store/store.ts'
import { deviceKey, engine as sodium, START_SEC, type Table } from './person.ts'
import { tempDir } from './temp-dir.ts'
import { NOT_ANNOUNCED, NO_CHANNELS, NO_LINKS, NO_MESSAGES } from './views.ts'

type Arguments<P> = string extends keyof P ? [params?: P] : Partial<P> extends P ? [params?: P] : [params: P]
type Params<Name extends keyof Methods> = Arguments<ParamsOf<Methods[Name]>>

export interface KeeperStory {
  readonly stateDir?: string
  readonly store?: Store
  readonly engine?: CryptoEngine
  readonly nowSec?: number
  readonly credential?: Uint8Array
  /** The permissions of every app. */
  readonly appDefaults?: readonly Permission[]
  readonly defaultPolicy?: Policy
  /** Those of the daemon's own wings when left out. */
  readonly kindsOfWings?: readonly Kind<unknown>[]
  readonly place?: Place
  /** The file system used to write the secrets files. */
  readonly fs?: DurableFs
}

/** Counts commits to a store, and keeps the last one. */
export interface CountingStore extends Store {
  readonly commits: readonly (readonly Write[])[]
}

export function countingStore(store: Store): CountingStore {
  const commits: (readonly Write[])[] = []
  return {
    commits,
    get: (key) => store.get(key),
    iterate: (range) => store.iterate(range),
    commit: (writes) => {
      commits.push(writes)
      return store.commit(writes)
    },
    close: () => store.close(),
  }
}

/** Delays writes to a memory store until the test releases them. */
export class WriteGate {
  #waiting: (() => void)[] = []
  #isOpen = true
  #arrived: () => void = () => {}

  readonly pass = (): Promise<void> => {
    if (this.#isOpen) return Promise.resolve()
    const passed = new Promise<void>((go) => this.#waiting.push(go))
    this.#arrived()
    return passed
  }

  shut(): void {
    this.#isOpen = false
  }

  /** Resolves once a write waits. */
  async arrived(): Promise<void> {
    if (this.#waiting.length > 0) return
    await new Promise<void>((done) => {
      this.#arrived = done
    })
  }

  /** Releases the write that has waited longest. */
  passOne(): void {
    this.#waiting.shift()?.()
  }

  open(): void {
    this.#isOpen = true
    for (const go of this.#waiting.splice(0)) go()
  }
}

export const OWN_LAPTOP: string = deviceKey('own laptop')
export const OWN_PHONE: string = deviceKey('own phone')

interface Parts {
  readonly keeper: Keeper
  readonly cardReader: CardReader
  readonly apps: Apps
  readonly handlers: Handlers<Methods>
  readonly custody: Custody
  readonly store: CountingStore
  readonly stateDir: string
  readonly clock: { nowSec: number }
  readonly events: DaemonEvent[]
  readonly storeFailures: unknown[]
  readonly delays: number[]
  readonly hear: { event: (event: DaemonEvent) => void }
}

export class TestKeeper {
  readonly keeper: Keeper
  /** With which the changes of the keeper read cards. */
  readonly cardReader: CardReader
  readonly apps: Apps
  readonly handlers: Handlers<Methods>
  readonly custody: Custody
  readonly store: CountingStore
  readonly records: Records
  readonly stateDir: string
  readonly events: DaemonEvent[]
  readonly storeFailures: unknown[]
  /** Past events replayed to a subscriber, and the number from which live events follow. */
  readonly replayed: (DaemonEvent | LaggedEvent)[] = []
  subscribedAfter: number | null = null
  /** Delays of passphrase guesses, in seconds. */
  readonly delays: readonly number[]
  readonly #clock: { nowSec: number }
  readonly #hear: { event: (event: DaemonEvent) => void }

  private constructor(parts: Parts) {
    this.keeper = parts.keeper
    this.cardReader = parts.cardReader
    this.apps = parts.apps
    this.handlers = parts.handlers
    this.custody = parts.custody
    this.store = parts.store
    this.records = recordsOf(parts.store)
    this.stateDir = parts.stateDir
    this.events = parts.events
    this.storeFailures = parts.storeFailures
    this.delays = parts.delays
    this.#clock = parts.clock
    this.#hear = parts.hear
  }

  /** Gets every event too, as the sockets do. */
  set onEvent(onEvent: (event: DaemonEvent) => void) {
    this.#hear.event = onEvent
  }

  static async open(story: KeeperStory = {}): Promise<TestKeeper> {
    const stateDir = story.stateDir ?? join(tempDir(), 'state')
    mkdirSync(stateDir, { recursive: true, mode: 0o700 })
    const store = countingStore(story.store ?? openMemoryStore())
    const engine = story.engine ?? sodium
    const clock = { nowSec: story.nowSec ?? START_SEC }
    const delays: number[] = []
    const events: DaemonEvent[] = []
    const storeFailures: unknown[] = []
    const hear: Parts['hear'] = { event: () => {} }
    const custody = await Custody.open(
      { ...statePaths(stateDir), ...(story.fs === undefined ? {} : { fs: story.fs }) },
      engine,
      {
        delay: (seconds) => {
          delays.push(seconds)
          return Promise.resolve()
        },
        credential: story.credential ?? null,
        nowMs: () => clock.nowSec * 1000,
      },
    )
    const nowSec = (): number => clock.nowSec
    const hooks = cardHooks(engine)
    const keeper = await openKeeper(
      {
        ...(story.kindsOfWings === undefined ? hooks : {}),
        store,
        custody,
        engine,
        nowSec,
        defaultPolicy: () => story.defaultPolicy ?? 'auto',
        kindsOfWings: story.kindsOfWings ?? [...CARD_KINDS, ...WINGS.flatMap(({ kinds = [] }) => kinds)],
        onSpent: (key, state) => {
          if (story.kindsOfWings === undefined) for (const wing of WINGS) wing.onSpent?.(key, state)
        },
        publish: (event) => {
          checkEvent(event)
          events.push(event)
          hear.event(event)
        },
        onStoreFailure: (error) => storeFailures.push(error),
      },
      story.place ?? null,
    )
    const apps = new Apps(keeper.onDisk, engine, nowSec, undefined, () => story.appDefaults ?? ['read'])
    const handlers = keeperHandlers(keeper, apps, () => ({
      version: '0.0.0',
      pid: 1,
      startedAtSec: START_SEC,
      home: { stateDir, appSocket: 'app.sock', adminSocket: 'admin.sock', configFile: null },
      connections: 0,
      storeKind: 'memory',
      storeSchema: 1,
      profiles: { watched: 0, older: 0, lost: 0 },
      tox: null,
      net: null,
      announce: NOT_ANNOUNCED,
      channels: NO_CHANNELS,
      messages: NO_MESSAGES,
      links: NO_LINKS,
      findings: [],
    }))
    return new TestKeeper({
      keeper,
      cardReader: hooks.reader,
      apps,
      handlers,
      custody,
      store,
      stateDir,
      clock,
      events,
      storeFailures,
      delays,
      hear,
    })
  }

  get nowSec(): number {
    return this.#clock.nowSec
  }

  set nowSec(nowSec: number) {
    this.#clock.nowSec = nowSec
  }

  /** Opens a keeper with a persona, on the owner's first device `laptop`. */
  static async withPersona(story: KeeperStory = {}): Promise<TestKeeper> {
    const test = await TestKeeper.open(story)
    await test.call('persona.init', { device: { name: 'laptop', key: OWN_LAPTOP } })
    test.events.length = 0
    return test
  }

  async call<Name extends keyof Methods>(name: Name, ...params: Params<Name>): Promise<ResultOf<Methods[Name]>> {
    return await this.callAs('admin', name, ...params)
  }

  async callAs<Name extends keyof Methods>(
    role: Role,
    name: Name,
    ...params: Params<Name>
  ): Promise<ResultOf<Methods[Name]>> {
    const caller: Caller = {
      id: 1,
      role,
      isOpen: true,
      subscribe: (_, after) => {
        this.subscribedAfter = after ?? 0
      },
      unsubscribe: () => {},
      replay: (message) => {
        this.replayed.push(message as DaemonEvent | LaggedEvent)
        return Promise.resolve(true)
      },
    }
    const handler = this.handlers[name] as (
      params: unknown,
      caller: Caller,
    ) => ResultOf<Methods[Name]> | Promise<ResultOf<Methods[Name]>>
    return await handler(params[0] ?? {}, caller)
  }

  /** Observes a device that shows a table or a text. */
  async sees(
    from: string,
    shown: Table | string,
    more: { name?: string; seenAtSec?: number } = {},
  ): Promise<ObserveResult> {
    return await this.call('observe', { from, text: typeof shown === 'string' ? shown : shown.text(), ...more })
  }

  /** The same, reported by a profile or another source. */
  async reports(
    source: string,
    from: string,
    shown: Table | string,
    more: { name?: string; seenAtSec?: number } = {},
  ): Promise<ObserveResult> {
    const text = typeof shown === 'string' ? shown : shown.text()
    const { results } = await this.call('observe.batch', { source, observations: [{ from, text, ...more }] })
    return results[0]!
  }

  /** Advances the clock. */
  later(seconds: number): this {
    this.nowSec += seconds
    return this
  }

  /** Returns, and removes, the events of this name published since the last call. */
  told<Name extends EventName>(name: Name): EventData[Name][] {
    const found: DaemonEvent[] = this.events.filter((event) => event.event === name)
    for (const event of found) this.events.splice(this.events.indexOf(event), 1)
    return found.map((event) => event.data as EventData[Name])
  }

  /** Opens everything again from disk, as after a crash: whatever was only in memory is gone. */
  async reopened(): Promise<TestKeeper> {
    return await TestKeeper.open({
      stateDir: this.stateDir,
      store: this.store,
      engine: this.keeper.engine,
      nowSec: this.nowSec,
    })
  }

  /**
   * Copies the state: the same persona on another device.
   * @param local key of that device, which its daemon then knows as its own; without it, the same device at an
   *   earlier time
   */
  async copied(local?: string): Promise<TestKeeper> {
    // As pairing does before it hands over the key.
    if (local !== undefined) await this.keeper.change(() => this.keeper.own.keyLeaves())
    const stateDir = join(tempDir(), 'copy')
    cpSync(this.stateDir, stateDir, { recursive: true })
    const store = openMemoryStore()
    const writes: Write[] = []
    for await (const { key, value } of this.store.iterate({ prefix: '' })) writes.push({ key, value })
    await store.commit(writes)
    const own = this.records.own.get('own')
    if (local !== undefined && own !== undefined) {
      await store.commit([this.records.own.put('own', { ...own, localDevices: [local] })])
    }
    return await TestKeeper.open({ stateDir, store, engine: this.keeper.engine, nowSec: this.nowSec })
  }
}

/** The status message that the owner's daemon publishes. */
export async function ownText(keeper: TestKeeper): Promise<string> {
  return (await keeper.call('blob.get')).text
}

/** Every event of a wing has the data that its schema promises to clients. */
function checkEvent({ event, data }: DaemonEvent): void {
  const specs = Object.assign({}, ...WINGS.map(({ schema }) => schema.events)) as Record<string, EventSpec<unknown>>
  specs[event]?.data.parse(data)
}
