/**
 * The relay's store in memory, for tests: plain maps and loops, written to be compared with the contract. Several stores may share one memory,
 * as several processes share a database.
 */
import type { CardPlace } from '../../relay/paths/card-place.ts'
import { Buckets } from './buckets.ts'
import { MemoryCards } from './memory-cards.ts'
import { MemoryInboxes, MemoryInboxStore } from './memory-inboxes.ts'
import { MemoryObjects, ObjectMemory } from './memory-objects.ts'
import type { ObjectStore } from './object-store.ts'
import type { PersonaId } from './persona-id.ts'
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
} from './relay-store.ts'
import {
  BOX_COST_BYTES,
  CHECK_GRAIN_US,
  endOf,
  lastAfterCursor,
  MESSAGE_COST_BYTES,
  type StoreLimits,
} from './rules.ts'

interface HeldMessage extends Message {
  expiresUs: number
  /** It came after the box was retired. */
  readonly isLate: boolean
}

interface HeldBox {
  lastAtUs: number
  checkedUs: number
  sentUs: number
  isRetired: boolean
  maker: string | null
  messages: HeldMessage[]
}

/** The stores that share it know this together. */
export class RelayMemory {
  readonly boxes: Map<BoxId, HeldBox> = new Map()
  readonly cards: MemoryCards = new MemoryCards()
  readonly inboxes: MemoryInboxes = new MemoryInboxes()
  readonly objects: ObjectMemory = new ObjectMemory()
  /** When each used answer expires. */
  readonly answers: Map<string, number> = new Map()
  readonly buckets: Buckets = new Buckets()
  readonly listeners: Set<BoxListener> = new Set()
}

export class MemoryRelayStore implements RelayStore {
  readonly inboxes: MemoryInboxStore
  readonly objects: ObjectStore
  readonly #limits: StoreLimits
  readonly #memory: RelayMemory

