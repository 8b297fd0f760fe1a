/** The inboxes of a relay in the database. */
import type {
  AskingDevice,
  DeviceTag,
  InboxId,
  InboxListener,
  InboxStore,
  OfferedEntry,
  Page,
  PostOutcome,
  SenderRules,
} from '../store/inbox-store.ts'
import type { PersonaId } from '../store/persona-id.ts'
import type { Access } from './access.ts'
import { TOTALS } from './totals.ts'

export class PostgresInboxes implements InboxStore {
  readonly #access: Access
  readonly #listeners = new Set<InboxListener>()

  constructor(access: Access) {
    this.#access = access
  }

  async post(id: InboxId, entry: OfferedEntry, listed: readonly DeviceTag[], nowUs: number): Promise<PostOutcome> {
    const { from, bodyHash } = entry
    const keys = [inboxKey(id), `sender/${id}/${from}`, `mark/${id}/${from}/${bodyHash}`, TOTALS]
    return await this.#access.change(keys, ({ inboxes }) => inboxes.post(id, entry, listed, nowUs))
  }

  async list(id: InboxId, device: AskingDevice, after: number, limit: number, nowUs: number): Promise<Page> {
    return await this.#access.look([inboxKey(id)], ({ inboxes }) => inboxes.list(id, device, after, limit, nowUs))
  }

  async acknowledge(id: InboxId, device: AskingDevice, numbers: readonly number[], nowUs: number): Promise<boolean> {
    return await this.#access.change([inboxKey(id), TOTALS], ({ inboxes }) =>
      inboxes.acknowledge(id, device, numbers, nowUs),
    )
  }

  async setSenders(
    id: InboxId,
    device: AskingDevice,
    rules: SenderRules,
    nowUs: number,
  ): Promise<'done' | 'crowded' | 'full'> {
    return await this.#access.change([inboxKey(id), TOTALS], ({ inboxes }) =>
      inboxes.setSenders(id, device, rules, nowUs),
    )
  }

  async endRules(persona: PersonaId, nowUs: number): Promise<boolean> {
    const ids = await this.#access.look([], ({ inboxes }) => inboxes.of(persona))
    const ended = ids.map((id) =>
      this.#access.change([inboxKey(id), TOTALS], ({ inboxes }) => inboxes.endRulesOf(id, nowUs)),
    )
    return !(await Promise.all(ended)).includes(false)
  }

  async forget(persona: PersonaId): Promise<number> {
    const ids = await this.#access.look([], ({ inboxes }) => inboxes.of(persona))
    await Promise.all(ids.map((id) => this.#access.change([inboxKey(id), TOTALS], ({ inboxes }) => inboxes.empty(id))))
    return ids.length
  }

  watch(listener: InboxListener): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  told(id: InboxId): void {
    for (const listener of this.#listeners) listener(id, null)
  }
}

/** The record that whoever changes an inbox locks first. */
export function inboxKey(id: InboxId): string {
  return `inbox/${id}`
}
