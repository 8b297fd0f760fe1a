/** One change of one inbox: begun with it as it will be once all queued commits are on disk, and ended as one commit. */
import type { Write } from '../../store/store.ts'
import {
  endOfInbox,
  ENTRY_COST_BYTES,
  INBOX_COST_BYTES,
  isSettled,
  MARK_COST_BYTES,
  REPEAT_US,
  SENDER_COST_BYTES,
} from '../store/inbox-rules.ts'
import type { ComingEntry, DeviceTag, InboxId, OfferedEntry } from '../store/inbox-store.ts'
import type { KeptEntry, KeptInbox, KeptSender } from './kept-inbox.ts'
import { dueId, entryId, markId, senderId, type Records } from './records.ts'
import type { PersonaId } from '../store/persona-id.ts'
import { CHECK_GRAIN_US, lastAfterCursor, type StoreLimits } from '../store/rules.ts'
import { Tally } from './tally.ts'

const EMPTY: KeptInbox = {
  lastN: 0,
  entries: 0,
  waiting: 0,
  ofStrangers: 0,
  strangers: null,
  named: 0,
  devices: [],
  endsUs: 0,
  sweep: null,
  dueUs: 0,
}
const UNKNOWN: KeptSender = { rule: null, waiting: 0 }

export class InboxChange {
  readonly id: InboxId
  readonly #records: Records
  readonly #limits: StoreLimits
  readonly #nowUs: number
  readonly #found: KeptInbox | null
  readonly #tally: Tally
  /** By key: a change may write one record twice. */
  readonly #writes = new Map<string, Write>()
  readonly #senders = new Map<PersonaId, KeptSender>()
  #inbox: KeptInbox

