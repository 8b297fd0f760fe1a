/** Contacts that one app of the owner proposes in another: they stand in `persona pending`, and the owner accepts or declines them. */
import type { Client } from '../../ipc/client.ts'
import { quoteWord } from '../../ipc/command-word.ts'
import type { ProposalAnswer, ProposalView } from '../../ipc/methods/links.ts'
import { withDaemon } from '../io/connect.ts'
import { print, type Context } from '../io/context.ts'
import { CliError, EXIT_DONE } from '../io/errors.ts'
import { escapeText, isEndOf, keyTail, showName } from '../io/escape.ts'
import { formatTime } from '../io/layout.ts'
import { PROPOSAL_STATES } from '../events/links.ts'

/** Those that wait for an answer. While the apps key is closed nobody can know them. */
export async function proposalsOf(client: Client): Promise<readonly ProposalView[]> {
  const { links } = await client.call('status')
  if (links.proposals === 0) return []
  return (await allProposals(client)).filter(({ state }) => state === 'proposed' || state === 'acceptedThere')
}

async function allProposals(client: Client): Promise<ProposalView[]> {
  const all: ProposalView[] = []
  for (let after: number | null = 0; after !== null;) {
    const page: { proposals: ProposalView[]; next: number | null } = await client.call('app.proposals', { after })
    all.push(...page.proposals)
    after = page.next
  }
  return all
}

export function formatProposal(proposal: ProposalView, nowSec: number): string[] {
  const { app, by, persona, name, state, sameName, sinceSec } = proposal
  const answer = `${quoteWord(name)} --kind proposal --app ${quoteWord(app)}`
  return [
    `${showName(name, persona)}, introduced by ${escapeText(by)}, is proposed in ${escapeText(app)}`,
    `  persona ${persona}, since ${formatTime(sinceSec, nowSec)}; not verified${state === 'acceptedThere' ? '; they have accepted you' : ''}`,
    ...(sameName ? ['  somebody else here has a name that looks the same: compare their PersonaIDs'] : []),
    `  to accept: persona accept ${answer}`,
    `  to decline: persona reject ${answer}`,
  ]
}

/** Answers the one proposal of this name or PersonaID. */
export async function answerProposal(
  context: Context,
  who: string,
  app: string | undefined,
  answer: ProposalAnswer,
): Promise<number> {
  const proposal = await withDaemon(context, async (client) => {
    const found = await findProposal(client, who, app)
    await client.call('app.answer', { app: found.app, persona: found.persona, answer })
    return found
  })
  print(context, { ...proposal, answer }, [
    `${showName(proposal.name, proposal.persona)}: ${outcomeOf(answer, proposal.state)}`,
  ])
  return EXIT_DONE
}

/** @param state before the answer */
function outcomeOf(answer: ProposalAnswer, state: ProposalView['state']): string {
  if (answer === 'decline') return 'declined: you are not asked about them in this app again'
  return state === 'acceptedThere'
    ? 'accepted: they have accepted you too, so the channel is being made; it is not verified'
    : 'accepted: the channel opens once they have accepted too, and is not verified'
}

/** The app in which the one person of this name or PersonaID is proposed and waits for an answer; null for none or several. */
export async function proposedIn(client: Client, who: string): Promise<string | null> {
  return await findProposal(client, who, undefined).then(
    ({ app }) => app,
    () => null,
  )
}

async function findProposal(client: Client, who: string, app: string | undefined): Promise<ProposalView> {
  const isMeant = ({ name, persona }: ProposalView): boolean =>
    name === who || persona === who.toUpperCase() || isEndOf(persona, who)
  const found = (await allProposals(client)).filter((each) => (app === undefined || each.app === app) && isMeant(each))
  const meant = new Map(found.map((each) => [`${each.persona} ${each.app}`, each]))
  const [one, ...more] = [...meant.values()]
  if (one === undefined)
    throw new CliError('PROPOSAL_UNKNOWN', `nobody proposes ${escapeText(who)}`, {
      hint: 'list those who are proposed',
    })
  if (more.length === 0) return one
  const listed = [one, ...more].map(
    ({ name, persona, app: target, state }) =>
      `${escapeText(name)} ${keyTail(persona)} in ${escapeText(target)} ${PROPOSAL_STATES[state]}`,
  )
  throw new CliError('AMBIGUOUS', `several are meant by ${escapeText(who)}: ${listed.join('; ')}`, {
    hint: 'give the end of a PersonaID, and --app',
  })
}
