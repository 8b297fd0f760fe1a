/** How the owner's persona stands on this device, beyond its table: what `persona status` warns of (docs/ipc.md, section 4). Pure. */
import type { Device } from '../core/table.ts'
import { isUnlisted, unapprovedDevices } from './device-notes.ts'
import type { OwnRecord, PersonaRecord } from './records.ts'

export interface OwnStanding {
  /** Devices that came only through a sibling's table and were never approved here. */
  readonly unapproved: readonly Device[]
  /** The head was signed by a later key than the one held here. */
  readonly isSuperseded: boolean
  /** Somebody took the device of this daemon out of the table. */
  readonly isUnlisted: boolean
  /** A second chain of keys was seen: somebody else has K_0. */
  readonly isDisputed: boolean
  /** The state was put back, and nobody has said yet how far the persona came. */
  readonly isUnreconciled: boolean
}

export const NO_STANDING: OwnStanding = {
  unapproved: [],
  isSuperseded: false,
  isUnlisted: false,
  isDisputed: false,
  isUnreconciled: false,
}

export function standingOf(own: OwnRecord, persona: PersonaRecord): OwnStanding {
  return {
    unapproved: unapprovedDevices(own, persona.devices),
    isSuperseded: persona.epoch !== own.epoch,
    isUnlisted: isUnlisted(own, persona.devices),
    isDisputed: persona.evidence.some(({ kind }) => kind === 'violation'),
    isUnreconciled: own.restoredSec !== null,
  }
}

/** What the owner is to do about it, a sentence each. */
export function standingNotices(standing: OwnStanding): string[] {
  const { unapproved, isSuperseded, isUnlisted: isOut, isDisputed, isUnreconciled } = standing
  const notices: string[] = []
  if (isUnreconciled) {
    notices.push(
      'this state was put back from a backup or copied, so nothing is signed or shown before a copy of your table was read from another ' +
        'device of yours or a friend: "persona reconcile FILE"; when there is none: "persona reconcile --force"',
    )
  }
  if (isOut) {
    notices.push(
      'another device took this one out of your table, so nothing is signed or shown here; if you did that: "persona leave"; by mistake: ' +
        '"persona device add NAME --key KEY --again"; if a thief did: "persona device remove THE-STOLEN-ONE --lost"',
    )
  }
  if (isSuperseded) {
    notices.push(
      'another device has rotated the key, so nothing can be signed here; get the new one by pairing, or from the recovery words: "persona rotate --follow"',
    )
  }
  if (isDisputed) {
    notices.push(
      'two key chains claim to be your persona: somebody else has its first key; who meets you now must compare your safety number',
    )
  }
  for (const { name } of unapproved) {
    notices.push(
      `the device ${name} was added by another device of yours; if you did that: "persona device approve ${name}"; if not: "persona device remove ${name} --lost"`,
    )
  }
  return notices
}
