/** The journal of own intents: what the owner wanted, until a sibling's table shows it (docs/format.md, section 9). */
import type { Edit, Intent, IntentOutcome } from '../core/intents.ts'
import type { VerifiedBlob } from '../core/verify.ts'
import type { Ledger } from './ledger.ts'
import { commandOf, describeEdit, pointOf } from './own-table.ts'

const MAX_LIVE_INTENTS = 256 // sanity: edits of years; what is older than that a sibling has long seen
const INTENT_DIGITS = 10 // so that intents are stored in the order in which they were made

/** In memory as on disk, also after a change that was given up. */
export class Journal {
  readonly #ledger: Ledger
  #live: readonly Intent[]

  /** @param live those of the store, in the order in which they were made */
  constructor(ledger: Ledger, live: readonly Intent[]) {
    this.#ledger = ledger
    this.#live = live
  }

  get live(): readonly Intent[] {
    return this.#live
  }

  /**
   * Writes an intent, let out with a table.
   * @param number of the intent, one more than that of the one before
   */
  add(number: number, edit: Edit, blob: VerifiedBlob): void {
    const id = String(number).padStart(INTENT_DIGITS, '0')
    const intent: Intent = { id, edit, atSec: this.#ledger.nowSec, published: pointOf(blob) }
    this.#keep([...this.#live, intent])
    this.#ledger.stage(this.#ledger.records.intents.put(id, intent))
    for (const old of this.#live.slice(0, -MAX_LIVE_INTENTS)) this.forget(old)
  }

  /** Intents of this persona's own past, in the order in which they were made. */
  takeUp(intents: readonly Intent[]): void {
    this.#keep([...this.#live, ...intents])
    for (const intent of intents) this.#ledger.stage(this.#ledger.records.intents.put(intent.id, intent))
  }

  /** A replayed intent was let out once more: what descends from either table has seen it. */
  republish(intent: Intent, blob: VerifiedBlob): void {
    const again: Intent = { ...intent, republished: pointOf(blob) }
    this.#keep(this.#live.map((other) => (other.id === intent.id ? again : other)))
    this.#ledger.stage(this.#ledger.records.intents.put(intent.id, again))
  }

  forget(intent: Intent): void {
    this.#keep(this.#live.filter((other) => other.id !== intent.id))
    this.#ledger.stage(this.#ledger.records.intents.remove(intent.id))
  }

  /** A replayed intent stays until a sibling's table shows it: another sibling may race the new table in turn. */
  end(outcome: IntentOutcome): void {
    if (outcome.outcome === 'replayed') return
    this.forget(outcome.intent)
    if (outcome.outcome !== 'dropped') return
    const { edit } = outcome.intent
    const data = { intent: describeEdit(edit), reason: outcome.reason, command: commandOf(edit) }
    this.#ledger.emit({ event: 'own.intent-dropped', data })
  }

  #keep(live: readonly Intent[]): void {
    const before = this.#live
    this.#live = live
    this.#ledger.onUndo(() => {
      this.#live = before
    })
  }
}
