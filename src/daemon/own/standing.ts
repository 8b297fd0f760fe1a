/** How the owner's persona stands on this device, beyond its table: what `persona status` and `persona doctor` warn of (docs/ipc.md, section 4). Pure. */
import type { Device } from '../../core/table.ts'
import { isUnlisted, unapprovedDevices } from './notes.ts'
import type { OwnRecord, PersonaRecord } from '../state/records.ts'
import { quoteWord } from '../../ipc/command-word.ts'
import { notice, problem, type Finding } from '../../ipc/shapes/doctor.ts'

export const UNPROTECTED =
  'theft protection is off until the recovery words are written down and confirmed: "persona recovery show"'

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
  /** The state was put back, and nobody has said yet how far the persona came. */
  readonly isUnreconciled: boolean
  /** The last rotation made here was made elsewhere as well. */
  readonly hasRival: boolean
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
  isHeld: false,
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
    hasRival: own.rotation !== null && own.rotation.rival !== null,
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
        'the persona was recovered, and its key is not rotated yet, so nothing is signed or shown',
        'go on with: "persona rotate", and --keep NAME for each device that stays',
      ),
    )
  } else if (standing.isUnreconciled) {
    findings.push(
      problem(
        'RESTORE_UNRECONCILED',
        'this state was put back from a backup or copied, so nothing is signed or shown before a copy of your table was read from another device of yours or a friend',
        '"persona reconcile FILE"; when there is none: "persona reconcile --force"',
      ),
    )
  }
  if (standing.isUnlisted) {
    findings.push(
      problem(
        'OWN_DEVICE_UNLISTED',
        'another device took this one out of your table, so nothing is signed or shown here',
        'if you did that: "persona leave"; by mistake: "persona device add NAME --key KEY --again"; if a thief did: "persona device remove THE-STOLEN-ONE --lost"',
      ),
    )
  }
  if (standing.isSuperseded) {
    findings.push(
      problem(
        'KEY_SUPERSEDED',
        'another device has rotated the key, so nothing can be signed here',
        'get the new one by pairing, or from the recovery words: "persona rotate --follow"',
      ),
    )
  }
  if (standing.isDisputed) {
    findings.push(
      problem(
        'CHAIN_DISPUTED',
        'two key chains claim to be your persona: somebody else has its first key',
        'who meets you now must compare your safety number: "persona link"',
      ),
    )
  }
  if (standing.hasRival) {
    findings.push(
      problem(
        'ROTATE_AGAIN',
        'your key was rotated here and elsewhere, and neither knew of the other: a device that had the key then still has it',
        '"persona rotate"',
      ),
    )
  }
  if (standing.isHeld) {
    findings.push(
      problem(
        'OWN_TABLE_HELD',
        'a table of yours was seen whose number is more than 65 536 above the present one, and it is not taken: somebody else may have the key',
        '"persona rotate"',
      ),
    )
  }
  // A rotation asks about each device, too.
  return standing.isRecovering ? findings : [...findings, ...standing.unapproved.map(unapprovedFinding)]
}

function unapprovedFinding({ name }: Device): Finding {
  const word = quoteWord(name)
  return notice(
    'DEVICE_UNAPPROVED',
    `the device ${name} was added by another device of yours`,
    `if you did that: "persona device approve ${word}"; if not: "persona device remove ${word} --lost"`,
  )
}

/** The same for `status`, a sentence each. */
export function standingNotices(standing: OwnStanding): string[] {
  return standingFindings(standing).map(({ message, hint }) => `${message}; ${hint}`)
}

export const UNSIGNED_NOTICE_SEC: number = 10 * 86_400 // format: a locked daemon misses the re-sign of day 7, and friends see a stale table from day 14
