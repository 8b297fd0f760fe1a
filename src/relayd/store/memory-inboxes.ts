/** The inboxes of the relay's store in memory: plain lists, written to be compared with the contract. */
import { ENTRY_COST_BYTES, INBOX_COST_BYTES, MARK_COST_BYTES, REPEAT_US, SENDER_COST_BYTES } from './inbox-rules.ts'
import type {
  AskingDevice,
  DeviceTag,
  InboxId,
  InboxListener,
  ListedEntry,
  InboxStore,
  OfferedEntry,
  Page,
  PostOutcome,
  SenderRules,
} from './inbox-store.ts'
import type { PersonaId } from './persona-id.ts'
import { CHECK_GRAIN_US, lastAfterCursor, type StoreLimits } from './rules.ts'

interface HeldEntry extends OfferedEntry, ListedEntry {
  readonly has: Set<DeviceTag>
}

interface HeldInbox {
  lastN: number
  strangers: number
  entries: HeldEntry[]
  /** When each body of a sender that was deleted may come again. */
  readonly gone: Map<string, number>
  readonly rules: Map<PersonaId, 'allowed' | 'blocked'>
  /** The last call of each device, and the last entry that it does not have to acknowledge. */
  devices: Map<DeviceTag, { readonly sinceN: number; heardUs: number }>
}

const markOf = ({ from, bodyHash }: OfferedEntry): string => `${from} ${bodyHash}`

/** The stores that share it know this together. */
export class MemoryInboxes {
  readonly all: Map<InboxId, HeldInbox> = new Map()
  readonly listeners: Set<InboxListener> = new Set()

  get entries(): number {
    return [...this.all.values()].reduce((sum, { entries }) => sum + entries.length, 0)
  }

  get bytes(): number {
    return [...this.all.values()].reduce((sum, inbox) => sum + bytesOf(inbox), 0)
  }
}

function bytesOf({ entries, gone, rules }: HeldInbox): number {
  const waiting = entries.filter(({ has }) => has.size === 0).map(({ from }) => from)
  const senders = new Set([...rules.keys(), ...waiting]).size
  const marks = entries.length + gone.size
  const fixed = INBOX_COST_BYTES + marks * MARK_COST_BYTES + senders * SENDER_COST_BYTES
  return entries.reduce((sum, { encId }) => sum + encId.length + ENTRY_COST_BYTES, fixed)
}

export class MemoryInboxStore implements InboxStore {
  readonly #limits: StoreLimits
  readonly #memory: MemoryInboxes
  /** Bytes of the rest of the store. */
  readonly #otherBytes: () => number

  constructor(limits: StoreLimits, memory: MemoryInboxes, otherBytes: () => number) {
    this.#limits = limits
    this.#memory = memory
    this.#otherBytes = otherBytes
  }

