/** The refusals of app links. */
import { Refusal } from '../../errors/refusal.ts'

export type LinksErrorCode =
  | 'APP_LINK_CALLER' // the caller has no name of its own, or speaks for another app
  | 'APP_LINK_ITSELF' // an app with itself
  | 'APP_LINK_NO_RIGHT' // an app of the link may not propose contacts
  | 'APP_LINK_OWNER' // an app names settings, which are the owner's
  | 'APP_LINK_UNKNOWN'
  | 'APP_LINK_NO_PERSONA' // a named contact has no persona
  | 'APP_LINKS_FULL' // too many links, or requests of one app

export class LinksError extends Refusal<LinksErrorCode> {
  override readonly name = 'LinksError'
}
