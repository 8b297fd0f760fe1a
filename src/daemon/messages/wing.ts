/** Messages as a wing: they wait in the sender's store, and reach every device (docs/messages.md). Most daemons send none, so its code is loaded late. */
import * as schema from '../../ipc/methods/messages.ts'
import type { Finding } from '../../ipc/shapes/doctor.ts'
import type { Handlers } from '../../ipc/methods/method.ts'
import { lateHandlers } from '../wing/late-handlers.ts'
import type { Host, OpenWing, Wing } from '../wing/wing.ts'
import type { AtWork } from './at-work.ts'
import { COUNTS, INBOXES, SEALED_KINDS } from './records/kinds.ts'

export const MESSAGES: Wing<schema.MessagesMethods, null> = {
  schema: schema.MESSAGES,
  section: null,
  sealedKinds: SEALED_KINDS,
  open: (host) => new Standby(host),
}

/** Loads the messages when the first call needs them, or at the start if an app uses any. */
class Standby implements OpenWing<schema.MessagesMethods, null> {
  readonly handlers: Handlers<schema.MessagesMethods>
  readonly #host: Host
  #loading: Promise<AtWork> | null = null
  #atWork: AtWork | null = null
  #endings: readonly (() => void)[] = []

  constructor(host: Host) {
    this.#host = host
    host.letters.send = async (...letter) => await (await this.#load()).sendInvite(...letter)
    this.handlers = lateHandlers(schema.MESSAGES.methods, () => this.#load())
  }

  async start(): Promise<void> {
    const { cards, sealed } = this.#host
    // The owner may name an inbox for an app that sends nothing.
    const loadIfNamed = (): void => {
      if (cards.apps.some((app) => cards.deviceNow(app)?.card.inboxes.length)) void this.#load()
    }
    this.#endings = [cards.onChanged(loadIfNamed), sealed.key.whenOpened(loadIfNamed)]
    if (await this.#hasAny()) await this.#load()
  }

  onEvent(event: Parameters<AtWork['onEvent']>[0]): void {
    this.#atWork?.onEvent(event)
  }

  status(): ReturnType<AtWork['status']> {
    if (this.#atWork !== null) return this.#atWork.status()
    const appsLocked = !this.#host.sealed.key.isOpen
    return {
      part: { messages: { appsLocked, unread: 0, fetching: 0, waiting: 0, requests: 0, proposals: 0 } },
      findings: [],
    }
  }

  async findings(): Promise<Finding[]> {
    return (await this.#atWork?.findings()) ?? []
  }

  async farewell(): ReturnType<AtWork['farewell']> {
    return (await this.#hasAny()) ? await (await this.#load()).farewell() : []
  }

  async close(): Promise<void> {
    for (const end of this.#endings) end()
    await (await this.#loading)?.close()
  }

  #load(): Promise<AtWork> {
    this.#loading ??= this.#open()
    return this.#loading
  }

  async #open(): Promise<AtWork> {
    const { openAtWork } = await import('./at-work.ts')
    this.#atWork = openAtWork(this.#host)
    return this.#atWork
  }

  async #hasAny(): Promise<boolean> {
    const { sealed } = this.#host
    for (const kind of [INBOXES, COUNTS]) for await (const _ of sealed.onDisk<unknown>(kind).ids()) return true
    return false
  }
}
