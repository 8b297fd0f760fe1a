/** How the owner's persona stands on this device, beyond its table: what `persona status` and `persona doctor` warn of (docs/ipc.md, section 3). Pure. */
import type { Device } from '../../core/table.ts'
import { isUnlisted, unapprovedDevices } from './notes.ts'
import type { OwnRecord } from '../state/own-record.ts'
import type { PersonaRecord } from '../state/persona-record.ts'
import { MAX_EPOCH } from '../../core/limits.ts'
import {
  KEY_SUPERSEDED,
  OWN_DEVICE_UNLISTED,
  PERSONA_SUCCEEDED,
  RESTORE_UNRECONCILED,
  ROTATED_OUT_RETURNED,
  type Condition,
} from './conditions.ts'
import { notice, problem, type Finding } from '../../ipc/shapes/doctor.ts'

export interface OwnStanding {
  /** Devices that came only through a sibling's table and were never approved here. */
  readonly unapproved: readonly Device[]
  /** The head was signed by a later key than the one held here. */
  readonly isSuperseded: boolean
  /** The head was put in place out of the recovery words, and the rotation that belongs to it was not made yet. */
  readonly isRecovering: boolean
  /** Somebody took the device of this daemon out of the table. */
  readonly isUnlisted: boolean
  /** A second chain of keys was seen: somebody else has K_0. */
  readonly isDisputed: boolean
  /** The state was put back, and it is not known yet how far the persona came. */
  readonly isUnreconciled: boolean
  /** The last rotation made here was made elsewhere as well. */
  readonly hasRival: boolean
  /** A device that the last rotation here left out is back in a table of the new key. */
  readonly hasReturned: boolean
  /** PersonaID of the successor that another device made with the recovery words; null without one. */
  readonly succeededBy: string | null
  /** The epoch of the head. */
  readonly epoch: number
  /** The recovery words were not confirmed yet. */
  readonly isUnconfirmed: boolean
  /** A table far above the head was seen, and is not taken. */
  readonly isHeld: boolean
}

export const NO_STANDING: OwnStanding = {
  unapproved: [],
  isSuperseded: false,
  isRecovering: false,
  isUnlisted: false,
  isDisputed: false,
  isUnreconciled: false,
  hasRival: false,
  hasReturned: false,
  succeededBy: null,
  epoch: 0,
  isUnconfirmed: false,
  isHeld: false,
}

/** Whether a rotation can shut out a thief of this device: only the owner has the words, and a later key is left. */
export function isProtected(
  own: Pick<OwnRecord, 'recoveryConfirmed'> | undefined,
  table: { readonly epoch: number } | undefined,
): boolean {
  return own?.recoveryConfirmed === true && (table?.epoch ?? 0) < MAX_EPOCH
}

/** @param heldEpochs of the keys that are held; null while they are locked */
export function standingOf(own: OwnRecord, persona: PersonaRecord, heldEpochs: readonly number[] | null): OwnStanding {
  return {
    unapproved: unapprovedDevices(own, persona.devices),
    isSuperseded: persona.epoch !== own.epoch,
    isRecovering: persona.epoch === own.epoch && heldEpochs !== null && !heldEpochs.includes(own.epoch),
    isUnlisted: isUnlisted(own, persona.devices),
    isDisputed: persona.evidence.some(({ kind }) => kind === 'violation'),
    isUnreconciled: own.restoredSec !== null,
    hasRival: own.rotation !== null && own.rotation.rival !== null && own.rotation.returned !== true,
    hasReturned: own.rotation?.returned === true,
    succeededBy: own.succeededBy ?? null,
    epoch: persona.epoch,
    isUnconfirmed: !own.recoveryConfirmed,
    isHeld: persona.held !== null,
  }
}

/** Each with what the owner is to do about it. */
export function standingFindings(standing: OwnStanding): Finding[] {
  const findings: Finding[] = []
  if (standing.isRecovering) {
    findings.push(
      problem(
        'RECOVER_UNFINISHED',
        'the persona is recovered, but its key is not rotated yet, so this device signs and publishes nothing',
        'rotate the key, and name each device that stays',
      ),
    )
  } else if (standing.isUnreconciled) {
    findings.push(problemOf('RESTORE_UNRECONCILED', RESTORE_UNRECONCILED))
  }
  if (standing.isUnlisted) {
    findings.push(problemOf('OWN_DEVICE_UNLISTED', OWN_DEVICE_UNLISTED))
  }
  if (standing.isSuperseded) {
    findings.push(problemOf('KEY_SUPERSEDED', KEY_SUPERSEDED))
  }
  if (standing.isDisputed) {
    findings.push(
      problem(
        'CHAIN_DISPUTED',
        'two key chains claim to be your persona: somebody else has its first key',
        'ask everybody who adds you from now on to compare your safety number',
      ),
    )
  }
  if (standing.hasRival) {
    findings.push(
      problem(
        'ROTATE_AGAIN',
        'the key was rotated here and on another device at the same time: a device that had that other key still has it',
        'rotate the key again',
      ),
    )
  }
  if (standing.hasReturned) {
    findings.push(problemOf('ROTATE_AGAIN', ROTATED_OUT_RETURNED))
  }
  if (standing.succeededBy !== null) {
    findings.push(problemOf('PERSONA_SUCCEEDED', PERSONA_SUCCEEDED))
  } else if (standing.epoch >= LAST_EPOCHS_FROM) {
    findings.push(lastEpochsFinding(standing.epoch))
  }
  if (standing.isHeld) {
    findings.push(
      problem(
        'OWN_TABLE_HELD',
        'a table of yours was seen whose number is more than 65 536 above the current one, and it was not accepted: somebody else may have the key',
        'rotate the key',
      ),
    )
  }
  // A rotation asks about each device, too.
  return standing.isRecovering ? findings : [...findings, ...standing.unapproved.map(unapprovedFinding)]
}

function lastEpochsFinding(epoch: number): Finding {
  const left = MAX_EPOCH - epoch
  if (left === 0) {
    const message =
      'your last key signs: no rotation can shut out a thief any more, and friends ask before they follow a successor'
    return problem('LAST_EPOCH', message, 'make a new persona that follows this one')
  }
  const message = `${left === 1 ? 'one rotation is' : `${left} rotations are`} left; with the last key no rotation shuts out a thief any more`
  const hint =
    'make a new persona that follows this one before you use the last key: your contacts then follow without being asked'
  return notice('EPOCHS_RUN_OUT', message, hint)
}

function unapprovedFinding({ name }: Device): Finding {
  return notice(
    'DEVICE_UNAPPROVED',
    `another of your devices added ${name}`,
    'approve it if you did that; rotate the key without it if you did not',
    { device: name },
  )
}

function problemOf(code: string, { message, hint }: Condition): Finding {
  return problem(code, message, hint)
}

const LAST_EPOCHS_FROM = 13 // sanity: three rotations are left for as many thefts while the owner makes a successor

export const UNSIGNED_NOTICE_SEC: number = 10 * 86_400 // format: a locked daemon misses the re-sign of day 7, and friends see a stale table from day 14
