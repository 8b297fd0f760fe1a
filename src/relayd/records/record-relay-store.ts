/**
 * The relay's store on the records of src/store. Each change runs from its first read to its commit in one step, so one box needs no lock;
 * commits of many boxes go to disk together.
 */
import { equalBytes } from '../../core/encoding/bytes.ts'
import type { CardPlace } from '../../relay/paths/card-place.ts'
import type { ResumableStore } from '../../store/store.ts'
import { Ahead } from './ahead.ts'
import { BoxChange } from './box-change.ts'
import { digestOf, type Box, type KeptMessage } from './box.ts'
import { Buckets } from '../store/buckets.ts'
import { KeptStore } from '../kept/kept-store.ts'
import type { RecordAccess } from './record-access.ts'
import { RecordCards } from './record-cards.ts'
import { RecordInboxes } from './record-inboxes.ts'
import { RecordObjects } from './record-objects.ts'
import { RecordWriter } from './record-writer.ts'
import { messageId, parseDueId, PERSONA_RANGE, READ_SOON, recordsOf, type Records } from './records.ts'
import type { PersonaId } from '../store/persona-id.ts'
import type {
  BoxId,
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
import { BOX_COST_BYTES, CHECK_GRAIN_US, endOf, MESSAGE_COST_BYTES, type StoreLimits } from '../store/rules.ts'
import { hasRoomFor, isReadable, isSettled } from './box-rules.ts'
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

const USED: SendOutcome = { outcome: 'used', atUs: 0 }
const FULL: SendOutcome = { outcome: 'full', atUs: 0 }
const CROWDED: SendOutcome = { outcome: 'crowded', atUs: 0 }

export class RecordRelayStore implements RelayStore {
  readonly inboxes: RecordInboxes
  readonly objects: RecordObjects
  readonly #store: ResumableStore
  readonly #release: () => Promise<void>
  readonly #limits: StoreLimits
  readonly #ahead: Ahead
  readonly #writer: RecordWriter
  /** The records as they will be. */
  readonly #coming: Records
  /** The records as they are on disk. */
  readonly #present: Records
  readonly #cards: RecordCards
  readonly #scrub: Shared
  readonly #answers: SpentAnswers
  readonly #buckets = new Buckets()
  readonly #listeners = new Set<(box: BoxId) => void>()

  /** @param release called after the store is closed */
  constructor(
    store: ResumableStore,
    { limits, answerUs, nowUs }: StoreOptions,
    release: () => Promise<void> = () => Promise.resolve(),
  ) {
    this.#store = new KeptStore(store, { readSoon: READ_SOON })
    this.#release = release
    this.#limits = limits
    this.#ahead = new Ahead(this.#store)
    this.#writer = new RecordWriter(this.#store, this.#ahead)
    this.#coming = recordsOf(this.#ahead)
    this.#present = recordsOf(this.#store)
    const access: RecordAccess = {
      coming: this.#coming,
      present: this.#present,
      limits,
      write: (writes) => this.#writer.write(writes),
      commit: (writes) => this.#writer.commit(writes),
      ready: () => this.#writer.resuming,
    }
    this.#cards = new RecordCards(access)
    this.inboxes = new RecordInboxes(access)
    this.objects = new RecordObjects(access)
    this.#scrub = new Shared(() => this.#store.compact(PERSONA_RANGE.from, PERSONA_RANGE.to))
    this.#answers = new SpentAnswers(answerUs, nowUs)
  }

  async send(id: BoxId, data: string, address: string, nowUs: number): Promise<SendOutcome> {
    if (this.#writer.resuming !== null) await this.#writer.resuming
    const change = this.#change(id, nowUs)
    const digest = digestOf(data)
    const same = change.box?.messages.find((message) => equalBytes(message.digest, digest))
    if (change.box !== null && same !== undefined) {
      const { isRetired } = change.box
      change.renewMessage(change.box, same)
      const isRenewed = await this.#commit(change)
      if (isRetired) return USED
      return isRenewed ? { outcome: 'renewed', atUs: same.atUs } : FULL
    }
    return this.#add(change, data, { bytes: data.length, digest }, address)
  }

  async #add(
    change: BoxChange,
    data: string,
    message: Pick<KeptMessage, 'bytes' | 'digest'>,
    address: string,
  ): Promise<SendOutcome> {
    const isNew = change.box === null
    const isRetired = change.box?.isRetired ?? false
    const cost = message.bytes + MESSAGE_COST_BYTES + (isNew ? BOX_COST_BYTES : 0)
    const isCrowded = isNew && change.unclaimedOf(address) >= this.#limits.maxUncheckedBoxes
    const isFull = !change.hasDiskFor(cost) || !hasRoomFor(change.box, message.bytes, this.#limits)
    const refusal = isRetired ? USED : isCrowded ? CROWDED : FULL
    if (isCrowded || isFull) {
      await this.#commit(change)
      return refusal
    }
    const atUs = change.addMessage(change.box ?? change.make(address), data, message)
    if (!(await this.#commit(change))) return refusal
    for (const listener of this.#listeners) listener(change.id)
    return isRetired ? USED : { outcome: 'stored', atUs }
  }

  async check(id: BoxId, atUs: number, address: string, nowUs: number): Promise<{ readonly found: boolean } | null> {
    await this.#writer.resuming
    const present = this.#boxOf(id, nowUs)
    if (present === null || nowUs - present.checkedUs >= CHECK_GRAIN_US) {
      const change = this.#change(id, nowUs)
      const isNew = change.box === null
      const isCrowded = isNew && change.unclaimedOf(address) >= this.#limits.maxUncheckedBoxes
      if (isCrowded || (isNew && !change.hasDiskFor(BOX_COST_BYTES))) {
        await this.#commit(change)
        return null
      }
      change.noteCheck(change.box ?? change.make(address))
      if (!(await this.#commit(change)) && isNew) return null
    }
    return { found: present !== null && present.messages.some((each) => isReadable(each, atUs, nowUs)) }
  }

  async receive(
    id: BoxId,
    answer: UsedAnswer,
    atUs: number,
    limit: number,
    nowUs: number,
  ): Promise<readonly Message[] | null> {
    if (this.#writer.resuming !== null) await this.#writer.resuming
    if (!this.#answers.use(answer, nowUs)) return null
    const present = this.#boxOf(id, nowUs)
    const messages = this.#read(id, present, atUs, limit, nowUs)
    // Most reads come back for the rest, or for nothing, and change nothing.
    if (present !== null && !this.#ahead.has(`box/${id}`) && isSettled(present, atUs, nowUs)) return messages
    const change = this.#change(id, nowUs)
    if (change.box !== null) {
      change.claim(change.box)
      change.removeMessages((message) => message.atUs <= atUs)
    }
    await this.#commit(change)
    return messages
  }

  async read(id: BoxId, atUs: number, limit: number, nowUs: number): Promise<readonly Message[]> {
    await this.#writer.resuming
    return this.#read(id, this.#boxOf(id, nowUs), atUs, limit, nowUs)
  }

  async retire(id: BoxId, answer: UsedAnswer, nowUs: number): Promise<'retired' | 'used' | 'full'> {
    await this.#writer.resuming
    if (!this.#answers.use(answer, nowUs)) return 'used'
    const change = this.#change(id, nowUs)
    if (change.box === null && !change.hasDiskFor(BOX_COST_BYTES)) return 'full'
    const box = change.box ?? change.make(null)
    change.claim(box)
    change.retire(box)
    return (await this.#commit(change)) ? 'retired' : 'full'
  }

  spend(buckets: readonly Bucket[], nowUs: number): Promise<number> {
    return Promise.resolve(this.#buckets.spend(buckets, nowUs))
  }

  async expire(nowUs: number, limit: number): Promise<number> {
    this.#answers.forget(nowUs)
    if (this.#writer.isFull) await this.#writer.resume()
    // On a full disk nothing can be deleted either.
    if (this.#writer.isFull) return 0
    const commits: Promise<unknown>[] = []
    for await (const [dueKey] of this.#present.due.iterate({ limit })) {
      const { dueUs, id } = parseDueId(dueKey)
      if (dueUs > nowUs) break
      const change = this.#change(id, nowUs)
      // Another change may have moved it since the iteration began.
      const isDue = change.lookAgain(dueUs)
      commits.push(isDue ? this.#commit(change) : this.#writer.write([this.#coming.due.remove(dueKey)]))
    }
    commits.push(...(await this.#cards.expire(nowUs, limit - commits.length)))
    commits.push(...(await this.inboxes.expire(nowUs, limit - commits.length)))
    await Promise.all(commits)
    return commits.length
  }

  async forget(id: BoxId): Promise<boolean> {
    await this.#writer.resuming
    const change = this.#change(id, 0)
    if (change.box === null) return false
    change.remove()
    await this.#writer.commit(change.writes())
    return true
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

  async forgetCards(persona: PersonaId): Promise<number> {
    await this.#writer.resuming
    return await this.#cards.forget(persona)
  }

  async scrub(): Promise<void> {
    await this.#writer.resuming
    await this.#scrub.run()
  }

  watch(listener: (box: BoxId) => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
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

  #change(id: BoxId, nowUs: number): BoxChange {
    return new BoxChange(this.#coming, this.#limits, id, nowUs)
  }

  /** The box as it is on disk; null if there is none, or if it has lived its time. */
  #boxOf(id: BoxId, nowUs: number): Box | null {
    const box = this.#present.boxes.get(id)
    return box === undefined || endOf(box, this.#limits) <= nowUs ? null : box
  }

  /** Messages that are on disk: a crash cannot take back what was given out. */
  #read(id: BoxId, present: Box | null, atUs: number, limit: number, nowUs: number): Message[] {
    const kept = (present?.messages ?? []).filter((each) => isReadable(each, atUs, nowUs))
    return kept.slice(0, limit).flatMap((message) => {
      const data = this.#present.data.get(messageId(id, message.atUs))
      // Deleted between the two reads, by another change of this box.
      return data === undefined ? [] : [{ atUs: message.atUs, data }]
    })
  }

  /** @returns false if the disk is full, so that nothing was changed */
  #commit(change: BoxChange): Promise<boolean> {
    return change.isChanged ? this.#writer.write(change.writes()) : Promise.resolve(true)
  }
}
