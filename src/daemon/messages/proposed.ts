/** Relays that an app proposes as its inboxes and stores. The owner decides, by naming them or not (docs/messages.md, section 8). */
import type { PlacesProposal } from '../../ipc/methods/messages.ts'
import { inChange, onDisk, type MessagesMeans } from './records/means.ts'
import { PROPOSAL, type StoredProposal } from './records/kinds.ts'

type Places = Partial<PlacesProposal>

/** An app proposes relays, or takes its proposal back. Those that the owner has rejected are not asked about again. @throws those of Cards.device() */
export async function propose(
  app: string,
  { inboxes = null, stores = null }: Places,
  means: MessagesMeans,
): Promise<void> {
  // The owner can name places only for an app that has a card.
  await means.cards.device(app)
  const before = onDisk(means, PROPOSAL).get(app)
  if (before?.isRejected === true && isSame(before, { inboxes, stores })) return
  await means.keeper.change(() => {
    const records = inChange(means, PROPOSAL)
    if (inboxes === null && stores === null) records.delete(app)
    else records.put(app, { inboxes, stores, isRejected: false })
  })
}

/** The owner does not want what an app proposes. */
export async function rejectProposal(app: string, means: MessagesMeans): Promise<void> {
  const before = onDisk(means, PROPOSAL).get(app)
  if (before === undefined) return
  await means.keeper.change(() => inChange(means, PROPOSAL).put(app, { ...before, isRejected: true }))
}

/** The relays that an app proposes and its card does not name; null if the owner has nothing to answer. */
export function proposedFor(app: string, means: MessagesMeans): PlacesProposal | null {
  const found = onDisk(means, PROPOSAL).get(app)
  if (found === undefined || found.isRejected) return null
  const card = means.cards.deviceNow(app)?.card
  const open = (places: 'inboxes' | 'stores'): string[] | null => {
    const wanted = found[places]
    return wanted === null || isEqual(wanted, card?.[places] ?? []) ? null : [...wanted]
  }
  const [inboxes, stores] = [open('inboxes'), open('stores')]
  return inboxes === null && stores === null ? null : { inboxes, stores }
}

/** The card of an app may have changed: a proposal that it names is answered, and a later change of the owner brings it not back. */
export async function dropAnswered(app: string, means: MessagesMeans): Promise<void> {
  const found = onDisk(means, PROPOSAL).get(app)
  if (found === undefined || found.isRejected || proposedFor(app, means) !== null) return
  await means.keeper.change(() => inChange(means, PROPOSAL).delete(app))
}

function isSame(a: StoredProposal, b: PlacesProposal): boolean {
  return isEqual(a.inboxes, b.inboxes) && isEqual(a.stores, b.stores)
}

function isEqual(a: readonly string[] | null, b: readonly string[] | null): boolean {
  return a === null || b === null ? a === b : a.length === b.length && a.every((url, i) => url === b[i])
}