  constructor(limits: StoreLimits, memory: RelayMemory = new RelayMemory()) {
    this.#limits = limits
    this.#memory = memory
    this.inboxes = new MemoryInboxStore(limits, memory.inboxes, () => this.#bytes() - memory.inboxes.bytes)
    this.objects = new MemoryObjects({
      limits,
      kept: memory.objects,
      isKnown: (persona) => memory.cards.knows(persona),
      bytes: () => this.#bytes(),
    })
  }

  async send(id: BoxId, data: string, address: string, nowUs: number): Promise<SendOutcome> {
    const found = this.#living(id, nowUs)
    const same = found?.messages.find((message) => message.data === data)
    if (found !== null && same !== undefined) {
      same.expiresUs = nowUs + this.#limits.messageUs
      found.sentUs = nowUs
      return found.isRetired ? { outcome: 'used', atUs: 0 } : { outcome: 'renewed', atUs: same.atUs }
    }
    if (found === null && this.#isCrowded(address)) return { outcome: 'crowded', atUs: 0 }
    const isRetired = found?.isRetired === true
    const cost = data.length + MESSAGE_COST_BYTES + (found === null ? BOX_COST_BYTES : 0)
    if (this.#bytes() + cost > this.#limits.maxDiskBytes || !this.#hasRoom(found, data))
      return { outcome: isRetired ? 'used' : 'full', atUs: 0 }
    const box = found ?? this.#make(id, address)
    box.lastAtUs = Math.max(nowUs, box.lastAtUs + 1)
    box.sentUs = nowUs
    const expiresUs = nowUs + this.#limits.messageUs
    box.messages.push({ atUs: box.lastAtUs, data, expiresUs, isLate: isRetired })
    for (const listener of this.#memory.listeners) listener(id, null)
    return isRetired ? { outcome: 'used', atUs: 0 } : { outcome: 'stored', atUs: box.lastAtUs }
  }

  async check(id: BoxId, atUs: number, address: string, nowUs: number): Promise<{ readonly found: boolean } | null> {
    const seen = this.#look(id, nowUs)
    const found = seen?.messages.some((message) => message.atUs > atUs && message.expiresUs > nowUs) ?? false
    // Nothing to note: what has lived its time stays as well.
    if (seen !== null && nowUs - seen.checkedUs < CHECK_GRAIN_US) return { found }
    let box = this.#living(id, nowUs)
    if (box === null) {
      if (this.#isCrowded(address) || this.#bytes() + BOX_COST_BYTES > this.#limits.maxDiskBytes) return null
      box = this.#make(id, address)
    }
    noteCheck(box, nowUs)
    return { found }
  }

  async receive(
    id: BoxId,
    answer: UsedAnswer,
    atUs: number,
    limit: number,
    nowUs: number,
  ): Promise<readonly Message[] | null> {
    if (!this.#use(answer, nowUs)) return null
    const box = this.#living(id, nowUs)
    if (box === null) return []
    noteCheck(box, nowUs)
    box.maker = null
    box.lastAtUs = lastAfterCursor(box.lastAtUs, atUs, nowUs)
    box.messages = box.messages.filter((message) => message.atUs > atUs)
    return await this.read(id, atUs, limit, nowUs)
  }

  async read(id: BoxId, atUs: number, limit: number, nowUs: number): Promise<readonly Message[]> {
    const messages = this.#look(id, nowUs)?.messages ?? []
    const after = messages.filter((message) => message.atUs > atUs && message.expiresUs > nowUs)
    return after.slice(0, limit).map((message) => ({ atUs: message.atUs, data: message.data }))
  }

  async retire(id: BoxId, answer: UsedAnswer, nowUs: number): Promise<'retired' | 'used' | 'full'> {
    if (!this.#use(answer, nowUs)) return 'used'
    const found = this.#living(id, nowUs)
    if (found === null && this.#bytes() + BOX_COST_BYTES > this.#limits.maxDiskBytes) return 'full'
    const box = found ?? this.#make(id, null)
    noteCheck(box, nowUs)
    box.maker = null
    box.isRetired = true
    return 'retired'
  }

  async spend(buckets: readonly Bucket[], nowUs: number): Promise<number> {
    return this.#memory.buckets.spend(buckets, nowUs)
  }

  async expire(nowUs: number, limit: number): Promise<number> {
    for (const [id, expiresUs] of this.#memory.answers) if (expiresUs <= nowUs) this.#memory.answers.delete(id)
    let looked = 0
    for (const [id, box] of this.#memory.boxes) {
      const due = Math.min(endOf(box, this.#limits), ...box.messages.map(({ expiresUs }) => expiresUs))
      if (due > nowUs || looked === limit) continue
      this.#living(id, nowUs)
      looked++
    }
    this.inboxes.expire(nowUs)
    return looked + this.#memory.cards.expire(nowUs, limit - looked)
  }

  async forget(id: BoxId): Promise<boolean> {
    return this.#memory.boxes.delete(id)
  }

  async putCard(card: OfferedCard, nowUs: number): Promise<CardOutcome> {
    const { cards } = this.#memory
    return cards.put(card, this.#limits, this.#bytes() - cards.bytes, nowUs)
  }

  async getCard(place: CardPlace, nowUs: number): Promise<string | null> {
    return this.#memory.cards.get(place, nowUs)
  }

  async cardOf(persona: PersonaId, app: string, nowUs: number): Promise<HeldCard | null> {
    return this.#memory.cards.of(persona, app, nowUs)
  }

  async epochOf(persona: PersonaId): Promise<number> {
    return this.#memory.cards.epochOf(persona)
  }

  async forgetCards(persona: PersonaId): Promise<number> {
    return this.#memory.cards.forget(persona)
  }

  async scrub(): Promise<void> {}

  watch(listener: BoxListener): () => void {
    const { listeners } = this.#memory
    listeners.add(listener)
    return () => void listeners.delete(listener)
  }

  async stats(): Promise<StoreStats> {
    const boxes = [...this.#memory.boxes.values()]
    const messages = boxes.reduce((sum, box) => sum + box.messages.length, 0)
    const bytes = this.#bytes()
    const isFull = bytes + BOX_COST_BYTES + MESSAGE_COST_BYTES > this.#limits.maxDiskBytes
    const { cards, inboxes, objects } = this.#memory
    return {
      boxes: boxes.length,
      messages,
      cards: cards.count,
      inboxes: inboxes.all.size,
      entries: inboxes.entries,
      objects: objects.count,
      bytes,
      isFull,
    }
  }

  async close(): Promise<void> {}

  /** The box as it is; null if it has lived its time. */
  #look(id: BoxId, nowUs: number): HeldBox | null {
    const box = this.#memory.boxes.get(id)
    return box === undefined || endOf(box, this.#limits) <= nowUs ? null : box
  }

  /** The box without what has lived its time, which is deleted; null if it has itself. */
  #living(id: BoxId, nowUs: number): HeldBox | null {
    const box = this.#look(id, nowUs)
    if (box === null) {
      this.#memory.boxes.delete(id)
      return null
    }
    box.messages = box.messages.filter(({ expiresUs }) => expiresUs > nowUs)
    return box
  }

  #make(id: BoxId, maker: string | null): HeldBox {
    const box: HeldBox = { lastAtUs: 0, checkedUs: 0, sentUs: 0, isRetired: false, maker, messages: [] }
    this.#memory.boxes.set(id, box)
    return box
  }

  #isCrowded(address: string): boolean {
    const made = [...this.#memory.boxes.values()].filter(({ maker }) => maker === address)
    return made.length >= this.#limits.maxUncheckedBoxes
  }

  #hasRoom(box: HeldBox | null, data: string): boolean {
    const { maxBytes, maxMessages, maxUnchecked, maxRetired } = this.#limits
    const messages = box?.messages ?? []
    if (messages.reduce((sum, message) => sum + message.data.length, data.length) > maxBytes) return false
    if (box?.isRetired === true) return messages.filter(({ isLate }) => isLate).length < maxRetired
    const isUnchecked = box === null || box.checkedUs === 0
    return messages.length < (isUnchecked ? Math.min(maxUnchecked, maxMessages) : maxMessages)
  }

  #bytes(): number {
    const { cards, inboxes, objects } = this.#memory
    let bytes = cards.bytes + inboxes.bytes + objects.bytesOf()
    for (const { messages } of this.#memory.boxes.values())
      bytes += messages.reduce((sum, { data }) => sum + data.length + MESSAGE_COST_BYTES, BOX_COST_BYTES)
    return bytes
  }

  #use({ id, expiresUs }: UsedAnswer, nowUs: number): boolean {
    if (expiresUs <= nowUs || this.#memory.answers.has(id)) return false
    this.#memory.answers.set(id, expiresUs)
    return true
  }
}

function noteCheck(box: HeldBox, nowUs: number): void {
  if (box.checkedUs === 0 || nowUs - box.checkedUs >= CHECK_GRAIN_US) box.checkedUs = nowUs
}
