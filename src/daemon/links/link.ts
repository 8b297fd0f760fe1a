/** One link, as a value (docs/links.md). */
import type { Receive } from '../../ipc/methods/links.ts'
import type { LinkTarget } from './proposals/means.ts'
import type { StoredLink, StoredSettings, StoredSide } from './kinds.ts'

export const WAIT_SEC: number = 7 * 86_400 // format: an invite lives no longer; and an owner who has not answered within a week does not want the link

/** A link as others see it here. */
export interface Link extends StoredLink {
  readonly id: string
}

/** The app of the other device, as that device tells. */
export interface Heard {
  readonly app: string
  readonly how: Receive['how']
  readonly count: number
}

export function withSettings(link: Link, app: string, settings: Partial<StoredSettings>): Link {
  const changed = (side: StoredSide): StoredSide => (side.app === app ? { ...side, ...settings } : side)
  const [a, b] = link.sides
  return { ...link, sides: [changed(a), changed(b)] }
}

/** Whether nobody has answered in time: the owner, or another device. */
export function isForgotten({ sinceSec, askedBy, elsewhere }: StoredLink, nowSec: number): boolean {
  const isWaiting = askedBy !== null || elsewhere?.heard === 0
  return isWaiting && nowSec - sinceSec > WAIT_SEC
}

/** The side of an app of this device, null if it has none in the link, and that of the other app. */
export function sidesOf(link: StoredLink, app: string): readonly [StoredSide | null, StoredSide] {
  const [a, b] = link.sides
  if (a.app === app) return [a, b]
  return [b.app === app && link.elsewhere === undefined ? b : null, a]
}

/** The apps of a link that are on this device. */
export function appsHere({ sides: [a, b], elsewhere }: StoredLink): string[] {
  return elsewhere === undefined ? [a.app, b.app] : [a.app]
}

/** Each app of this device in a link, with the other one. An app of another device that has told nothing is none yet. */
export function pairsOf(link: StoredLink): readonly { readonly app: string; readonly other: string }[] {
  if (link.elsewhere?.heard === 0) return []
  return appsHere(link).map((app) => ({ app, other: sidesOf(link, app)[1].app }))
}

/** The other app of a link. @param app of this device */
export function targetOf(app: string): (link: Link) => LinkTarget {
  return (link) => ({ linkId: link.id, app: sidesOf(link, app)[1].app })
}
