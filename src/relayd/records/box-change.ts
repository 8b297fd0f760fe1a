/** One change of one box: begun with the box as it will be once all queued commits are on disk, and ended as one commit. */
import type { Write } from '../../store/store.ts'
import type { Box, KeptMessage } from './box.ts'
import { dueId, messageId, type Records } from './records.ts'
import type { BoxId } from '../store/relay-store.ts'
import {
  BOX_COST_BYTES,
  CHECK_GRAIN_US,
  endOf,
  lastAfterCursor,
  MESSAGE_COST_BYTES,
  type StoreLimits,
} from '../store/rules.ts'
import { dueOf } from './box-rules.ts'
import { Tally } from './tally.ts'

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
  readonly #tally: Tally
  #isChanged = false

  /** Drops what has lived its time. @param records read ahead: see ahead.ts */
  constructor(records: Records, limits: StoreLimits, id: BoxId, nowUs: number) {
    this.id = id
    this.#records = records
    this.#limits = limits
    this.#nowUs = nowUs
    this.#tally = new Tally(records.totals, records.made)
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
    return this.#tally.of(address)
  }

  /** Whether the disk may take so many bytes more. */
  hasDiskFor(bytes: number): boolean {
    return this.#tally.bytes + bytes <= this.#limits.maxDiskBytes
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
    if (maker !== null) this.#tally.count(maker, 1)
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
    this.#tally.count(box.maker, -1)
    box.maker = null
    this.#isChanged = true
  }

  /** The owner has processed everything up to a moment. Where a crash took back a message that they have, the next one still gets a later moment. */
  noteCursor(box: Box, atUs: number): void {
    const lastAtUs = lastAfterCursor(box.lastAtUs, atUs, this.#nowUs)
    if (lastAtUs === box.lastAtUs) return
    box.lastAtUs = lastAtUs
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
    if (this.box.maker !== null) this.#tally.count(this.box.maker, -1)
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
    const { boxes, due } = this.#records
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
    return [...writes, ...this.#tally.writes()]
  }

  #add(boxes: number, messages: number, bytes: number): void {
    this.#tally.add({ boxes, messages, bytes })
    this.#isChanged = true
  }
}
