/**
 * One proposal between two daemons as values in, values out (docs/links.md, section "Proposals"). A step changes the value; {@link needsOf} says which
 * invite and which handshake its caller must have then, and {@link tell} what the other side must hear. So a crash between two of them loses nothing.
 */
import type { Offer } from './offer.ts'
import type { ProposalText, Saying } from './text.ts'

/** The rest of its life in which an offer is made anew. */
export const RENEW_SEC: number = 3 * 86_400 // format: nobody meets an offer with less left, but for a daemon that was off for days

export type Answer = 'none' | 'accepted' | 'declined'

export interface OwnSide {
  /** The number of the newest own text; 0 before the first. */
  readonly n: number
  /** The meaning of that text, without the invite itself; '' before the first. */
  readonly told: string
  /** The owner provides this contact, and the other app takes proposals. */
  readonly isProvided: boolean
  /** The owner's answer. */
  readonly answer: Answer
  /** The own invite; null while there is none. A guest keeps the text, and has erased the invite itself. */
  readonly offer: Offer | null
  /** I of the invite of the other side that is used here. */
  readonly joining: string | null
  /** The other side has used the own invite. */
  readonly isClaimed: boolean
  /** I of the invite that they had then, as far as they have said so: with another one, they have given up the handshake. */
  readonly claimedWith: string | null
  /** The channel is open: see {@link openedHash}. */
  readonly opened: string | null
  /** Another source app leads to the channel with this person: see {@link rankOf}. */
  readonly isSecond: boolean
}

/** The newest text of the other side. */
export type PeerSide = Pick<ProposalText, 'n' | 'seen' | 'saying'>
export interface Proposal {
  readonly own: OwnSide
  readonly peer: PeerSide | null
}
export type ProposalState =
  | 'none'
  /** This side alone has an offer out. */
  | 'offered'
  /** The other side alone has. */
  | 'asked'
  /** Both have: the owner is asked. */
  | 'proposed'
  | 'acceptedThere'
  /** The owner has agreed, and the other one has not. */
  | 'acceptedHere'
  /** Both have agreed, and the channel is not open yet. */
  | 'accepted'
  | 'declined'
  | 'declinedThere'
  | 'withdrawn'
  /** The offer of the other side is over. */
  | 'expired'
  /** The channel is open, and the other side has not said how it sees it. */
  | 'connected'
  | 'confirmed'
  | 'alarm'

export const NO_PROPOSAL: Proposal = {
  own: {
    n: 0,
    told: '',
    isProvided: false,
    answer: 'none',
    offer: null,
    joining: null,
    isClaimed: false,
    claimedWith: null,
    opened: null,
    isSecond: false,
  },
  peer: null,
}

const NO_HANDSHAKE = { offer: null, joining: null, isClaimed: false, claimedWith: null } as const

/** The owner provides the contact, or does not any more: nothing stays of offers, and an open channel goes on. */
export function provided(proposal: Proposal, isProvided: boolean): Proposal {
  return settled(proposal.own.isProvided === isProvided ? proposal : withOwn(proposal, { isProvided }))
}

/** Another source app leads, or does not any more: one that is second offers, and accepts nothing. */
export function placed(proposal: Proposal, isSecond: boolean): Proposal {
  return proposal.own.isSecond === isSecond ? proposal : withOwn(proposal, { isSecond })
}

/** Of several source apps with one person, the one of the highest rank leads. Both sides see the same ranks once all texts have come. */
export function rankOf(proposal: Proposal, nowSec: number): number {
  const { own } = proposal
  if (own.joining !== null || own.isClaimed) return 3
  const untilSec = peerOffer(proposal)?.expiresAtSec ?? 0
  if (isWanted(proposal) && own.offer !== null && untilSec > nowSec) return 2
  return own.isProvided ? 1 : 0
}

/** The caller has made an invite because it was needed. One that was there before is erased. */
export function offered(proposal: Proposal, offer: Offer): Proposal {
  return withOwn(proposal, { ...NO_HANDSHAKE, offer })
}

/** The owner has answered. A second answer replaces the first, until the other side has used the own invite: it may have the channel already. */
export function answered(proposal: Proposal, answer: Answer): Proposal {
  if (proposal.own.isClaimed || proposal.own.opened !== null) return proposal
  return settled(withOwn(proposal, { answer }))
}