  /** @param records read ahead: see ahead.ts */
  constructor(records: Records, limits: StoreLimits, id: InboxId, nowUs: number) {
    this.id = id
    this.#records = records
    this.#limits = limits
    this.#nowUs = nowUs
    this.#found = records.inboxes.get(id) ?? null
    this.#inbox = this.#found ?? EMPTY
    this.#tally = new Tally(records.totals, records.guests)
    if (this.#found === null) this.#tally.add({ inboxes: 1, bytes: INBOX_COST_BYTES })
  }

  get inbox(): KeptInbox {
    return this.#inbox
  }

  get isNew(): boolean {
    return this.#found === null
  }

  get isChanged(): boolean {
    return this.#inbox !== this.#found || this.#writes.size > 0
  }

  /** Whether the disk may take all that the change has added, and so many bytes more. */
  hasDiskFor(bytes: number): boolean {
    return this.#tally.bytes + bytes <= this.#limits.maxDiskBytes
  }

  /** Takes the devices of the newest card. @param heard the one that asks; null if none does */
  see(listed: readonly DeviceTag[], heard: DeviceTag | null): void {
    const { devices, lastN } = this.#inbox
    const seen = listed.map((tag) => {
      const known = devices.find((device) => device.tag === tag)
      if (known === undefined) return { tag, sinceN: lastN, heardUs: this.#nowUs, isSilent: false }
      const isFresh = !known.isSilent && this.#nowUs - known.heardUs < CHECK_GRAIN_US
      return tag !== heard || isFresh ? known : { ...known, heardUs: this.#nowUs, isSilent: false }
    })
    if (devices.some(({ tag }) => !listed.includes(tag))) this.#sweepAll()
    if (seen.length !== devices.length || seen.some((device) => !devices.includes(device))) this.#set({ devices: seen })
  }

  /** Notes the devices for which no entry waits any more. */
  noteSilent(): void {
    const isSilentNow = ({ heardUs, isSilent }: KeptInbox['devices'][number]): boolean =>
      !isSilent && heardUs + this.#limits.silentUs <= this.#nowUs
    const { devices } = this.#inbox
    if (!devices.some(isSilentNow)) return
    this.#sweepAll()
    this.#set({ devices: devices.map((each) => (isSilentNow(each) ? { ...each, isSilent: true } : each)) })
  }

  senderOf(from: PersonaId): KeptSender {
    return this.#senders.get(from) ?? this.#records.senders.get(senderId(this.id, from)) ?? UNKNOWN
  }

  /** Whether an entry with this body of this sender is there, or was within a day. */
  isRepeated(entry: OfferedEntry): boolean {
    return this.#records.marks.get(markId(this.id, entry)) !== undefined
  }

  /** Puts an entry after all that are there. */
  add(entry: OfferedEntry): ComingEntry {
    const { lastN, entries, waiting, endsUs } = this.#inbox
    const n = Math.max(this.#nowUs, lastN + 1)
    this.#set({
      lastN: n,
      entries: entries + 1,
      waiting: waiting + 1,
      endsUs: entries === 0 ? n + this.#limits.entryUs : endsUs,
    })
    this.#wait(entry.from, 1)
    this.#write(this.#records.entries.put(entryId(this.id, n), { ...entry, acknowledged: [] }))
    this.#write(this.#records.marks.put(markId(this.id, entry), { goneUs: 0 }))
    this.#tally.add({ entries: 1, bytes: entry.encId.length + ENTRY_COST_BYTES + MARK_COST_BYTES })
    const { from, kid, at, encId } = entry
    return { after: lastN, entry: { n, from, kid, at, encId } }
  }

  /** Notes up to where a device was given entries. */
  noteCursor(after: number): void {
    const lastN = lastAfterCursor(this.#inbox.lastN, after, this.#nowUs)
    if (lastN !== this.#inbox.lastN) this.#set({ lastN })
  }

  entryOf(n: number): KeptEntry | null {
    return this.#records.entries.get(entryId(this.id, n)) ?? null
  }

  /** Notes that a device has an entry, and deletes it if it waits for no other. */
  acknowledge(n: number, entry: KeptEntry, tag: DeviceTag): void {
    if (entry.acknowledged.includes(tag)) return
    const noted = { ...entry, acknowledged: [...entry.acknowledged, tag] }
    if (entry.acknowledged.length === 0) this.#stopWaiting(entry.from)
    if (this.isSettled(n, noted)) this.#delete(n, noted)
    else this.#write(this.#records.entries.put(entryId(this.id, n), noted))
  }

  isSettled(n: number, { acknowledged }: KeptEntry): boolean {
    return isSettled(n, acknowledged, this.#inbox.devices, this.#nowUs, this.#limits)
  }

  /** Deletes an entry whether a device has it or not. */
  remove(n: number, entry: KeptEntry): void {
    if (entry.acknowledged.length === 0) this.#stopWaiting(entry.from)
    this.#delete(n, entry)
  }

  /** Deletes a mark whose entry is deleted. */
  removeMark(id: string): void {
    const { marks, gone } = this.#records
    const mark = marks.get(id)
    if (mark === undefined) return
    this.#write(marks.remove(id))
    if (mark.goneUs > 0) this.#write(gone.remove(dueId(id, mark.goneUs)))
    this.#tally.add({ bytes: -MARK_COST_BYTES })
  }

  rule(from: PersonaId, rule: KeptSender['rule']): void {
    const sender = this.senderOf(from)
    if (sender.rule === rule) return
    const isOwner = this.isOwner(from)
    const [was, is] = [sender, { ...sender, rule }].map((each) => each.rule === null && !isOwner)
    const moved = was === is ? 0 : is === true ? sender.waiting : -sender.waiting
    const named = Number(rule !== null) - Number(sender.rule !== null)
    this.#set({ named: this.#inbox.named + named, ofStrangers: this.#inbox.ofStrangers + moved })
    this.#keepSender(from, { ...sender, rule })
  }

  limitStrangers(strangers: number | null): void {
    if (strangers !== this.#inbox.strangers) this.#set({ strangers })
  }

  isOwner(from: PersonaId): boolean {
    return this.id.startsWith(`${from}/`)
  }

  isAllowed(from: PersonaId): boolean {
    return this.isOwner(from) || this.senderOf(from).rule === 'allowed'
  }

  /** Notes how far the entries were looked at. @param endsUs when the first that is left ends; null if the look did not come so far */
  noteLook(sweep: KeptInbox['sweep'], endsUs: number | null): void {
    this.#set({ sweep, endsUs: this.#inbox.entries === 0 ? 0 : (endsUs ?? this.#inbox.endsUs) })
  }

  /** Whether nothing is left in it, and no device was heard of for long. */
  get isOver(): boolean {
    const { entries, devices } = this.#inbox
    return entries === 0 && endOfInbox(devices, this.#limits) <= this.#nowUs
  }

  /** The writes that delete the inbox itself, once nothing is left in it. */
  removal(): readonly Write[] {
    const { inboxes, inboxDue } = this.#records
    const dueUs = this.#found?.dueUs ?? 0
    this.#tally.add({ inboxes: -1, bytes: -INBOX_COST_BYTES })
    return [
      ...this.#writes.values(),
      inboxes.remove(this.id),
      ...(dueUs === 0 ? [] : [inboxDue.remove(dueId(this.id, dueUs))]),
      ...this.#tally.writes(),
    ]
  }

  writes(): readonly Write[] {
    const { inboxes, inboxDue } = this.#records
    const before = this.#found?.dueUs ?? 0
    let dueUs = this.#dueUs()
    // A moment that is too early stays until it has come: most writes then need not move it.
    if (before > this.#nowUs) dueUs = Math.min(dueUs, before)
    const writes = [...this.#writes.values(), inboxes.put(this.id, { ...this.#inbox, dueUs })]
    if (dueUs !== before) {
      if (before !== 0) writes.push(inboxDue.remove(dueId(this.id, before)))
      writes.push(inboxDue.put(dueId(this.id, dueUs), null))
    }
    return [...writes, ...this.#tally.writes()]
  }

  #dueUs(): number {
    const { sweep, entries, endsUs, devices } = this.#inbox
    const silent = devices.filter(({ isSilent }) => !isSilent).map(({ heardUs }) => heardUs + this.#limits.silentUs)
    const lastUs = entries === 0 ? endOfInbox(devices, this.#limits) : endsUs
    return Math.min(lastUs, sweep === null ? Infinity : this.#nowUs, ...silent)
  }

  #set(change: Partial<KeptInbox>): void {
    this.#inbox = { ...this.#inbox, ...change }
  }

  #write(write: Write): void {
    this.#writes.set(write.key, write)
  }

  #sweepAll(): void {
    const { entries, lastN } = this.#inbox
    if (entries > 0) this.#set({ sweep: { afterN: 0, lastN } })
  }

  /** Counts an entry of a sender that no device has acknowledged. */
  #wait(from: PersonaId, change: 1 | -1): void {
    const sender = this.senderOf(from)
    if (!this.isOwner(from) && sender.rule === null) this.#set({ ofStrangers: this.#inbox.ofStrangers + change })
    this.#keepSender(from, { ...sender, waiting: sender.waiting + change })
  }

  #stopWaiting(from: PersonaId): void {
    this.#set({ waiting: this.#inbox.waiting - 1 })
    this.#wait(from, -1)
  }

  #keepSender(from: PersonaId, sender: KeptSender): void {
    const { senders } = this.#records
    const id = senderId(this.id, from)
    const [was, is] = [this.senderOf(from), sender].map(({ rule, waiting }) => Number(rule !== null || waiting > 0))
    this.#tally.add({ bytes: (is! - was!) * SENDER_COST_BYTES })
    this.#senders.set(from, sender)
    this.#write(is === 0 ? senders.remove(id) : senders.put(id, sender))
  }

  #delete(n: number, entry: KeptEntry): void {
    const { entries, marks, gone } = this.#records
    const id = markId(this.id, entry)
    const goneUs = n + REPEAT_US
    const isMarkOver = goneUs <= this.#nowUs
    this.#write(entries.remove(entryId(this.id, n)))
    this.#write(isMarkOver ? marks.remove(id) : marks.put(id, { goneUs }))
    if (!isMarkOver) this.#write(gone.put(dueId(id, goneUs), null))
    this.#set({ entries: this.#inbox.entries - 1 })
    const bytes = entry.encId.length + ENTRY_COST_BYTES + (isMarkOver ? MARK_COST_BYTES : 0)
    this.#tally.add({ entries: -1, bytes: -bytes })
  }
}
