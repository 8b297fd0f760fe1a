/** What the own blob on some device means: a sibling's newer table is followed, and gets what it lacks (docs/format.md, section 9). Inside of a change. */
import { formatHex } from '../../core/encoding/bytes.ts'
import { replayIntents } from '../../core/intents.ts'
import { MAX_SEQ } from '../../core/limits.ts'
import type { OrderVerdict } from '../../core/order.ts'
import { deviceKeysOf } from '../../core/table.ts'
import { consentsToPersona } from '../../core/trust.ts'
import type { VerifiedBlob } from '../../core/verify.ts'
import type { ContactChange } from '../../ipc/shapes/events.ts'
import { alarmIfContested } from '../personas/alarms.ts'
import { applyVerdict, noteClock } from '../personas/heads.ts'
import type { Journal } from './journal.ts'
import type { State } from '../state/state.ts'
import { isOfHere, isUnlisted, notesAfter } from './notes.ts'
import type { OwnHead } from './head.ts'
import { fitsNameless, isFirstShownBy, rememberOwnNames, replayHead } from './table.ts'
import type { OwnRecord, PersonaRecord } from '../state/records.ts'
import { isRival } from './rivals.ts'
import { forgottenBy } from './rollback.ts'
import type { OwnHeads, OwnSight } from '../personas/own-sight.ts'
import { alarmForgotten, alarmRival, alarmUnlisted } from './alarms.ts'

const COPY_STEP_SEC = 3600 // sanity: a device shows its copy all the time, and when is told by the day; more often it is not written

export class Siblings implements OwnHeads {
  readonly #head: OwnHead
  readonly #state: State
  readonly #journal: Journal

  constructor(own: OwnHead, journal: Journal) {
    this.#head = own
    this.#state = own.state
    this.#journal = journal
  }

  get personaId(): string | null {
    return this.#state.own()?.personaId ?? null
  }

