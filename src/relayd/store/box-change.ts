/** One change of one box: begun with the box as it will be once all queued commits are on disk, and ended as one commit. */
import type { Collection, Write } from '../../store/store.ts'
import type { Box, KeptMessage } from './box.ts'
import { dueId, messageId, type Totals } from './records.ts'
import type { BoxId } from './relay-store.ts'
import { BOX_COST_BYTES, CHECK_GRAIN_US, dueOf, endOf, MESSAGE_COST_BYTES, type StoreLimits } from './rules.ts'

/** The kinds of records. They read ahead: see ahead.ts. */
export interface Records {
  readonly boxes: Collection<Box>
  readonly data: Collection<string>
  readonly due: Collection<null>
  readonly made: Collection<number>
  readonly totals: Collection<Totals>
}

/** The totals of an empty store. */
export const NOTHING: Totals = { boxes: 0, messages: 0, bytes: 0 }

export class BoxChange {
  readonly id: BoxId
  /** null without a box. Only the methods of the change set moments and messages, or the writes would not fit. */
  box: Box | null
  readonly #records: Records
  readonly #limits: StoreLimits
  readonly #nowUs: number
  /** When the store looks at the box again by now; 0 if never. */
  readonly #dueUs: number
  readonly #writes: Write[] = []
  readonly #made = new Map<string, number>()
  /** null until they change: most reads of a box change nothing. */
  #totals: Totals | null = null
  #isChanged = false

  /** Drops what has lived its time. */
  constructor(records: Records, limits: StoreLimits, id: BoxId, nowUs: number) {
    this.id = id
    this.#records = records
    this.#limits = limits
    this.#nowUs = nowUs
    this.box = records.boxes.get(id) ?? null
    this.#dueUs = this.box?.dueUs ?? 0
    if (this.box === null) return
    if (endOf(this.box, limits) <= nowUs) this.remove()
    else if (this.#dueUs <= nowUs) this.removeMessages(({ expiresUs }) => expiresUs <= nowUs)
  }

  get isChanged(): boolean {
    return this.#isChanged
  }

  /** Number of boxes of an address that no owner has claimed. */
  unclaimedOf(address: string): number {
    return (this.#records.made.get(address) ?? 0) + (this.#made.get(address) ?? 0)
  }

  /** Whether the disk may take so many bytes more. */
  hasDiskFor(bytes: number): boolean {
    return this.#totalsNow().bytes + bytes <= this.#limits.maxDiskBytes
  }

  /** Makes the box. @param maker address that is counted for it; null for nobody */
  make(maker: string | null): Box {
    this.box = {
      lastAtUs: 0,
      checkedUs: 0,
      sentUs: 0,
      isRetired: false,
      retiredAtUs: 0,
      dueUs: 0,
      maker,
      messages: [],
    }
    if (maker !== null) this.#count(maker, 1)
    this.#add(1, 0, BOX_COST_BYTES)
    return this.box
  }

  /** Notes that the owner, or somebody in their name, has asked. */
  noteCheck(box: Box): void {
    if (box.checkedUs !== 0 && this.#nowUs - box.checkedUs < CHECK_GRAIN_US) return
    box.checkedUs = this.#nowUs
    this.#isChanged = true
  }

  /** The owner has proven their key: the box counts no more against the address that made it. */
  claim(box: Box): void {
    this.noteCheck(box)
    if (box.maker === null) return
    this.#count(box.maker, -1)
    box.maker = null
    this.#isChanged = true
  }

  retire(box: Box): void {
    if (box.isRetired) return
    box.isRetired = true
    box.retiredAtUs = box.lastAtUs
    this.#isChanged = true
  }

  /** @returns the moment of the message */
  addMessage(box: Box, data: string, message: Pick<KeptMessage, 'bytes' | 'digest'>): number {
    const atUs = Math.max(this.#nowUs, box.lastAtUs + 1)
    box.lastAtUs = atUs
    box.messages.push({ ...message, atUs, expiresUs: this.#nowUs + this.#limits.messageUs })
    box.sentUs = this.#nowUs
    this.#writes.push(this.#records.data.put(messageId(this.id, atUs), data))
    this.#add(0, 1, message.bytes + MESSAGE_COST_BYTES)
    return atUs
  }

  renewMessage(box: Box, message: KeptMessage): void {
    message.expiresUs = this.#nowUs + this.#limits.messageUs
    box.sentUs = this.#nowUs
    this.#isChanged = true
  }

  removeMessages(isRemoved: (message: KeptMessage) => boolean): void {
    const { box } = this
    if (box === null) return
    const removed = box.messages.filter((message) => isRemoved(message))
    if (removed.length === 0) return
    box.messages = box.messages.filter((message) => !isRemoved(message))
    for (const { atUs, bytes } of removed) {
      this.#writes.push(this.#records.data.remove(messageId(this.id, atUs)))
      this.#add(0, -1, -bytes - MESSAGE_COST_BYTES)
    }
  }

  remove(): void {
    if (this.box === null) return
    this.removeMessages(() => true)
    if (this.box.maker !== null) this.#count(this.box.maker, -1)
    this.#add(-1, 0, -BOX_COST_BYTES)
    this.box = null
  }

  /** Notes anew when to look at the box, if the moment for it has come. @returns whether `dueUs` was that moment */
  lookAgain(dueUs: number): boolean {
    if (dueUs !== this.#dueUs) return false
    this.#isChanged = true
    return true
  }

  writes(): readonly Write[] {
    const { boxes, due, made, totals } = this.#records
    const { box } = this
    let dueUs = 0
    if (box !== null) {
      dueUs = dueOf(box, this.#limits)
      // A moment that is too early stays until it has come: most writes then need not move it.
      if (this.#dueUs > this.#nowUs) dueUs = Math.min(dueUs, this.#dueUs)
      box.dueUs = dueUs
    }
    const writes = [...this.#writes, box === null ? boxes.remove(this.id) : boxes.put(this.id, box)]
    if (dueUs !== this.#dueUs) {
      if (this.#dueUs !== 0) writes.push(due.remove(dueId(this.id, this.#dueUs)))
      if (dueUs !== 0) writes.push(due.put(dueId(this.id, dueUs), null))
    }
    for (const [address] of this.#made) {
      const count = this.unclaimedOf(address)
      writes.push(count === 0 ? made.remove(address) : made.put(address, count))
    }
    if (this.#totals !== null) writes.push(totals.put('all', this.#totals))
    return writes
  }

  #count(address: string, change: number): void {
    this.#made.set(address, (this.#made.get(address) ?? 0) + change)
  }

  #add(boxes: number, messages: number, bytes: number): void {
    const before = this.#totalsNow()
    this.#totals = { boxes: before.boxes + boxes, messages: before.messages + messages, bytes: before.bytes + bytes }
    this.#isChanged = true
  }

  #totalsNow(): Totals {
    return this.#totals ?? this.#records.totals.get('all') ?? NOTHING
  }
}