  async post(id: InboxId, entry: OfferedEntry, listed: readonly DeviceTag[], nowUs: number): Promise<PostOutcome> {
    const inbox = this.#memory.all.get(id) ?? emptyInbox()
    const outcome = this.#decide(id, inbox, entry)
    if (outcome !== 'stored' && outcome !== 'repeated') return outcome
    this.#see(id, inbox, listed, null, nowUs)
    if (outcome === 'repeated') return outcome
    inbox.lastN = Math.max(nowUs, inbox.lastN + 1)
    inbox.entries.push({ ...entry, n: inbox.lastN, has: new Set() })
    for (const listener of this.#memory.listeners) listener(id, null)
    return outcome
  }

  #decide(id: InboxId, inbox: HeldInbox, entry: OfferedEntry): PostOutcome {
    const { entries, rules, gone } = inbox
    const isOwner = id.startsWith(`${entry.from}/`)
    const isStranger = (from: PersonaId): boolean => rules.get(from) === undefined && !id.startsWith(`${from}/`)
    const waiting = entries.filter(({ has }) => has.size === 0)
    const ofSender = waiting.filter(({ from }) => from === entry.from).length
    const mark = markOf(entry)
    if (rules.get(entry.from) === 'blocked' && !isOwner) return 'blocked'
    if (gone.has(mark) || entries.some((each) => markOf(each) === mark)) return 'repeated'
    const strangers = Math.min(inbox.strangers, this.#limits.maxStrangers)
    if (isStranger(entry.from)) {
      if (strangers === 0) return 'no strangers'
      if (waiting.filter(({ from }) => isStranger(from)).length >= strangers) return 'full'
      if (ofSender >= this.#limits.maxOfStranger) return 'full'
    }
    if (this.#limits.maxEntries - waiting.length <= (isOwner ? 0 : ofSender)) return 'full'
    const isNew = !this.#memory.all.has(id)
    const bytes = entry.encId.length + ENTRY_COST_BYTES + MARK_COST_BYTES + SENDER_COST_BYTES
    return this.#hasDiskFor(bytes + (isNew ? INBOX_COST_BYTES : 0)) ? 'stored' : 'disk'
  }

  async list(id: InboxId, device: AskingDevice, after: number, limit: number, nowUs: number): Promise<Page> {
    const inbox = this.#memory.all.get(id) ?? emptyInbox()
    if (this.#memory.all.has(id) || this.#hasDiskFor(INBOX_COST_BYTES)) {
      this.#see(id, inbox, device.listed, device.tag, nowUs)
      inbox.lastN = lastAfterCursor(inbox.lastN, after, nowUs)
    }
    const page = inbox.entries.filter(({ n }) => n > after).slice(0, limit)
    const entries = page
      .filter(({ n, has }) => n + this.#limits.entryUs > nowUs && !has.has(device.tag))
      .map(({ n, from, kid, at, encId }) => ({ n, from, kid, at, encId }))
    return { entries, next: page.length === limit ? page.at(-1)!.n : null }
  }

  async acknowledge(id: InboxId, device: AskingDevice, numbers: readonly number[], nowUs: number): Promise<boolean> {
    const inbox = this.#memory.all.get(id) ?? emptyInbox()
    if (!this.#memory.all.has(id) && !this.#hasDiskFor(INBOX_COST_BYTES)) return false
    this.#see(id, inbox, device.listed, device.tag, nowUs)
    const acknowledged = inbox.entries.filter(({ n, has }) => numbers.includes(n) && !has.has(device.tag))
    for (const { has } of acknowledged) has.add(device.tag)
    this.#drop(inbox, (entry) => acknowledged.includes(entry) && this.#isSettled(inbox, entry, nowUs), nowUs)
    return true
  }

  async setSenders(
    id: InboxId,
    device: AskingDevice,
    { allow, block, forget, strangers }: SenderRules,
    nowUs: number,
  ): Promise<'done' | 'crowded' | 'full'> {
    const inbox = this.#memory.all.get(id) ?? emptyInbox()
    const rules = new Map(inbox.rules)
    for (const from of forget) rules.delete(from)
    for (const from of allow) rules.set(from, 'allowed')
    for (const from of block) rules.set(from, 'blocked')
    if (rules.size > this.#limits.maxNamed) return 'crowded'
    const before = this.#memory.all.has(id) ? bytesOf(inbox) : 0
    const after = { ...inbox, rules, strangers: strangers ?? inbox.strangers }
    if (!this.#hasDiskFor(bytesOf(after) - before)) return 'full'
    this.#see(id, after, device.listed, device.tag, nowUs)
    return 'done'
  }

  async endRules(persona: PersonaId): Promise<boolean> {
    for (const [id, inbox] of this.#memory.all) {
      if (!id.startsWith(`${persona}/`)) continue
      inbox.rules.clear()
      inbox.strangers = Infinity
    }
    return true
  }

  async forget(persona: PersonaId): Promise<number> {
    const ids = [...this.#memory.all.keys()].filter((id) => id.startsWith(`${persona}/`))
    for (const id of ids) this.#memory.all.delete(id)
    return ids.length
  }

  watch(listener: InboxListener): () => void {
    this.#memory.listeners.add(listener)
    return () => void this.#memory.listeners.delete(listener)
  }

  /** Deletes what is over. How much it looks at is its own matter. */
  expire(nowUs: number): void {
    for (const [id, inbox] of this.#memory.all) {
      this.#drop(
        inbox,
        (entry) => entry.n + this.#limits.entryUs <= nowUs || this.#isSettled(inbox, entry, nowUs),
        nowUs,
      )
      for (const [mark, goneUs] of inbox.gone) if (goneUs <= nowUs) inbox.gone.delete(mark)
      const heardUs = Math.max(0, ...[...inbox.devices.values()].map((each) => each.heardUs))
      const isOver = inbox.entries.length === 0 && heardUs + this.#limits.entryUs + this.#limits.silentUs <= nowUs
      if (isOver) this.#memory.all.delete(id)
    }
  }

  #see(id: InboxId, inbox: HeldInbox, listed: readonly DeviceTag[], heard: DeviceTag | null, nowUs: number): void {
    inbox.devices = new Map(
      listed.map((tag) => {
        const device = inbox.devices.get(tag) ?? { sinceN: inbox.lastN, heardUs: nowUs }
        if (tag === heard && nowUs - device.heardUs >= CHECK_GRAIN_US) device.heardUs = nowUs
        return [tag, device]
      }),
    )
    this.#memory.all.set(id, inbox)
  }

  #isSettled({ devices }: HeldInbox, { n, has }: HeldEntry, nowUs: number): boolean {
    const awaited = [...devices].filter(
      ([, { sinceN, heardUs }]) => sinceN < n && heardUs + this.#limits.silentUs > nowUs,
    )
    return has.size > 0 && awaited.every(([tag]) => has.has(tag))
  }

  #drop(inbox: HeldInbox, isDropped: (entry: HeldEntry) => boolean, nowUs: number): void {
    for (const entry of inbox.entries)
      if (isDropped(entry) && entry.n + REPEAT_US > nowUs) inbox.gone.set(markOf(entry), entry.n + REPEAT_US)
    inbox.entries = inbox.entries.filter((entry) => !isDropped(entry))
  }

  #hasDiskFor(bytes: number): boolean {
    return this.#memory.bytes + this.#otherBytes() + bytes <= this.#limits.maxDiskBytes
  }
}

function emptyInbox(): HeldInbox {
  return { lastN: 0, strangers: Infinity, entries: [], gone: new Map(), rules: new Map(), devices: new Map() }
}
