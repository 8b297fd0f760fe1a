/** A rotation inside of a change: the planned table is signed by the key of a later epoch (docs/format.md, section 4). */
import { OwnPersonaError } from './errors.ts'
import { PREV_BYTES } from '../../core/blob.ts'
import type { ChainPosition } from '../../core/chain.ts'
import type { OwnHead } from './head.ts'
import type { Journal } from './journal.ts'
import { approvedNotes } from './notes.ts'
import { planRotation } from './rotation-plan.ts'
import type { Siblings } from './siblings.ts'
import { pointOf, positionFields, rememberOwnNames, tombstonesAfter } from './table.ts'
import type { EditResult } from '../../ipc/shapes/own.ts'
import type { RotationPlan, RotationWishes } from '../../ipc/shapes/rotation.ts'

export const UNPROTECTED =
  'the seed is still on this device: until you have confirmed the recovery words, whoever takes it takes the persona: persona recovery show'

export const OTHERS_NEED_IT =
  'your other devices cannot sign until they have the new key: persona pair here, or persona rotate --follow on each'

/** What runs inside of a change. */
export class Rotation {
  readonly #head: OwnHead
  readonly #journal: Journal
  readonly #siblings: Siblings

  constructor(own: OwnHead, journal: Journal, siblings: Siblings) {
    this.#head = own
    this.#journal = journal
    this.#siblings = siblings
  }

  /** The table that would be published. @throws {KeeperError} those of planRotation, NO_PERSONA */
  plan(wishes: RotationWishes): RotationPlan {
    const { record: own, persona, blob: head, state, custody } = this.#head
    const { nowSec, engine } = state
    return planRotation({ own, persona, head, nowSec, hasSeed: custody.hasSeed, engine }, wishes)
  }

  /**
   * Signs the planned table by the key of the planned epoch, which custody has beside the present one.
   * @param plan name of the plan that the owner has seen: this table is signed, or none
   * @throws {KeeperError} PLAN_CHANGED | LOCKED, and those of {@link plan}
   */
  apply(wishes: RotationWishes, plan: string, position: ChainPosition): EditResult {
    const planned = this.checked(wishes, plan)
    const { record: own, persona, blob: head, state } = this.#head
    const { devices, epoch } = planned
    const { blob, named, gaveUpNames } = this.#head.sign(
      {
        chain: position,
        seq: 1,
        timeSec: state.nowSec,
        prev: head.tableHash.subarray(0, PREV_BYTES),
        devices,
        named: own.named,
        document: head.content.ok ? head.content.document : [],
      },
      true,
    )
    const removed = persona.devices.filter(({ key }) => !devices.some((device) => device.key === key))
    let { tombstones, nextIntent } = own
    // A sibling's intents may bring a device back, by a table of the new epoch; these take it out again.
    for (const { key } of removed) {
      tombstones = tombstonesAfter(tombstones, { kind: 'remove', key })
      this.#journal.add(nextIntent++, { kind: 'remove', key }, blob)
    }
    for (const { key } of devices) tombstones = tombstones.filter((other) => other !== key)
    const rotation = { ...pointOf(blob), rival: null }
    this.#head.put({ ...positionFields(position), named, tombstones, nextIntent, rotation })
    // What was too far ahead in the old epoch is behind the new one.
    const names = rememberOwnNames(devices, persona.names)
    this.#head.install({ ...persona, held: null, names }, blob, 'rotate')
    this.#decideNotes(devices.map(({ key }) => key))
    this.#head.put({ highestEpoch: Math.max(this.#head.record.highestEpoch, epoch) })
    state.trustClock()
    this.#siblings.replay()
    const notices = [...(devices.length > 1 ? [OTHERS_NEED_IT] : []), ...(planned.hasSeed ? [UNPROTECTED] : [])]
    return { table: this.#head.table(), gaveUp: gaveUpNames ? ['names'] : [], notices }
  }

  /** The plan of this name. @throws {KeeperError} PLAN_CHANGED, and those of {@link plan} */
  checked(wishes: RotationWishes, plan: string): RotationPlan {
    const planned = this.plan(wishes)
    if (planned.plan === plan) return planned
    const hint = 'look at the table once more: the same command shows it'
    throw new OwnPersonaError('PLAN_CHANGED', 'your table changed since it was shown: nothing was signed', hint)
  }

  // The owner has looked at the table: who is in it is approved, and of who is not nothing is asked any more.
  #decideNotes(keys: readonly string[]): void {
    const notes = approvedNotes(this.#head.record, keys).filter(({ key }) => keys.includes(key))
    this.#head.put({ notes })
  }
}