/** The caller uses the invite of the other side because that was needed, and has erased its own. */
export function joined(proposal: Proposal): Proposal {
  return withOwn(proposal, { joining: peerOffer(proposal)?.hash ?? null })
}

/** The other side has used the own invite: it is not renewed any more. */
export function claimed(proposal: Proposal): Proposal {
  return settled(withOwn(proposal, { isClaimed: true }))
}

/** The handshake came to nothing, and so did both invites. */
export function failed(proposal: Proposal): Proposal {
  return withOwn(proposal, NO_HANDSHAKE)
}

/** The channel is open. @param hash see {@link openedHash} */
export function opened(proposal: Proposal, hash: string): Proposal {
  return withOwn(proposal, { ...NO_HANDSHAKE, opened: hash })
}

/** The channel cannot go on: both sides offer anew, and the owner is asked again. */
export function lost(proposal: Proposal): Proposal {
  return withOwn(proposal, { opened: null, answer: 'none' })
}

/** Takes a text of the other side. One that is not newer changes nothing. */
export function took(proposal: Proposal, { n, seen, saying }: ProposalText): Proposal {
  if (n <= (proposal.peer?.n ?? 0)) return proposal
  return settled({ ...proposal, peer: { n, seen, saying } })
}

/** Somebody has spoken for this side up to a number, such as the other daemon of its owner: the next text gets a higher one, and says all again. */
export function spokenFor(proposal: Proposal, n: number): Proposal {
  const { own } = proposal
  // Both may have used one number.
  const isKnown = n < own.n || (n === own.n && own.told === '')
  return isKnown ? proposal : withOwn(proposal, { n, told: '' })
}

/** Whether the writer of a text has not got the newest one of this side. */
export function lacksOwn({ own }: Proposal, { seen }: ProposalText): boolean {
  return own.n > seen
}

export interface Needs {
  /** `new`: an invite is made, in place of the one before. `asleep`: nobody can use it. `open`: the other side can. */
  readonly invite: 'none' | 'new' | 'asleep' | 'open'
  /** The invite of the other side that must be used from now on. */
  readonly join: Offer | null
}

const NOTHING: Needs = { invite: 'none', join: null }

/** The invite that must be there now, and the handshake that must begin. One that runs goes on until `joining` is null. */
export function needsOf(proposal: Proposal, nowSec: number): Needs {
  const { own } = proposal
  if (own.isClaimed) return { invite: 'open', join: null }
  if (!isWanted(proposal) || own.joining !== null) return NOTHING
  const theirs = peerOffer(proposal)
  if (own.offer === null) return { invite: 'new', join: null }
  const isOpen = own.answer === 'accepted' && !own.isSecond && theirs !== null && theirs.expiresAtSec > nowSec
  const isHost = isOpen && own.offer.hash < theirs.hash
  const hasBoth = isOpen && isPaired(proposal)
  // A guest may be on its way to it.
  const leastSec = isHost && hasBoth ? 0 : RENEW_SEC
  if (own.offer.expiresAtSec - nowSec <= leastSec) return { invite: 'new', join: null }
  if (isHost) return { invite: 'open', join: null }
  return hasBoth ? { invite: 'none', join: theirs } : { invite: 'asleep', join: null }
}

/** When {@link needsOf} or {@link stateOf} say something else without a step; null for never. */
export function dueSec({ own, peer }: Proposal, nowSec: number): number | null {
  const theirs = peer === null ? null : offerIn(peer.saying)
  const times = [own.offer?.expiresAtSec, theirs?.expiresAtSec].flatMap((at) =>
    at === undefined ? [] : [at - RENEW_SEC, at],
  )
  const due = times.filter((at) => at > nowSec)
  return due.length === 0 ? null : Math.min(...due)
}

/**
 * The next text to the other side, with the proposal that has told it; null if the newest one says all. Its number is never lower than the time, so
 * that a state that was put back does not speak in numbers that were used.
 */
export function tell(proposal: Proposal, app: string, nowSec: number): readonly [Proposal, ProposalText] | null {
  const { own } = proposal
  // An invite is being made.
  if (isWanted(proposal) && own.offer === null) return null
  const stance = stanceOf(sayingOf(proposal))
  const isFirst = own.told === '' && stance === 'withdraw'
  if (stance === own.told || isFirst) return null
  const next = withOwn(proposal, { n: Math.max(own.n + 1, nowSec), told: stance })
  return [next, textOf(next, app)]
}

