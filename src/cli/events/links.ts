/** Events of app links, in one line each. */
import type { DaemonEvent } from '../../ipc/methods/events.ts'
import type { ProposalStateName } from '../../ipc/methods/links.ts'
import { escapeText, showName } from '../io/escape.ts'

type LinkEvent = Extract<DaemonEvent, { readonly event: 'app.linked' | 'app.unlinked' | 'app.proposal' }>

/** The news of a proposed contact, after their name. */
export const PROPOSAL_STATES: Readonly<Record<ProposalStateName, string>> = {
  none: 'is not proposed',
  offered: 'is offered, and has not offered themselves',
  asked: 'offers themselves, and you do not provide them',
  proposed: 'is proposed: accept or decline',
  acceptedThere: 'is proposed, and has accepted you: accept or decline',
  acceptedHere: 'is accepted; they have not answered yet',
  accepted: 'is accepted on both sides; the channel is being made',
  declined: 'is declined',
  declinedThere: 'has declined',
  withdrawn: 'is not provided any more',
  expired: 'has an offer that is over',
  connected: 'has a channel with you',
  confirmed: 'has a channel with you, confirmed by both apps',
  alarm: 'has a channel with somebody in between: close it, and ask them in another way',
}

export function describeLinkEvent({ event, data }: LinkEvent): string {
  if (event === 'app.proposal')
    return `in ${escapeText(data.app)}, ${showName(data.name, data.persona)}, introduced by ${escapeText(data.by)}, ${PROPOSAL_STATES[data.state]}`
  const [app, other] = [escapeText(data.app), escapeText(data.other)]
  if (event === 'app.unlinked') return `app ${app} is not linked with ${other} any more`
  return data.state === 'asked'
    ? `app ${app} asks to be linked with ${other} (persona app link ${app} ${other})`
    : `app ${app} is linked with ${other}`
}
