/** The refusals of proposals. */
import { Refusal } from '../../../errors/refusal.ts'

export type ProposalsErrorCode = 'PROPOSAL_UNKNOWN' // nobody proposes the persona in the app, or the channel is being made already

export class ProposalsError extends Refusal<ProposalsErrorCode> {
  override readonly name = 'ProposalsError'
}
