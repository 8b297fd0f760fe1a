/** The inboxes of a relay as records. */
import { InboxChange } from './inbox-change.ts'
import { ENTRY_COST_BYTES, isFull, MARK_COST_BYTES, SENDER_COST_BYTES, strangersOf } from '../store/inbox-rules.ts'
import type {
  AskingDevice,
  ComingEntry,
  DeviceTag,
  InboxId,
  InboxListener,
  InboxStore,
  ListedEntry,
  OfferedEntry,
  Page,
  PostOutcome,
  SenderRules,
} from '../store/inbox-store.ts'
import { emptyInbox, endRules, lookAtInbox } from './inbox-looks.ts'
import { dueKeys, entryId, numberOf, parseDueId } from './records.ts'
import type { RecordAccess } from './record-access.ts'
import type { PersonaId } from '../store/persona-id.ts'
import { Tally } from './tally.ts'

export class RecordInboxes implements InboxStore {
  readonly #access: RecordAccess
  readonly #listeners = new Set<InboxListener>()

  constructor(access: RecordAccess) {
    this.#access = access
  }

  async post(id: InboxId, entry: OfferedEntry, listed: readonly DeviceTag[], nowUs: number): Promise<PostOutcome> {
    await this.#access.ready()
    const change = this.#change(id, nowUs)
    const outcome = this.#decide(change, entry)
    if (outcome !== 'stored' && outcome !== 'repeated') return outcome
    change.see(listed, null)
    const coming = outcome === 'stored' ? change.add(entry) : null
    // A repeat writes too: the first one may be on its way still, and this commit ends after its.
    const writing = this.#access.write(change.writes())
    if (coming !== null) this.#tell(id, coming)
    if (!(await writing)) return 'disk'
    if (coming !== null) this.#tell(id, null)
    return outcome
  }

  #tell(id: InboxId, coming: ComingEntry | null): void {
    for (const listener of this.#listeners) listener(id, coming)
  }