  /** The owner's own blob was seen on some device: a sibling may have written a newer one. */
  adopt(blob: VerifiedBlob, verdict: OrderVerdict, sight: OwnSight): boolean {
    const { from, copySec, mayNote } = sight
    const { record: own, persona } = this.#head
    const isCopy = this.#isCopy(blob, verdict, sight)
    const isNoted =
      verdict.verdict !== 'violation' && this.#note(blob, isCopy ? copySec : null, from === '' ? 1 : COPY_STEP_SEC)
    const { persona: after, changes } = applyVerdict(persona, blob, verdict, mayNote, this.#state)
    if (after !== persona) {
      this.#state.putPersona(after)
      // Only where it is new here: what is kept already was told.
      if (verdict.verdict !== 'violation' && !isRival(blob, own, this.#head.past)) {
        const forgotten = forgottenBy(blob, own, this.#head.past, persona, copySec === null ? from : null)
        if (forgotten !== null) alarmForgotten(own.personaId, blob, forgotten, from, this.#state)
      }
    }
    if (after.head !== persona.head && verdict.verdict !== 'refresh') this.follow(persona, after, changes)
    else if (after.devices.some(({ key }) => key === from) && this.#isFree(from)) this.#head.bind(from)
    const isReconciled = isCopy && this.#reconcile(sight.copySec)
    return isNoted || isReconciled || after !== persona
  }

  /**
   * Whether this is another's copy of the own blob and tells how far that has come: one that the owner gives, or that a device shows which it
   * lists; not behind what is known here. Anybody who was ever a friend can show an old one.
   */
  #isCopy(blob: VerifiedBlob, { verdict }: OrderVerdict, { from, copySec }: OwnSight): boolean {
    if (copySec === null || isOfHere(this.#head.record, from)) return false
    const isOfSibling = from === '' || deviceKeysOf(blob).includes(from)
    return isOfSibling && (verdict === 'accept' || verdict === 'refresh' || verdict === 'fork')
  }

  /** After a restore: a copy seen since then; one from before may lie in a profile that was put back as well. */
  #reconcile(copySec: number | null): boolean {
    const { restoredSec } = this.#head.record
    if (restoredSec === null || copySec === null || copySec < restoredSec) return false
    this.#head.put({ restoredSec: null })
    this.#head.emitChanged('reconcile')
    this.replay()
    return true
  }

  /**
   * What a blob of the own chain says whatever becomes of it: how high the epochs go, and who else rotated.
   * @param copySec when it was seen, if it is a copy
   * @param stepSec how much later than the one before; what the owner gives by hand counts at once, since the next command may tell of it
   */
  #note(blob: VerifiedBlob, copySec: number | null, stepSec: number): boolean {
    const { record: own } = this.#head
    const changed: Partial<OwnRecord> = {}
    if (blob.epoch > own.highestEpoch) Object.assign(changed, { highestEpoch: blob.epoch })
    if (copySec !== null && copySec >= (own.copySec ?? 0) + stepSec) Object.assign(changed, { copySec })
    if (own.rotation !== null && isRival(blob, own, this.#head.past)) {
      alarmRival(own.personaId, blob.epoch, this.#state)
      Object.assign(changed, { rotation: { ...own.rotation, rival: formatHex(blob.tableHash) } })
    }
    if (Object.keys(changed).length === 0) return false
    this.#head.put(changed)
    return true
  }

  /** A sibling's table is the head now. */
  follow(before: PersonaRecord, after: PersonaRecord, changes: readonly ContactChange[]): void {
    for (const change of changes) if (change.kind === 'added') this.#welcome(change.key!)
    noteClock(after, this.#state)
    this.#head.past.note(this.#head.blob)
    const { record: own } = this.#head
    if (isUnlisted(own, after.devices) && !isUnlisted(own, before.devices)) alarmUnlisted(own.personaId, this.#state)
    this.#head.put({ replayDue: true, notes: notesAfter(own, changes, false, this.#state.nowSec) })
    this.#head.emitChanged('sibling')
    this.replay()
  }

  /** Makes good what a sibling's winning table may lack of the own edits; at the unlock, for tables that came while locked. */
  replay(): void {
    const own = this.#state.own()
    if (own === undefined || !own.replayDue || this.#head.custody.isLocked) return
    const { persona, blob: head } = this.#head
    // After a rotation by a sibling nothing can be signed here until this device has the new key; nor behind the last seq; and not by a
    // device that somebody took out of the table, or by a state that was put back.
    if (head.epoch !== own.epoch || head.seq >= MAX_SEQ) return
    if (own.restoredSec !== null || isUnlisted(own, persona.devices)) return
    this.#head.put({ replayDue: false })
    const onto = replayHead(persona, head)
    const lacking = this.#journal.live.filter((intent) => !isFirstShownBy(onto, intent))
    const { devices, outcomes } = replayIntents(onto, lacking, {
      nowSec: this.#state.nowSec,
      tombstones: new Set(own.tombstones),
      ancestor: (prev) => this.#head.past.find(prev),
      fits: (list) => fitsNameless(head.epoch, list.length),
    })
    for (const outcome of outcomes) this.#journal.end(outcome)
    if (!outcomes.some(({ outcome }) => outcome === 'replayed')) return
    const signed = this.#head.sign(this.#head.draft(devices), true)
    this.#head.put({ named: signed.named })
    for (const { intent, outcome } of outcomes) if (outcome === 'replayed') this.#journal.republish(intent, signed.blob)
    this.#head.install({ ...persona, names: rememberOwnNames(devices, persona.names) }, signed.blob, 'replay')
  }

  /**
   * A sibling lists a device: it is the owner's, unless it is known as somebody else's. Then its own word is needed, as with any persona;
   * otherwise the thief of a sibling could take the owner's contacts from him by listing their devices.
   */
  #welcome(key: string): void {
    if (this.#state.device(key).bound === this.#head.record.personaId) return
    if (this.#isFree(key)) return this.#head.bind(key)
    alarmIfContested(this.#head.persona, key, this.#state)
  }

  #isFree(key: string): boolean {
    const { bound, entry, reports } = this.#state.device(key)
    return bound === null && (entry === null || consentsToPersona(reports, this.#head.record.personaId))
  }
}
