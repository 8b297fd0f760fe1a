/** The inboxes of all apps of this device: one reader for each, in step with the cards. */
import { OWN } from '../../state/own-record.ts'
import { noteFailure, onDisk, type MessagesMeans } from '../records/means.ts'
import { INBOXES } from '../records/kinds.ts'
import type { Queue } from '../tasks/queue.ts'
import { Serial } from '../../../process/serial.ts'
import { InboxReader } from './inbox-reader.ts'
import { knownInboxes, noteInboxes } from '../records/known-inboxes.ts'

export class Inboxes {
  readonly #means: MessagesMeans
  readonly #queue: Queue
  /** By app, then by epoch, persona and address. */
  readonly #readers = new Map<string, Map<string, InboxReader>>()
  readonly #serial = new Serial()
  #endings: readonly (() => void)[] = []
  #isOpen = false

  constructor(queue: Queue, means: MessagesMeans) {
    this.#queue = queue
    this.#means = means
    queue.fetchOver = (app, name) => {
      for (const reader of this.of(app)) reader.over(name)
    }
  }

  /** Begins to read. @throws {CustodyError} APPS_LOCKED */
  async open(): Promise<void> {
    this.#isOpen = true
    const { cards, keeper, relays } = this.#means
    this.#endings = [
      cards.onChanged((personaId, app) => {
        if (personaId === keeper.onDisk.own.get(OWN)?.personaId) this.#later(app)
      }),
      relays.onAdded((url) => this.#again(url)),
    ]
    // The owner may have named an inbox before the messages began.
    const apps = [...(await Array.fromAsync(onDisk(this.#means, INBOXES).ids())), ...cards.apps]
    for (const app of new Set(apps)) await this.#refresh(app)
  }

  async close(): Promise<void> {
    this.#isOpen = false
    for (const end of this.#endings) end()
    await this.#serial.idle()
    const readers = [...this.#readers.values()].flatMap((of) => [...of.values()])
    this.#readers.clear()
    await Promise.all(readers.map(async (reader) => await reader.close()))
  }

  async idle(): Promise<void> {
    await this.#serial.idle()
  }

  of(app: string): InboxReader[] {
    return [...(this.#readers.get(app)?.values() ?? [])]
  }

  get apps(): string[] {
    return [...this.#readers.keys()]
  }

  /** Reads the inboxes that are to be read now. Those that moved are over once the last card that named them has expired. */
  async refresh(app: string): Promise<void> {
    await this.#serial.run(async () => {
      if (this.#isOpen) await this.#refresh(app)
    })
  }

  /** The owner thinks otherwise of somebody: the inboxes of an app, or of all, hear it. */
  rule(persona: string, apps: readonly string[] = this.apps): void {
    for (const app of apps) for (const reader of this.of(app)) reader.rule(persona)
  }

  /** Somebody has become a contact, or is none any more: the inboxes hear it that know of them. */
  ruleKnown(persona: string): void {
    for (const app of this.apps) for (const reader of this.of(app)) reader.ruleKnown(persona)
  }

  /** The owner has added a relay, perhaps with a token that was missing: what waits for it is tried at once. */
  #again(url: string): void {
    this.#queue.wake()
    for (const app of this.apps) for (const reader of this.of(app)) if (reader.url === url) reader.again()
  }

  /** The owner, or a sibling, changed the card of an app; or the app has its first one. */
  #later(app: string): void {
    void this.refresh(app).catch((error: unknown) => noteFailure('message.inboxes', error, this.#means))
  }

  async #refresh(app: string): Promise<void> {
    const device = this.#means.cards.deviceNow(app)
    if (device !== null) await noteInboxes(app, device.card, this.#means)
    const inboxes = device === null ? [] : knownInboxes(app, this.#means)
    // A rotation ends what the relay has heard about senders, so a reader begins anew and tells it again.
    const epoch = device?.card.chain.epoch ?? 0
    const wanted = inboxes.map(({ url, persona = device!.personaId }) => ({
      url,
      persona,
      name: `${epoch} ${persona} ${url}`,
    }))
    const readers = this.#readers.get(app) ?? new Map<string, InboxReader>()
    for (const [name, reader] of readers) {
      if (wanted.some((each) => each.name === name)) continue
      readers.delete(name)
      await reader.close()
    }
    for (const { url, persona, name } of wanted)
      if (!readers.has(name)) readers.set(name, new InboxReader(url, persona, app, this.#queue, this.#means))
    this.#readers.set(app, readers)
  }
}
