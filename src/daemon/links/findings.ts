/** App links in `status` and `doctor`: how many there are, and what waits for the owner. */
import type { LinksStatus } from '../../ipc/methods/links.ts'
import { notice, ok, type Finding } from '../../ipc/shapes/doctor.ts'
import type { Link } from './link.ts'
import type { Links } from './links.ts'

/** @param proposals those that wait for an answer */
export function linksStatus(links: Links, proposals: number): LinksStatus {
  const states = links.all.map((link) => links.stateOf(link))
  const count = (state: (typeof states)[number]): number => states.filter((each) => each === state).length
  const [linked, invited] = [count('linked'), count('invited')]
  return { linked, invited, asked: count('asked'), paused: count('paused'), proposals }
}

/** Links that need the owner. */
export function linkNeeds(links: Links, proposals: number): Finding[] {
  const needs = links.all.flatMap((link) => {
    const state = links.stateOf(link)
    return state === 'linked' || state === 'invited' ? [] : [findingOf(link, state)]
  })
  if (proposals === 0) return needs
  const are = proposals === 1 ? '1 contact is proposed' : `${proposals} contacts are proposed`
  const message = `${are} in an app of yours by another one`
  return [
    ...needs,
    notice('PROPOSALS', message, 'look at them, and accept or decline', { contacts: String(proposals) }),
  ]
}

/** For `doctor`. */
export function linkFindings(links: Links, proposals: number): Finding[] {
  const needs = linkNeeds(links, proposals)
  const { linked } = linksStatus(links, proposals)
  if (needs.length > 0 || linked === 0) return needs
  return [ok('APP_LINKS', linked === 1 ? '1 link joins two apps' : `${linked} links join apps`)]
}

function findingOf({ sides: [a, b], askedBy, elsewhere }: Link, state: 'asked' | 'paused'): Finding {
  const about = { app: a.app, other: b.app }
  if (state === 'asked') {
    const message = `${askedBy} asks to be linked with ${b.app}, so that contacts of the one are proposed in the other`
    return notice('APP_LINK_ASKED', message, 'link them, or refuse it', about)
  }
  if (elsewhere !== undefined) {
    const message = `the link between ${a.app} and ${b.app} on another device stands still: its line does, or ${a.app} may not propose contacts now`
    return notice('APP_LINK_PAUSED', message, 'look at both devices; or end the link, and make a new one', about)
  }
  const message = `the link between ${a.app} and ${b.app} stands still: one of them may not propose contacts now`
  return notice('APP_LINK_PAUSED', message, 'allow it again, or end the link', about)
}
