/** Why a text about a proposal is refused (docs/links.md, section "Texts"). Each code has one cause. */
import { PersonadError } from '../errors/personad-error.ts'

export type ProposalErrorCode =
  | 'TEXT_TOO_LONG' // over MAX_TEXT_BYTES
  | 'TEXT_DAMAGED' // not UTF-8, or not an object in canonical JSON
  | 'TEXT_VERSION' // of a later version
  | 'TEXT_MEMBER' // a member is missing, unknown, or of another form
  | 'TEXT_INVITE' // the invite cannot be read, or is not for this app and these two personas

export class ProposalError extends PersonadError<ProposalErrorCode> {
  override readonly name = 'ProposalError'
}
