/** The records of proposals. All but a decline stay on this device, since channels do. */
import * as z from '../../../schema/zod.ts'
import { formatBase64url, parseBase64url } from '../../../core/encoding/bytes.ts'
import type { Proposal, ProposalState } from '../../../link/proposal.ts'
import type { Passed, Said } from '../../../link/passed.ts'
import type { WordAbout } from '../../../link/word.ts'
import { jsonCodec } from '../../sealed/json-codec.ts'
import { BYTES, sealedKind, type SealedKind } from '../../sealed/sealed-kind.ts'
import { kind, type Arrival, type Kind } from '../../state/kind.ts'

/** One proposal, with one device of a contact. */
export interface StoredProposal {
  readonly source: string
  readonly target: string
  /** PersonaID of the contact. */
  readonly persona: string
  /** The key of their device for the source app. */
  readonly device: string
  /** The key of the other device of the owner where the source app is; absent for one of this device. */
  readonly over?: string
  /** The source channel, as it is now. */
  readonly channel: string
  /** The name of the contact here. */
  readonly name: string
  readonly proposal: Proposal
  /** The own invite. */
  readonly invite: string | null
  /** The channel of the target app, from the first message of its handshake on. */
  readonly made: string | null
  /** It has led to a device of the contact to which another proposal had led before. */
  readonly isSame?: boolean
  /** The state of which the owner has heard last. */
  readonly shown: ProposalState
  readonly sinceSec: number
}

/** A contact of an app on another device of the owner, as that device tells. */
export interface StoredAnnounced extends WordAbout {
  /** The id of the link. */
  readonly link: string
  readonly name: string
  readonly isProvided: boolean
  /** The number of the newest text that has gone over the source channel. */
  readonly n: number
}

/** A contact of an app of this device, for an app on another device of the owner. */
export interface StoredPassed extends WordAbout {
  readonly source: string
  readonly target: string
  /** The source channel, as it is now. */
  readonly channel: string
  /** The name of the contact here. */
  readonly name: string
  /** The link by which the other device is reached. */
  readonly link: string
  readonly told: Passed['told']
  readonly said: Passed['said']
  /** The text is base64url. */
  readonly next: (Said & { readonly text: string }) | null
}

export function passedOf({ told, said, next }: StoredPassed): Passed {
  return { told, said, next: next === null ? null : { ...next, text: parseBase64url(next.text)! } }
}

export function storedPassed(of: Omit<StoredPassed, keyof Passed>, { told, said, next }: Passed): StoredPassed {
  return { ...of, told, said, next: next === null ? null : { ...next, text: formatBase64url(next.text) } }
}

/** By a hash of link, persona, device and source channel. */
export const ANNOUNCED: SealedKind<StoredAnnounced> = sealedKind('proposalannounced', jsonCodec())
/** By a hash of apps, persona and device. */
export const PASSED: SealedKind<StoredPassed> = sealedKind('proposalpassed', jsonCodec())
/** By a hash of apps, persona and device. */
export const PROPOSAL: SealedKind<StoredProposal> = sealedKind('proposal', jsonCodec())
/** The newest text of the other side that was not taken yet, by source channel and target app. */
export const TEXT: SealedKind<Uint8Array> = sealedKind('proposaltext', BYTES)
/** When an app took contacts by itself, in seconds since 1970, by the app. */
export const BY_ITSELF: SealedKind<readonly number[]> = sealedKind('proposalself', jsonCodec())

export const PROPOSAL_KINDS: readonly SealedKind<unknown>[] = [PROPOSAL, TEXT, BY_ITSELF, ANNOUNCED, PASSED]

/** A decline, by PersonaID and target app. It outlasts links and channels. */
export interface DeclineRecord {
  readonly atSec: number
}

const decline: z.ZodType<DeclineRecord> = z.strictObject({ atSec: z.int().min(0) })

/** A decline of either state counts. */
const arrival: Arrival<DeclineRecord> = {
  read: (id, value) => (/^[0-9A-F]{64}\/.{1,100}$/.test(id) ? (decline.safeParse(value).data ?? null) : null),
  merge: (arrived, here) => here ?? arrived,
}

export const DECLINE: Kind<DeclineRecord> = kind('proposaldecline', { travels: 'backup', arrival, isCached: true })
