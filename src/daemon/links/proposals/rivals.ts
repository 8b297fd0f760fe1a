/** Proposals of one person in one app over several source apps: one of them leads to a channel (docs/links.md, section 3). Pure. */
import { rankOf } from '../../../link/proposal.ts'
import type { PersonaChannel } from '../../wing/introductions.ts'
import type { StoredProposal } from './kinds.ts'
import { sourceKey, type Survey } from './survey.ts'

/**
 * - `first`: it leads, or has led.
 * - `second`: another one does.
 * - `over`: the channel of another one is open.
 */
export type Place = 'first' | 'second' | 'over'

type Stored = ReadonlyMap<string, StoredProposal>

/** The ids of all proposals with one person in one app. All are gone through once somebody asks. */
export function groupsOf(stored: Stored): (one: StoredProposal) => readonly string[] {
  const keyOf = ({ persona, target }: StoredProposal): string => `${persona}/${target}`
  let groups: ReadonlyMap<string, readonly [string, StoredProposal][]> | null = null
  return (one) => {
    groups ??= Map.groupBy(stored, ([, each]) => keyOf(each))
    return (groups.get(keyOf(one)) ?? []).map(([id]) => id)
  }
}

/** The other proposals with the same person in the same app. */
export function othersOf(id: string, stored: Stored, groupOf: ReturnType<typeof groupsOf>): StoredProposal[] {
  const own = stored.get(id)
  if (own === undefined) return []
  return groupOf(own).flatMap((other) => (other === id ? [] : (stored.get(other) ?? [])))
}

/**
 * Those that may lead to the same device of the person. Two keys for one source app are two devices, until both have led to one; of two source apps
 * nobody can tell.
 */
export function rivalsOf(own: StoredProposal, others: readonly StoredProposal[]): StoredProposal[] {
  return others.filter(({ source, device }) => own.isSame === true || source !== own.source || device === own.device)
}

/**
 * Whether the channel that a proposal has just opened is a second one with a device of the person. One side alone ends it, since the two may not have
 * opened both in the same order.
 */
export function isSecondChannel(
  channel: string,
  others: readonly StoredProposal[],
  channels: readonly PersonaChannel[],
  ownId: string,
): boolean {
  const one = channels.find(({ id }) => id === channel)
  if (one === undefined || ownId > one.persona) return false
  const made = new Set(others.flatMap(({ made, proposal }) => (proposal.own.opened === null ? [] : (made ?? []))))
  return channels.some(({ id, app, device }) => made.has(id) && app === one.app && device === one.device)
}

/** Both sides find the same one, since they know the same source apps. */
export function placeOf(
  own: StoredProposal,
  rivals: readonly StoredProposal[],
  { open }: Pick<Survey, 'open'>,
  nowSec: number,
): Place {
  if (own.proposal.own.opened !== null) return 'first'
  if (rivals.some(({ proposal }) => proposal.own.opened !== null)) return 'over'
  const rank = (one: StoredProposal): number =>
    Math.min(rankOf(one.proposal, nowSec), open.has(sourceKey(one)) ? Infinity : 1)
  const [ownRank, ownName] = [rank(own), nameOf(own)]
  const isFirst = rivals.every((each) => {
    const theirs = rank(each)
    return theirs < ownRank || (theirs === ownRank && ownName < nameOf(each))
  })
  return isFirst ? 'first' : 'second'
}

function nameOf({ source, over = '' }: StoredProposal): string {
  return `${source} ${over}`
}
