/** Error codes of invites (docs/channel.md, section 11). Each has one cause. */
import { PersonadError } from '../../errors/personad-error.ts'

export type InviteErrorCode =
  | 'INVITE_UNKNOWN' // begins like no form of an invite
  | 'INVITE_DAMAGED' // not base64url, not UTF-8, or not canonical JSON
  | 'INVITE_TOO_LONG'
  | 'INVITE_VERSION'
  | 'INVITE_MEMBER' // a member is missing, unknown or of another form
  | 'INVITE_KEY' // pub or k has a wrong length
  | 'INVITE_WHERE' // no intake, too many, or one of another form

export class InviteError extends PersonadError<InviteErrorCode> {
  override readonly name = 'InviteError'
}
