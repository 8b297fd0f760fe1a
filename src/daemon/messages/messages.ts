/**
 * Messages at work while the apps key is open: the queue, the inboxes and what apps send. When the key closes, nothing runs, and the next opening
 * begins with what is on disk.
 */
import { formatHex } from '../../core/encoding/bytes.ts'
import { describeError } from '../../process/describe-error.ts'
import { Serial } from '../../process/serial.ts'
import { mendCounts } from './records/counts.ts'
import { forgetInboxes } from './records/known-inboxes.ts'
import type { BaseEventData, ContactChange } from '../../ipc/shapes/events.ts'
import type { AppDevice } from '../cards/cards.ts'
import { onDisk, type MessagesMeans } from './records/means.ts'
import { hashed } from '../sealed/hashed.ts'
import { SENT_ID, type Job, type Task } from './records/kinds.ts'
import { stageFailed } from './receiving/arrived.ts'
import { takeAllKnown } from './receiving/answer-request.ts'
import { fetchObject } from './receiving/fetch-object.ts'
import { Inboxes } from './receiving/inboxes.ts'
import { senderFor } from './sending/addressee.ts'
import { postAgain } from './sending/post-again.ts'
import { postEntries } from './sending/post-entry.ts'
import { Sender } from './sending/sender.ts'
import { changeSent, sentOf } from './sending/sent-states.ts'
import { deleteStored, storeObject } from './sending/store-object.ts'
import { sweep, SWEEP_MS } from './sweep.ts'
import { dropAnswered } from './proposed.ts'
import { GiveUp, Queue, type Performer } from './tasks/queue.ts'
import { OWN } from '../state/own-record.ts'
import { currentId } from '../state/view.ts'

export class Messages {
  readonly means: MessagesMeans
  readonly queue: Queue
  readonly sender: Sender
  readonly inboxes: Inboxes
  readonly #serial = new Serial()
  #isOpen = false
  #isClosed = false
  #endings: readonly (() => void)[] = []
  #stopSweeping: () => void = () => {}

  constructor(means: MessagesMeans) {
    this.means = means
    this.queue = new Queue(means, new Performance(means, () => this.queue))
    this.sender = new Sender(means, this.queue)
    this.inboxes = new Inboxes(this.queue, means)
  }

  /** Begins as soon as the apps key is open, and new keys are in the cards of a copied state; also again after {@link close}. */
  start(): void {
    const { sealed, cards } = this.means
    this.#isClosed = false
    this.#endings = [
      sealed.key.whenOpened(() => void this.open()),
      cards.onChanged((_, app) => {
        if (this.#isOpen) this.#postAgain([app])
        else void this.open()
      }),
    ]
  }

  get isOpen(): boolean {
    return this.#isOpen
  }

  /** @throws {CustodyError} APPS_LOCKED */
  async opened(): Promise<this> {
    this.means.sealed.key.require()
    if (!this.#isOpen) await this.open()
    return this
  }

  async open(): Promise<void> {
    await this.#serial.run(async () => {
      if (this.#isOpen || this.#isClosed || !this.#mayWork) return
      try {
        await mendCounts(this.means)
        await sweep(this.means)
        if (this.means.keeper.onDisk.own.get(OWN) === undefined) await forgetInboxes(this.means)
        await this.queue.open()
        await takeAllKnown(this.queue, this.means)
        await this.inboxes.open()
        this.#isOpen = true
        this.#postAgain(this.inboxes.apps)
        this.#sweepLater()
      } catch (error) {
        // The store or the key failed; the next call or opening tries again.
        this.means.log.warn('messages.open', describeError(error))
      }
    })
  }