/** The newest text once more. */
export function textOf(proposal: Proposal, app: string): ProposalText {
  return { app, n: proposal.own.n, seen: proposal.peer?.n ?? 0, saying: sayingOf(proposal) }
}

export function stateOf(proposal: Proposal, nowSec: number): ProposalState {
  const { own, peer } = proposal
  if (own.opened !== null) {
    if (peer?.saying.says !== 'open') return 'connected'
    return peer.saying.opened === own.opened ? 'confirmed' : 'alarm'
  }
  if (own.isSecond) return 'none'
  const theirs = peerOffer(proposal)
  if (own.answer === 'declined') return 'declined'
  if (!own.isProvided) {
    if (theirs !== null) return 'asked'
    return own.n === 0 ? 'none' : 'withdrawn'
  }
  if (peer?.saying.says === 'decline') return 'declinedThere'
  if (own.joining !== null || own.isClaimed) return 'accepted'
  if (own.offer === null) return theirs === null ? 'none' : 'asked'
  if (theirs === null) return 'offered'
  if (theirs.expiresAtSec <= nowSec) return 'expired'
  const isThere = peer?.saying.says === 'accept'
  if (own.answer === 'accepted') return isThere ? 'accepted' : 'acceptedHere'
  return isThere ? 'acceptedThere' : 'proposed'
}

/** Whether this side still works on a channel. */
function isWanted({ own, peer }: Proposal): boolean {
  return own.isProvided && own.answer !== 'declined' && own.opened === null && peer?.saying.says !== 'decline'
}

/** Both have agreed, and each has the invite of the other that counts. */
function isPaired({ own, peer }: Proposal): boolean {
  return peer?.saying.says === 'accept' && peer.saying.pair === own.offer?.hash
}

/** Drops what does not fit what both sides say now. */
function settled(proposal: Proposal): Proposal {
  const { own, peer } = proposal
  if (own.opened !== null) return proposal
  const isOpenThere = peer?.saying.says === 'open'
  // An answer of the own owner is too late now for a guest who may have the channel.
  const goesOn = own.isClaimed ? peer?.saying.says !== 'decline' : isWanted(proposal)
  if (!goesOn) return own.offer === null ? proposal : failed(proposal)
  const meant = peer?.saying.says === 'accept' ? peer.saying.offer.hash : null
  if (own.joining !== null && !isOpenThere && meant !== own.joining) return failed(proposal)
  if (!own.isClaimed || isOpenThere) return proposal
  // The guest may have been faster than its text.
  if (own.claimedWith === null)
    return isPaired(proposal) ? withOwn(proposal, { claimedWith: peerOffer(proposal)?.hash ?? null }) : proposal
  return peerOffer(proposal)?.hash === own.claimedWith ? proposal : failed(proposal)
}

function peerOffer({ peer }: Proposal): Offer | null {
  return peer === null ? null : offerIn(peer.saying)
}

function offerIn(saying: Saying): Offer | null {
  return saying.says === 'offer' || saying.says === 'accept' ? saying.offer : null
}

function sayingOf(proposal: Proposal): Saying {
  const { own } = proposal
  if (own.opened !== null) return { says: 'open', opened: own.opened }
  if (own.isProvided && own.answer === 'declined') return { says: 'decline' }
  if (!own.isProvided || own.offer === null) return { says: 'withdraw' }
  const theirs = peerOffer(proposal)
  if (own.answer !== 'accepted' || own.isSecond || theirs === null) return { says: 'offer', offer: own.offer }
  return { says: 'accept', offer: own.offer, pair: theirs.hash }
}

function stanceOf(saying: Saying): string {
  switch (saying.says) {
    case 'offer':
      return `offer ${saying.offer.hash}`
    case 'accept':
      return `accept ${saying.offer.hash} ${saying.pair}`
    case 'open':
      return `open ${saying.opened}`
    case 'decline':
    case 'withdraw':
      return saying.says
  }
}

function withOwn(proposal: Proposal, more: Partial<OwnSide>): Proposal {
  return { ...proposal, own: { ...proposal.own, ...more } }
}
