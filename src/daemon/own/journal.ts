/** The journal of own intents: the owner's edits, until somebody who knew of them decided otherwise (docs/format.md, section 9). */
import type { Edit } from '../../core/edit.ts'
import { republishedWith, type Intent, type IntentOutcome } from '../../core/intents.ts'
import type { VerifiedBlob } from '../../core/verify.ts'
import type { State } from '../state/state.ts'
import { commandOf, describeEdit, pointOf } from './own-records.ts'

const MAX_LIVE_INTENTS = 256 // sanity: edits of years; all siblings have long seen older ones
const INTENT_DIGITS = 10 // so that intents are stored in the order in which they were made

/** In memory as on disk, also after a change that was given up. */
export class Journal {
  readonly #state: State
  #live: readonly Intent[]

  /** @param live those of the store, in the order in which they were made */
  constructor(state: State, live: readonly Intent[]) {
    this.#state = state
    this.#live = live
  }

  get live(): readonly Intent[] {
    return this.#live
  }

  /**
   * Writes an intent that was published with a table.
   * @param number of the intent, one more than the last
   * @param again it adds a key that was listed before
   */
  add(number: number, edit: Edit, blob: VerifiedBlob, again = false): void {
    const id = String(number).padStart(INTENT_DIGITS, '0')
    const made: Intent = { id, edit, atSec: this.#state.nowSec, published: pointOf(blob) }
    const intent: Intent = again ? { ...made, again: true } : made
    this.#keep([...this.#live, intent])
    this.#state.stage(this.#state.records.intents.put(id, intent))
    for (const old of this.#live.slice(0, -MAX_LIVE_INTENTS)) this.forget(old)
  }

  /** Intents of this persona's own past, in the order in which they were made. */
  import(intents: readonly Intent[]): void {
    this.#keep([...this.#live, ...intents])
    for (const intent of intents) this.#state.stage(this.#state.records.intents.put(intent.id, intent))
  }

  /** A replayed intent was published once more. A descendant of any of its tables has seen it. */
  republish(intent: Intent, blob: VerifiedBlob): void {
    this.#replace(republishedWith(intent, pointOf(blob)))
  }

  forget(intent: Intent): void {
    this.#keep(this.#live.filter((other) => other.id !== intent.id))
    this.#state.stage(this.#state.records.intents.remove(intent.id))
  }

  /** An intent that a table shows stays: the next table may come from a sibling that does not know it and signed more tables. */
  end(outcome: IntentOutcome): void {
    if (outcome.outcome === 'replayed') return
    if (outcome.outcome === 'kept') return this.#replace(outcome.intent)
    this.forget(outcome.intent)
    const { edit } = outcome.intent
    // Only an edit of a device can become impossible.
    if (outcome.outcome !== 'dropped' || edit.kind === 'set') return
    const data = { intent: describeEdit(edit), reason: outcome.reason, command: commandOf(edit, outcome.reason) }
    this.#state.emit({ event: 'own.intent-dropped', data })
  }

  #replace(intent: Intent): void {
    const before = this.#live.find(({ id }) => id === intent.id)
    if (before === undefined || before === intent) return
    this.#keep(this.#live.map((other) => (other === before ? intent : other)))
    this.#state.stage(this.#state.records.intents.put(intent.id, intent))
  }

  #keep(live: readonly Intent[]): void {
    const before = this.#live
    this.#live = live
    this.#state.onUndo(() => {
      this.#live = before
    })
  }
}
