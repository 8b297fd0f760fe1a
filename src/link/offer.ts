/** Offers: invites for one app that two daemons give each other over a channel of another app (docs/links.md). */
import { InviteError } from '../channel/invite/errors.ts'
import { formatInvite, parseInvite } from '../channel/invite/invite-text.ts'
import { inviteWithoutK, type Invite } from '../channel/invite/invite.ts'
import { encodeUtf8, formatHex } from '../core/encoding/bytes.ts'
import type { Sha256 } from '../core/engine.ts'
import { ProposalError } from './errors.ts'

export interface Offer {
  /** The invite as a line. */
  readonly invite: string
  /** I of the invite (docs/channel.md, section 2), in upper-case hex. */
  readonly hash: string
  readonly expiresAtSec: number
}

/** An offer is for one app, made by one persona for another. */
export interface OfferOf {
  readonly app: string
  /** PersonaID of its maker. */
  readonly by: string
  /** PersonaID of whoever may use it. */
  readonly for: string
}

/** @throws {ProposalError} TEXT_INVITE, also for an invite that is for another app or between other personas */
export function readOffer(text: string, of: OfferOf, engine: Sha256): Offer {
  const invite = inviteIn(text)
  const by = invite.persona === undefined ? null : formatHex(invite.persona.personaId)
  const reader = invite.for === undefined ? null : formatHex(invite.for)
  if (invite.app !== of.app) throw refused(`it is for the app ${invite.app}`)
  if (by !== of.by) throw refused('another persona, or none, has made it')
  if (reader !== of.for) throw refused('it is not bound to the persona that gets it')
  const hash = formatHex(engine.sha256(encodeUtf8(inviteWithoutK(invite))))
  return { invite: text, hash, expiresAtSec: invite.expiresAtSec }
}

function inviteIn(text: string): Invite {
  try {
    const read = parseInvite(text)
    // A link, and white space, would be other spellings of the same invite.
    if (read.kind === 'invite' && formatInvite(read.invite) === text) return read.invite
  } catch (error) {
    if (!(error instanceof InviteError)) throw error
    throw refused(error.message, error)
  }
  throw refused('it is not a whole invite as a line')
}

function refused(because: string, cause?: Error): ProposalError {
  return new ProposalError('TEXT_INVITE', `the invite of the offer is refused: ${because}`, { cause })
}
