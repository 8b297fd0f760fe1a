/** Where the owner wants messages for an app, and its card and objects: as they said here, or on another device (docs/card.md, section 5). Pure. */
import type { CardEntry } from '../../card/card.ts'
import type { VerifiedCard } from '../../card/verify.ts'
import { equalBytes, formatHex } from '../../core/encoding/bytes.ts'
import type { OwnApp, SaidIn } from './kept/records.ts'

/** The lists of addresses in a card. */
export const PLACES = ['inboxes', 'stores'] as const
export type Places = (typeof PLACES)[number]

/** The addresses of a card. */
export type Addresses = Readonly<Record<Places, readonly string[]>>

/** Places of an app that are other ones than the owner named here. */
export interface Overruled {
  readonly app: string
  readonly places: Places
  /** Those in the card. */
  readonly urls: readonly string[]
}

/** The owner names places of an app here. The next card has them. */
export function say(known: OwnApp, places: Places, urls: readonly string[]): OwnApp {
  const { [places]: _, ...saidIn } = known.saidIn ?? {}
  return { ...known, [places]: urls, saidIn }
}

/**
 * Whether the next card must say what the owner said here, because no card did so before, or the one that did lost against a sibling's. Later
 * edits win: if a sibling names other places in a card after it, these stay.
 * @param own the entry of this device
 * @param head the card on which the next one follows; null for the first one, and at a rotation
 */
export function isUnsaid(known: OwnApp, places: Places, own: CardEntry, head: VerifiedCard | null): boolean {
  if ((known[places] ?? null) === null) return false
  const saidIn = known.saidIn?.[places]
  if (head === null || saidIn === undefined) return true
  if (saysIt(known, places, head)) return false
  // Another device rotated, and took no address along that it did not name itself.
  if (saidIn.epoch !== head.chain.epoch) return head[places].length === 0
  // A sibling who met no card of this device did not mean to change what these say.
  if (!head.devices.some(({ tag, sig }) => equalBytes(tag, own.tag) || equalBytes(sig, own.sig))) return true
  if (head.seq > saidIn.seq + 1) return false
  // A card that follows another one than that does not know of it.
  return head.seq <= saidIn.seq || head.prev === null || formatHex(head.prev) !== saidIn.hash
}

/** Whether a card is due because of what the owner said here. */
export function lacksSaid(known: OwnApp, own: CardEntry, head: VerifiedCard): boolean {
  return PLACES.some((places) => isUnsaid(known, places, own, head) && !saysIt(known, places, head))
}

/** The places that a sibling, or a thief, has changed since the owner named them here. */
export function overruled(known: OwnApp, own: CardEntry, head: VerifiedCard): Places[] {
  return PLACES.filter(
    (places) => (known[places] ?? null) !== null && !isUnsaid(known, places, own, head) && !saysIt(known, places, head),
  )
}

/** The places of the next card. @param base those without the owner's word */
export function placesOf(known: OwnApp | undefined, said: readonly Places[], base: Addresses): Addresses {
  const of = (places: Places): readonly string[] =>
    said.includes(places) ? (known?.[places] ?? base[places]) : base[places]
  return { inboxes: of('inboxes'), stores: of('stores') }
}

/** Notes in which card the owner's word stands from now on. */
export function saidBy(known: OwnApp, said: readonly Places[], { chain, seq, hash }: VerifiedCard): OwnApp {
  const here: SaidIn = { epoch: chain.epoch, seq, hash: formatHex(hash) }
  return { ...known, saidIn: { ...known.saidIn, ...Object.fromEntries(said.map((places) => [places, here])) } }
}

/** Whether two cards name the same places. */
export function samePlaces(a: Addresses, b: Addresses): boolean {
  return PLACES.every((places) => isSame(a[places], b[places]))
}

/** Whether the card has what the owner said here. */
function saysIt(known: OwnApp, places: Places, card: Addresses): boolean {
  return isSame(known[places] ?? [], card[places])
}

function isSame(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((url, i) => url === b[i])
}
