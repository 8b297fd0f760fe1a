/** Answers the methods of proposals (docs/ipc.md, section 3, app). */
import type { Handlers } from '../../../ipc/methods/method.ts'
import type { ProposalsMethods, ProposalView } from '../../../ipc/methods/links.ts'
import type { StoredProposal } from './kinds.ts'
import type { Proposals } from './proposals.ts'
import { ASKING } from './rounds.ts'

const PAGE = 100

export function proposalHandlers(proposals: Proposals): Handlers<ProposalsMethods> {
  return {
    'app.proposals': async ({ after = 0, limit = PAGE }) => {
      const all = (await proposals.all()).toSorted((a, b) => order(a) - order(b))
      const page = all.slice(after, after + limit)
      const next = after + page.length < all.length ? after + page.length : null
      return { proposals: page.map((stored) => viewOf(stored, proposals)), next }
    },
    'app.answer': async ({ app, persona, answer }) => {
      await proposals.answer(app, persona, answer === 'accept' ? 'accepted' : 'declined')
      return {}
    },
  }
}

function viewOf(stored: StoredProposal, proposals: Proposals): ProposalView {
  const { target: app, source: by, persona, name, shown: state, sinceSec } = stored
  return { app, by, persona, name, state, sameName: proposals.bearsOtherName(stored), sinceSec }
}

function order({ shown }: StoredProposal): number {
  return ASKING.includes(shown) ? 0 : 1
}
