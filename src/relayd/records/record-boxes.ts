/** The boxes of a relay as records. Each change runs from its first read to its commit in one step, so one box needs no lock. */
import { equalBytes } from '../../core/encoding/bytes.ts'
import { BoxChange } from './box-change.ts'
import { hasRoomFor, isReadable, isSettled } from './box-rules.ts'
import { digestOf, type Box, type KeptMessage } from './box.ts'
import type { RecordAccess } from './record-access.ts'
import { dueKeys, messageId, parseDueId } from './records.ts'
import type { BoxId, BoxListener, Coming, Message, SendOutcome } from '../store/relay-store.ts'
import { BOX_COST_BYTES, CHECK_GRAIN_US, endOf, MESSAGE_COST_BYTES } from '../store/rules.ts'

const USED: SendOutcome = { outcome: 'used', atUs: 0 }
const FULL: SendOutcome = { outcome: 'full', atUs: 0 }
const CROWDED: SendOutcome = { outcome: 'crowded', atUs: 0 }

export class RecordBoxes {
  readonly #access: RecordAccess
  readonly #listeners = new Set<BoxListener>()

  constructor(access: RecordAccess) {
    this.#access = access
  }

  async send(id: BoxId, data: string, address: string, nowUs: number): Promise<SendOutcome> {
    await this.#access.ready()
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
    const isCrowded = isNew && change.unclaimedOf(address) >= this.#access.limits.maxUncheckedBoxes
    const isFull = !change.hasDiskFor(cost) || !hasRoomFor(change.box, message.bytes, this.#access.limits)
    const refusal = isRetired ? USED : isCrowded ? CROWDED : FULL
    if (isCrowded || isFull) {
      await this.#commit(change)
      return refusal
    }
    const box = change.box ?? change.make(address)
    const afterUs = box.lastAtUs
    const atUs = change.addMessage(box, data, message)
    const committing = this.#commit(change)
    this.#tell(change.id, { afterUs, atUs, data })
    if (!(await committing)) return refusal
    this.#tell(change.id, null)
    return isRetired ? USED : { outcome: 'stored', atUs }
  }

  async check(id: BoxId, atUs: number, address: string, nowUs: number): Promise<{ readonly found: boolean } | null> {
    await this.#access.ready()
    const present = this.#boxOf(id, nowUs)
    if (present === null || nowUs - present.checkedUs >= CHECK_GRAIN_US) {
      const change = this.#change(id, nowUs)
      const isNew = change.box === null
      const isCrowded = isNew && change.unclaimedOf(address) >= this.#access.limits.maxUncheckedBoxes
      if (isCrowded || (isNew && !change.hasDiskFor(BOX_COST_BYTES))) {
        await this.#commit(change)
        return null
      }
      change.noteCheck(change.box ?? change.make(address))
      if (!(await this.#commit(change)) && isNew) return null
    }
    return { found: present !== null && present.messages.some((each) => isReadable(each, atUs, nowUs)) }
  }

  async receive(id: BoxId, atUs: number, limit: number, nowUs: number): Promise<readonly Message[]> {
    await this.#access.ready()
    const present = this.#boxOf(id, nowUs)
    const messages = this.#read(id, present, atUs, limit, nowUs)
    // Most reads come back for the rest, or for nothing, and change nothing.
    if (present !== null && !this.#access.isComing(`box/${id}`) && isSettled(present, atUs, nowUs)) return messages
    const change = this.#change(id, nowUs)
    if (change.box !== null) {
      change.claim(change.box)
      change.noteCursor(change.box, atUs)
      change.removeMessages((message) => message.atUs <= atUs)
    }
    await this.#commit(change)
    return messages
  }

  async read(id: BoxId, atUs: number, limit: number, nowUs: number): Promise<readonly Message[]> {
    await this.#access.ready()
    return this.#read(id, this.#boxOf(id, nowUs), atUs, limit, nowUs)
  }

  async retire(id: BoxId, nowUs: number): Promise<'retired' | 'full'> {
    await this.#access.ready()
    const change = this.#change(id, nowUs)
    if (change.box === null && !change.hasDiskFor(BOX_COST_BYTES)) return 'full'
    const box = change.box ?? change.make(null)
    change.claim(box)
    change.retire(box)
    return (await this.#commit(change)) ? 'retired' : 'full'
  }

  async forget(id: BoxId): Promise<boolean> {
    await this.#access.ready()
    const change = this.#change(id, 0)
    if (change.box === null) return false
    change.remove()
    await this.#access.commit(change.writes())
    return true
  }

  /** The moments at which a box is to be looked at, where they have come. */
  due(nowUs: number, limit: number): Promise<string[]> {
    return dueKeys(this.#access.present.due, nowUs, limit)
  }

  /** Looks at a box whose moment has come. @param dueKey as {@link due} gives it */
  async look(dueKey: string, nowUs: number): Promise<void> {
    const { dueUs, id } = parseDueId(dueKey)
    const change = this.#change(id, nowUs)
    // Another change may have moved it since the iteration began.
    if (change.lookAgain(dueUs)) await this.#commit(change)
    else await this.#access.write([this.#access.coming.due.remove(dueKey)])
  }

  watch(listener: BoxListener): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  #tell(id: BoxId, coming: Coming | null): void {
    for (const listener of this.#listeners) listener(id, coming)
  }

  #change(id: BoxId, nowUs: number): BoxChange {
    return new BoxChange(this.#access.coming, this.#access.limits, id, nowUs)
  }

  /** The box as it is on disk; null if there is none, or if it has lived its time. */
  #boxOf(id: BoxId, nowUs: number): Box | null {
    const box = this.#access.present.boxes.get(id)
    return box === undefined || endOf(box, this.#access.limits) <= nowUs ? null : box
  }

  /** Messages that are on disk: a crash cannot take back what was given out. */
  #read(id: BoxId, present: Box | null, atUs: number, limit: number, nowUs: number): Message[] {
    const kept = (present?.messages ?? []).filter((each) => isReadable(each, atUs, nowUs))
    return kept.slice(0, limit).flatMap((message) => {
      const data = this.#access.present.data.get(messageId(id, message.atUs))
      // Deleted between the two reads, by another change of this box.
      return data === undefined ? [] : [{ atUs: message.atUs, data }]
    })
  }

  /** @returns false if the disk is full, so that nothing was changed */
  #commit(change: BoxChange): Promise<boolean> {
    return change.isChanged ? this.#access.write(change.writes()) : Promise.resolve(true)
  }
}
