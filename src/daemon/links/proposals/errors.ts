/** The refusals of proposals. */
import { Refusal } from '../../../errors/refusal.ts'
import type { ProposalState } from '../../../link/proposal.ts'

/** Both people have accepted. */
const AGREED: readonly ProposalState[] = ['accepted', 'connected', 'confirmed', 'alarm']

export type ProposalsErrorCode = 'PROPOSAL_UNKNOWN' // nobody proposes the persona in the app, or the channel is being made already

export class ProposalsError extends Refusal<ProposalsErrorCode> {
  override readonly name = 'ProposalsError'
}

/** An answer about somebody about whom the owner is not asked. @param states of the proposals of this persona in the app */
export function answerRefused(app: string, persona: string, states: readonly ProposalState[]): ProposalsError {
  const isLate = states.some((state) => AGREED.includes(state))
  const message = isLate
    ? `both people have accepted, and the channel with ${persona} in ${app} is open or being made`
    : `nobody proposes ${persona} in ${app} now`
  const hint = isLate ? 'close the channel if you do not want it' : 'list the proposals'
  return new ProposalsError('PROPOSAL_UNKNOWN', message, hint, { app, persona })
}
