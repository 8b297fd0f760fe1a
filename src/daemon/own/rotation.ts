/** A rotation inside of a change: the key of a later epoch signs the planned table (docs/format.md, section 4). */
import { noticeOf, OTHERS_NEED_KEY, withNotices, UNPROTECTED } from './conditions.ts'
import { PREV_BYTES } from '../../core/blob.ts'
import type { ChainPosition } from '../../core/chain.ts'
import type { OwnHead } from './sign-table.ts'
import { OwnPersonaError } from './errors.ts'
import type { Journal } from './journal.ts'
import { approvedNotes } from './notes.ts'
import { planRotation } from './rotation-plan.ts'
import { carriedStatement } from './statement.ts'
import { overruleEarlier } from './siblings.ts'
import { pointOf, positionFields, rememberOwnNames, tombstonesAfter } from './own-records.ts'
import type { EditResult } from '../../ipc/shapes/own.ts'
import type { RotationPlan, RotationWishes } from '../../ipc/shapes/rotation.ts'

/** The table that a rotation would publish. @throws {KeeperError} NO_PERSONA, and those of planRotation */
export function ownPlan(
  { record, persona, blob: head, state, custody }: OwnHead,
  wishes: RotationWishes,
): RotationPlan {
  const { nowSec, engine } = state
  return planRotation({ own: record, persona, head, nowSec, hasSeed: custody.hasSeed, engine }, wishes)
}

/** The plan, if it still has this name. @throws {OwnPersonaError} PLAN_CHANGED, and those of {@link ownPlan} */
export function checkPlan(own: OwnHead, wishes: RotationWishes, plan: string): RotationPlan {
  const planned = ownPlan(own, wishes)
  if (planned.plan === plan) return planned
  const hint = 'look at the table once more: the same command shows it'
  throw new OwnPersonaError('PLAN_CHANGED', 'your table changed since it was shown: nothing was signed', hint)
}

/**
 * Signs the planned table by the key of the planned epoch, which custody holds beside the present one.
 * @param plan name of the plan that the owner saw. If the table changed since, nothing is signed
 * @throws {OwnPersonaError} PLAN_CHANGED {CustodyError} LOCKED, and those of {@link ownPlan}
 */
export function applyRotation(
  own: OwnHead,
  journal: Journal,
  wishes: RotationWishes,
  plan: string,
  position: ChainPosition,
): EditResult {
  const planned = checkPlan(own, wishes, plan)
  const { record, persona, blob: head, state } = own
  const { devices, settings, epoch } = planned
  const { blob, named } = own.sign(
    {
      chain: position,
      seq: 1,
      timeSec: state.nowSec,
      prev: head.tableHash.subarray(0, PREV_BYTES),
      devices,
      named: record.named,
      settings,
      // The owner saw names, keys, marks and settings of the plan. Everything else in the head is by whoever had the old key.
      document: [],
      predecessor: carriedStatement(record, head, true, state.engine),
    },
    true,
  )
  let { tombstones, nextIntent } = record
  // The plan is the owner's last word on each device. An intent, here or at a sibling, may bring one back in a table of the new epoch; these
  // remove it again.
  for (const key of leftOutBy(planned, journal)) {
    tombstones = tombstonesAfter(tombstones, { kind: 'remove', key })
    journal.add(nextIntent++, { kind: 'remove', key }, blob)
  }
  for (const { key } of devices) tombstones = tombstones.filter((other) => other !== key)
  const rotation = { ...pointOf(blob), rival: null }
  // The owner of the words knows better whether another device made a successor.
  const ended = record.succeededBy == null ? {} : { succeededBy: null }
  own.put({ ...positionFields(position), named, tombstones, nextIntent, rotation, ...ended })
  // A held blob of the old epoch is behind the new one.
  const names = rememberOwnNames(devices, persona.names)
  own.install({ ...persona, held: null, names }, blob, 'rotate')
  approveListed(
    own,
    devices.map(({ key }) => key),
  )
  own.put({ highestEpoch: Math.max(own.record.highestEpoch, epoch) })
  state.trustClock()
  overruleEarlier(own, journal)
  const findings = [
    ...(devices.length > 1 ? [noticeOf('OTHERS_NEED_KEY', OTHERS_NEED_KEY)] : []),
    ...(planned.hasSeed ? [noticeOf('UNPROTECTED', UNPROTECTED)] : []),
  ]
  return { table: own.table(), gaveUp: planned.gaveUp, ...withNotices(findings) }
}

/** The devices that the plan leaves out, and those that an own edit would bring back. */
function leftOutBy({ devices, leftOut }: RotationPlan, journal: Journal): ReadonlySet<string> {
  const brought = journal.live.flatMap(({ edit }) =>
    edit.kind === 'add' ? [edit.key] : edit.kind === 'rekey' ? [edit.newKey] : [],
  )
  const keys = new Set([...leftOut.map(({ key }) => key), ...brought])
  for (const { key } of devices) keys.delete(key)
  return keys
}

/** The owner looked at the table, so they approve its devices. Questions about all other devices are over. */
function approveListed(own: OwnHead, keys: readonly string[]): void {
  const notes = approvedNotes(own.record, keys).filter(({ key }) => keys.includes(key))
  own.put({ notes })
}
