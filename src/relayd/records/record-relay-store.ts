/**
 * The relay's store on the records of src/store. Each change runs from its first read to its commit in one step, so one box needs no lock;
 * commits of many boxes go to disk together.
 */
import type { CardPlace } from '../../relay/paths/card-place.ts'
import type { ResumableStore } from '../../store/store.ts'
import { Ahead } from './ahead.ts'
import { Buckets } from '../store/buckets.ts'
import { KeptStore } from '../kept/kept-store.ts'
import type { RecordAccess } from './record-access.ts'
import { RecordBoxes } from './record-boxes.ts'
import { RecordCards } from './record-cards.ts'
import { RecordInboxes } from './record-inboxes.ts'
import { RecordObjects } from './record-objects.ts'
import { RecordWriter } from './record-writer.ts'
import { PERSONA_RANGE, READ_SOON, recordsOf, type Records } from './records.ts'
import type { PersonaId } from '../store/persona-id.ts'
import type {
  BoxId,
  BoxListener,
  Bucket,
  CardOutcome,
  HeldCard,
  Message,
  OfferedCard,
  RelayStore,
  SendOutcome,
  StoreStats,
  UsedAnswer,
} from '../store/relay-store.ts'
import { BOX_COST_BYTES, MESSAGE_COST_BYTES, type StoreLimits } from '../store/rules.ts'
import { Shared } from './shared.ts'
import { SpentAnswers } from './spent-answers.ts'
import { NOTHING } from './tally.ts'

export interface StoreOptions {
  readonly limits: StoreLimits
  /** How long after its question an answer is good, in microseconds. */
  readonly answerUs: number
  /** The moment of the opening. */
  readonly nowUs: number
}

export class RecordRelayStore implements RelayStore {
  readonly inboxes: RecordInboxes
  readonly objects: RecordObjects
  readonly #store: ResumableStore
  readonly #release: () => Promise<void>
  readonly #limits: StoreLimits
  readonly #writer: RecordWriter
  /** The records as they are on disk. */
  readonly #present: Records
  readonly #boxes: RecordBoxes
  readonly #cards: RecordCards
  readonly #scrub: Shared
  readonly #answers: SpentAnswers
  readonly #buckets = new Buckets()

  /** @param release called after the store is closed */
  constructor(
    store: ResumableStore,
    { limits, answerUs, nowUs }: StoreOptions,
    release: () => Promise<void> = () => Promise.resolve(),
  ) {
    this.#store = new KeptStore(store, { readSoon: READ_SOON })
    this.#release = release
    this.#limits = limits
    const ahead = new Ahead(this.#store)
    this.#writer = new RecordWriter(this.#store, ahead)
    this.#present = recordsOf(this.#store)
    const access: RecordAccess = {
      coming: recordsOf(ahead),
      present: this.#present,
      limits,
      write: (writes) => this.#writer.write(writes),
      commit: (writes) => this.#writer.commit(writes),
      ready: () => this.#writer.resuming,
      isComing: (key) => ahead.has(key),
    }
    this.#boxes = new RecordBoxes(access)
    this.#cards = new RecordCards(access)
    this.inboxes = new RecordInboxes(access)
    this.objects = new RecordObjects(access)
    this.#scrub = new Shared(() => this.#store.compact(PERSONA_RANGE.from, PERSONA_RANGE.to))
    this.#answers = new SpentAnswers(answerUs, nowUs)
  }

  send(id: BoxId, data: string, address: string, nowUs: number): Promise<SendOutcome> {
    return this.#boxes.send(id, data, address, nowUs)
  }

  check(id: BoxId, atUs: number, address: string, nowUs: number): Promise<{ readonly found: boolean } | null> {
    return this.#boxes.check(id, atUs, address, nowUs)
  }

  async receive(
    id: BoxId,
    answer: UsedAnswer,
    atUs: number,
    limit: number,
    nowUs: number,
  ): Promise<readonly Message[] | null> {
    if (this.#writer.resuming !== null) await this.#writer.resuming
    return this.#answers.use(answer, nowUs) ? await this.#boxes.receive(id, atUs, limit, nowUs) : null
  }

  read(id: BoxId, atUs: number, limit: number, nowUs: number): Promise<readonly Message[]> {
    return this.#boxes.read(id, atUs, limit, nowUs)
  }

  async retire(id: BoxId, answer: UsedAnswer, nowUs: number): Promise<'retired' | 'used' | 'full'> {
    await this.#writer.resuming
    return this.#answers.use(answer, nowUs) ? await this.#boxes.retire(id, nowUs) : 'used'
  }

  spend(buckets: readonly Bucket[], nowUs: number): Promise<number> {
    return Promise.resolve(this.#buckets.spend(buckets, nowUs))
  }

  async expire(nowUs: number, limit: number): Promise<number> {
    this.#answers.forget(nowUs)
    if (this.#writer.isFull) await this.#writer.resume()
    // On a full disk nothing can be deleted either.
    if (this.#writer.isFull) return 0
    const due = await this.#boxes.due(nowUs, limit)
    const commits: Promise<unknown>[] = due.map((key) => this.#boxes.look(key, nowUs))
    for (const key of await this.#cards.due(nowUs, limit - commits.length)) commits.push(this.#cards.look(key, nowUs))
    const { inboxes } = this
    for (const key of await inboxes.due(nowUs, limit - commits.length)) commits.push(inboxes.look(key, nowUs))
    for (const key of await inboxes.dueMarks(nowUs, limit - commits.length)) commits.push(inboxes.lookAtMark(key))
    await Promise.all(commits)
    return commits.length
  }

  forget(id: BoxId): Promise<boolean> {
    return this.#boxes.forget(id)
  }

  async putCard(card: OfferedCard, nowUs: number): Promise<CardOutcome> {
    await this.#writer.resuming
    return await this.#cards.put(card, nowUs)
  }

  async getCard(place: CardPlace, nowUs: number): Promise<string | null> {
    await this.#writer.resuming
    return this.#cards.get(place, nowUs)
  }

  async cardOf(persona: PersonaId, app: string, nowUs: number): Promise<HeldCard | null> {
    await this.#writer.resuming
    return this.#cards.of(persona, app, nowUs)
  }

  async epochOf(persona: PersonaId): Promise<number> {
    await this.#writer.resuming
    return this.#cards.epochOf(persona)
  }

  async forgetCards(persona: PersonaId): Promise<number> {
    await this.#writer.resuming
    return await this.#cards.forget(persona)
  }

  async scrub(): Promise<void> {
    await this.#writer.resuming
    await this.#scrub.run()
  }

  watch(listener: BoxListener): () => void {
    return this.#boxes.watch(listener)
  }

  async stats(): Promise<StoreStats> {
    await this.#writer.resuming
    const totals = this.#present.totals.get('all') ?? NOTHING
    const isLittle = totals.bytes + BOX_COST_BYTES + MESSAGE_COST_BYTES > this.#limits.maxDiskBytes
    return { ...totals, isFull: this.#writer.isFull || isLittle }
  }

  async close(): Promise<void> {
    await this.#store.close()
    await this.#release()
  }
}
