/** The counts that one change moves: totals of the store, and what counts against an address or a persona. They are written in the commit of the change. */
import type { Collection, Write } from '../../store/store.ts'
import type { Totals } from './records.ts'

/** The totals of an empty store. */
export const NOTHING: Totals = { boxes: 0, messages: 0, cards: 0, inboxes: 0, entries: 0, objects: 0, bytes: 0 }

export class Tally {
  readonly #totals: Collection<Totals>
  readonly #counts: Collection<number>
  readonly #moved = new Map<string, number>()
  /** null until they change: most reads of a box change nothing. */
  #now: Totals | null = null
  /** As they were before the change: decoded once, though a send asks for them three times. */
  #before: Totals | null = null

  /** @param counts by address, or by persona */
  constructor(totals: Collection<Totals>, counts: Collection<number>) {
    this.#totals = totals
    this.#counts = counts
  }

  /** The counts against an address or a persona. */
  of(whom: string): number {
    return (this.#counts.get(whom) ?? 0) + (this.#moved.get(whom) ?? 0)
  }

  count(whom: string, change: number): void {
    this.#moved.set(whom, (this.#moved.get(whom) ?? 0) + change)
  }

  /** Bytes of all that the store holds. */
  get bytes(): number {
    return this.#totalsNow().bytes
  }

  add(change: Partial<Totals>): void {
    const { boxes, messages, cards, inboxes, entries, objects, bytes } = this.#totalsNow()
    this.#now = {
      boxes: boxes + (change.boxes ?? 0),
      messages: messages + (change.messages ?? 0),
      cards: cards + (change.cards ?? 0),
      inboxes: inboxes + (change.inboxes ?? 0),
      entries: entries + (change.entries ?? 0),
      objects: objects + (change.objects ?? 0),
      bytes: bytes + (change.bytes ?? 0),
    }
  }

  writes(): Write[] {
    const writes: Write[] = []
    for (const [whom] of this.#moved) {
      const count = this.of(whom)
      writes.push(count === 0 ? this.#counts.remove(whom) : this.#counts.put(whom, count))
    }
    if (this.#now !== null) writes.push(this.#totals.put('all', this.#now))
    return writes
  }

  #totalsNow(): Totals {
    return this.#now ?? (this.#before ??= this.#totals.get('all') ?? NOTHING)
  }
}
