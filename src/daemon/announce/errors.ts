/** The refusals of announcements. */
import { Refusal } from '../../errors/refusal.ts'

export type AnnounceErrorCode =
  | 'NET_NOT_CONFIGURED' // the configuration names no bootstrap node, names a proxy, or turns lookups off
  | 'NOT_ANNOUNCED' // announcements are off
  | 'NOTHING_TO_LOOK_UP' // nobody knows yet where the contact announces

export class AnnounceError extends Refusal<AnnounceErrorCode> {
  override readonly name = 'AnnounceError'
}