  #decide(change: InboxChange, entry: OfferedEntry): PostOutcome {
    const { limits } = this.#access
    const { inbox } = change
    const isAllowed = change.isAllowed(entry.from)
    const { rule, waiting } = change.senderOf(entry.from)
    if (!isAllowed && rule === 'blocked') return 'blocked'
    if (change.isRepeated(entry)) return 'repeated'
    const strangers = strangersOf(inbox.strangers, limits)
    if (!isAllowed && strangers === 0) return 'no strangers'
    const isCrowded = inbox.ofStrangers >= strangers || waiting >= limits.maxOfStranger
    const sender = { waiting, isOwner: change.isOwner(entry.from) }
    if (isFull(inbox, sender, limits) || (!isAllowed && isCrowded)) return 'full'
    const bytes = entry.encId.length + ENTRY_COST_BYTES + MARK_COST_BYTES + SENDER_COST_BYTES
    return change.hasDiskFor(bytes) ? 'stored' : 'disk'
  }

  async list(id: InboxId, device: AskingDevice, after: number, limit: number, nowUs: number): Promise<Page> {
    await this.#access.ready()
    const { present, limits } = this.#access
    const entries: ListedEntry[] = []
    let last = 0
    let looked = 0
    const range = { prefix: `${id}/`, limit, after: entryId(id, after) }
    for await (const [key, { acknowledged, from, kid, at, encId }] of present.entries.iterate(range)) {
      looked++
      last = numberOf(key)
      const isOver = last + limits.entryUs <= nowUs
      if (!isOver && !acknowledged.includes(device.tag)) entries.push({ n: last, from, kid, at, encId })
    }
    await this.#hear(id, device, after, nowUs)
    return { entries, next: looked === limit ? last : null }
  }

  async #hear(id: InboxId, device: AskingDevice, after: number, nowUs: number): Promise<void> {
    const change = this.#change(id, nowUs)
    change.see(device.listed, device.tag)
    change.noteCursor(after)
    // On a full disk it is not noted, as the check of a box.
    if (change.isChanged && change.hasDiskFor(0)) await this.#access.write(change.writes())
  }

  async acknowledge(id: InboxId, device: AskingDevice, numbers: readonly number[], nowUs: number): Promise<boolean> {
    await this.#access.ready()
    const change = this.#change(id, nowUs)
    change.see(device.listed, device.tag)
    for (const n of new Set(numbers)) {
      const entry = change.entryOf(n)
      if (entry !== null) change.acknowledge(n, entry, device.tag)
    }
    if (change.isNew && !change.hasDiskFor(0)) return false
    return change.isChanged ? await this.#access.write(change.writes()) : true
  }

  async setSenders(
    id: InboxId,
    device: AskingDevice,
    { allow, block, forget, strangers }: SenderRules,
    nowUs: number,
  ): Promise<'done' | 'crowded' | 'full'> {
    await this.#access.ready()
    const change = this.#change(id, nowUs)
    change.see(device.listed, device.tag)
    for (const from of forget) change.rule(from, null)
    for (const from of allow) change.rule(from, 'allowed')
    for (const from of block) change.rule(from, 'blocked')
    if (strangers !== null) change.limitStrangers(strangers)
    if (change.inbox.named > this.#access.limits.maxNamed) return 'crowded'
    if (!change.hasDiskFor(0)) return 'full'
    return !change.isChanged || (await this.#access.write(change.writes())) ? 'done' : 'full'
  }

  watch(listener: InboxListener): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  async endRules(persona: PersonaId, nowUs: number): Promise<boolean> {
    await this.#access.ready()
    for (const id of await this.of(persona)) if (!(await this.endRulesOf(id, nowUs))) return false
    return true
  }

  /** Forgets all senders of an inbox by name, and what its owner wishes of strangers. @returns false if the disk is full */
  async endRulesOf(id: InboxId, nowUs: number): Promise<boolean> {
    return await endRules(this.#access, id, nowUs)
  }

  async forget(persona: PersonaId): Promise<number> {
    await this.#access.ready()
    const ids = await this.of(persona)
    for (const id of ids) await this.empty(id)
    return ids.length
  }

  /** The inboxes of a persona. */
  async of(persona: PersonaId): Promise<InboxId[]> {
    const ids: InboxId[] = []
    for await (const [id] of this.#access.present.inboxes.iterate({ prefix: `${persona}/` })) ids.push(id)
    return ids
  }

  /** Deletes an inbox and all in it. */
  async empty(id: InboxId): Promise<void> {
    await emptyInbox(this.#access, id, async (writes) => {
      await this.#access.commit(writes)
      return true
    })
  }

  /** The moments at which an inbox is to be looked at, where they have come. */
  due(nowUs: number, limit: number): Promise<string[]> {
    return dueKeys(this.#access.present.inboxDue, nowUs, limit)
  }

  /** Looks at an inbox whose moment has come. @param dueKey as {@link due} gives it */
  async look(dueKey: string, nowUs: number): Promise<void> {
    await lookAtInbox(this.#access, dueKey, nowUs)
  }

  /** The moments at which a mark is to be deleted, where they have come. */
  dueMarks(nowUs: number, limit: number): Promise<string[]> {
    return dueKeys(this.#access.present.gone, nowUs, limit)
  }

  /** Deletes a mark. @param dueKey as {@link dueMarks} gives it */
  async lookAtMark(dueKey: string): Promise<void> {
    const { coming, write } = this.#access
    const { id } = parseDueId(dueKey)
    const tally = new Tally(coming.totals, coming.guests)
    // Without its mark the inbox was emptied since the iteration began.
    if (coming.marks.get(id) !== undefined) tally.add({ bytes: -MARK_COST_BYTES })
    await write([coming.gone.remove(dueKey), coming.marks.remove(id), ...tally.writes()])
  }

  #change(id: InboxId, nowUs: number): InboxChange {
    const { coming, limits } = this.#access
    return new InboxChange(coming, limits, id, nowUs)
  }
}