  /** Somebody has become a contact, or the owner has blocked or unblocked one. */
  async contactChanged({ contact: { personaId }, changes }: BaseEventData['contact.changed']): Promise<void> {
    const has = (...kinds: readonly ContactChange['kind'][]): boolean =>
      changes.some(({ kind }) => kinds.includes(kind))
    const isNew = has('created', 'upgraded')
    if (!isNew && !has('blocked', 'unblocked')) return
    await this.#serial.run(async () => {
      if (!this.#isOpen) return
      if (isNew) await takeAllKnown(this.queue, this.means)
      if (personaId === null) return
      if (isNew) this.inboxes.ruleKnown(personaId)
      else this.inboxes.rule(personaId)
    })
  }

  /** Somebody is no contact any more: a block of theirs is over too. */
  async contactForgotten({ personaId }: BaseEventData['contact.forgotten']): Promise<void> {
    await this.#serial.run(() => {
      if (this.#isOpen && personaId !== null) this.inboxes.ruleKnown(personaId)
      return Promise.resolve()
    })
  }

  /** The devices of a card may have changed, which is to be looked at after what runs. */
  #postAgain(apps: readonly string[]): void {
    void this.#serial.run(async () => {
      try {
        for (const app of apps) {
          if (!this.#isOpen) return
          await postAgain(app, this.queue, this.means)
          await dropAnswered(app, this.means)
        }
      } catch (error) {
        this.means.log.warn('messages.again', describeError(error))
      }
    })
  }

  /** The apps key may have closed, or the state may be known as a copy. */
  async settle(): Promise<void> {
    await this.#serial.run(async () => {
      if (this.#isOpen && !this.#mayWork) await this.#stop()
    })
  }

  get #mayWork(): boolean {
    return this.means.sealed.key.isOpen && !this.means.cards.isCopied
  }

  async close(): Promise<void> {
    this.#isClosed = true
    for (const end of this.#endings) end()
    await this.#serial.run(async () => await this.#stop())
  }

  /** Resolves once nothing that is due is left. */
  async idle(): Promise<void> {
    await this.#serial.idle()
    await this.inboxes.idle()
    await this.queue.idle()
  }

  /**
   * Makes the card of an app, with an inbox and a store, and begins to read the inbox. People who write from then on find this device, if its relays
   * answer in time.
   * @throws {MessagesError} MESSAGE_NO_PERSONA | MESSAGE_NO_STORE @throws those of Cards.device()
   */
  async use(app: string): Promise<void> {
    await senderFor(app, this.means)
    await this.means.cards.show(app)
    await this.inboxes.refresh(app)
  }

  async #stop(): Promise<void> {
    this.#isOpen = false
    this.#stopSweeping()
    await this.inboxes.close()
    await this.queue.close()
  }

  #sweepLater(): void {
    this.#stopSweeping = this.means.clock.after(SWEEP_MS, () => {
      this.#sweepLater()
      void this.#serial.run(async () => {
        try {
          if (this.#isOpen) await sweep(this.means)
          if (this.#isOpen) for (const app of this.inboxes.apps) await this.inboxes.refresh(app)
        } catch (error) {
          this.means.log.warn('messages.sweep', describeError(error))
        }
      })
    })
  }
}

/** The four kinds of jobs. */
class Performance implements Performer {
  readonly #means: MessagesMeans
  readonly #queue: () => Queue

  constructor(means: MessagesMeans, queue: () => Queue) {
    this.#means = means
    this.#queue = queue
  }

  async run(job: Job, finish: (stage: () => void) => Promise<void>, signal: AbortSignal): Promise<void> {
    const [means, queue] = [this.#means, this.#queue()]
    const device = deviceFor(job, means)
    if (isOf(job, 'store')) return await storeObject(job, device, finish, signal, queue, means)
    if (isOf(job, 'post')) return await postEntries(job, device, finish, signal, means)
    if (isOf(job, 'fetch')) return await fetchObject(job, device, finish, signal, queue, means)
    if (isOf(job, 'delete')) return await deleteStored(job, device, finish, signal, means)
    throw new GiveUp(`UNKNOWN ${job.task.do}`)
  }

  giveUp({ app, task }: Job, reason: string): void {
    const means = this.#means
    const { onDisk: records } = means.keeper
    const isToPeer =
      task.do === 'post' && task.sent !== null && currentId(task.persona, records) !== records.own.get(OWN)?.personaId
    const number = task.do === 'store' || isToPeer ? task.sent : null
    if (number !== null)
      changeSent(app, number, ({ state }) => (state === 'received' ? {} : { state: 'failed', reason }), means)
    if (task.do === 'fetch')
      stageFailed(app, task, task.to ?? records.own.get(OWN)?.personaId ?? task.from, reason, means)
  }
}

/** This device for a job: what was sent before a succession goes as the persona of then. @throws {GiveUp} MESSAGE_NO_PERSONA | RESTORED */
function deviceFor(job: Job, means: MessagesMeans): AppDevice {
  const { keeper, cards } = means
  const own = keeper.onDisk.own.get(OWN)?.personaId
  const number = sentBy(job, means)
  const by = number == null ? undefined : sentOf(job.app, number, means)?.by
  const persona = by?.persona ?? own
  // The persona was left: its messages end with it.
  const isOwn = persona !== undefined && currentId(persona, keeper.onDisk) === own
  const device = isOwn ? cards.deviceAs(job.app, persona) : null
  if (device === null) throw new GiveUp('MESSAGE_NO_PERSONA')
  // No card lists the device any more that sealed a message of a state from before: nobody would read it.
  const isDelete = job.task.do === 'delete'
  if (by !== undefined && by.device !== formatHex(device.deviceKey) && !isDelete) throw new GiveUp('RESTORED')
  return device
}

/** The number of the message that a job sends, or whose object it deletes. */
function sentBy({ app, task }: Job, means: MessagesMeans): number | null | undefined {
  if (task.do === 'fetch') return null
  return task.do === 'delete' ? onDisk(means, SENT_ID).get(hashed(app, task.id, means.keeper.engine)) : task.sent
}

function isOf<Kind extends Task['do']>(
  job: Job,
  kind: Kind,
): job is Job & { readonly task: Extract<Task, { readonly do: Kind }> } {
  return job.task.do === kind
}
