/** Conditions of the owner's persona that more than one answer mentions: one sentence each, for status, doctor and refusals alike. */
import { notice, type Finding } from '../../ipc/shapes/doctor.ts'

export interface Condition {
  /** The condition and its effect. */
  readonly message: string
  /** Tells the owner how to end the condition. It names no command: each client adds its own by the code. */
  readonly hint: string
}

export const RESTORE_UNRECONCILED: Condition = {
  message:
    'this daemon was restored from a backup or copied; it signs and publishes nothing until it has seen your current table on another device or from a contact',
  hint: 'show it a profile or a status message that has your current table; if no copy is left, say so',
}

export const KEY_SUPERSEDED: Condition = {
  message: 'another of your devices has rotated the key, so this device cannot sign',
  hint: 'get the new key by pairing, or from the recovery words',
}

export const PERSONA_SUCCEEDED: Condition = {
  message:
    'another of your devices made a new persona that follows this one, so this device signs nothing for the old one',
  hint: 'leave the old persona here, then pair with the device that has the new one; rotate the key if nobody of you made it',
}

export const OTHERS_MUST_JOIN: Condition = {
  message: 'your other devices still have the old persona, and sign nothing once they see the new table',
  hint: 'leave the old persona on each of them, then pair it with this device',
}

export const OWN_DEVICE_UNLISTED: Condition = {
  message: 'another of your devices removed this one from your table, so this device signs and publishes nothing',
  hint: 'leave the persona if you did that; add this device again if it was a mistake; rotate the key if it was a thief',
}

export const ROTATED_OUT_RETURNED: Condition = {
  message: 'a device that your last rotation left out is in your table again, so somebody there may have the new key',
  hint: 'approve the device if you added it again yourself; rotate the key again if you did not',
}

export const UNPROTECTED: Condition = {
  message: 'theft protection is off: a thief of any of your devices could take over the persona',
  hint: 'write down the recovery words and confirm them',
}

export const NOT_REVOKED: Condition = {
  message:
    'the removed device is not shut out: all your devices share one signing key, so whoever holds that device can still sign tables in your name',
  hint: 'rotate the key if the device is lost or stolen',
}

export const OTHERS_NEED_KEY: Condition = {
  message: 'your other devices cannot sign until they have the new key',
  hint: 'pair each of them with this one, or follow the rotation there with the recovery words',
}

export function noticeOf(code: string, { message, hint }: Condition): Finding {
  return notice(code, message, hint)
}

/** Findings as an answer carries them, with their messages alone for clients that only show text. */
export function withNotices(findings: Finding[]): { notices: string[]; findings: Finding[] } {
  return { notices: findings.map(({ message, hint }) => (hint === null ? message : `${message}; ${hint}`)), findings }
}
