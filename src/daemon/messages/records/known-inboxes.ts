/**
 * The inboxes that are read for an app: those of the own card, and each earlier one until the last card that named it has expired, also of a persona
 * that has a successor.
 */
import type { VerifiedCard } from '../../../card/verify.ts'
import { formatHex } from '../../../core/encoding/bytes.ts'
import { inChange, onDisk, type MessagesMeans } from './means.ts'
import { INBOXES, TOLD, type KnownInboxes } from './kinds.ts'

const MAX_INBOXES = 16 // sanity: four of the card, and those of three moves within a month

/** The inboxes that are to be read now. */
export function knownInboxes(app: string, means: MessagesMeans): KnownInboxes['inboxes'] {
  return known(onDisk(means, INBOXES).get(app), means)
}

/** Their addresses. */
export function inboxUrls(app: string, means: MessagesMeans): string[] {
  return [...new Set(knownInboxes(app, means).map(({ url }) => url))]
}

/** Notes the inboxes that the own card names. @returns whether others are to be read now */
export async function noteInboxes(app: string, card: VerifiedCard, means: MessagesMeans): Promise<boolean> {
  const before = onDisk(means, INBOXES).get(app)
  const after = merged(before, card, means)
  if (JSON.stringify(after) === JSON.stringify(before ?? { inboxes: [] })) return false
  await means.keeper.change(() => inChange(means, INBOXES).put(app, after))
  const names = ({ inboxes }: KnownInboxes): string => inboxes.map(({ url, persona }) => `${persona} ${url}`).join()
  return before === undefined || names(before) !== names(after)
}

/** The owner has left the persona: nothing of it is read any more, and a later persona does not show itself at these relays. */
export async function forgetInboxes(means: MessagesMeans): Promise<void> {
  const apps = await Array.fromAsync(onDisk(means, INBOXES).ids())
  const told = await Array.fromAsync(onDisk(means, TOLD).ids())
  if (apps.length + told.length === 0) return
  await means.keeper.change(() => {
    for (const app of apps) inChange(means, INBOXES).delete(app)
    for (const id of told) inChange(means, TOLD).delete(id)
  })
}

function merged(
  before: KnownInboxes | undefined,
  { inboxes, expiresAtSec, chain }: VerifiedCard,
  means: MessagesMeans,
): KnownInboxes {
  const own = formatHex(chain.personaId)
  const named = inboxes.map((url) => ({ url, untilSec: expiresAtSec, persona: own }))
  const earlier = known(before, means).filter(({ url, persona = own }) => persona !== own || !inboxes.includes(url))
  return { inboxes: [...named, ...earlier].slice(0, MAX_INBOXES) }
}

function known(record: KnownInboxes | undefined, { keeper }: MessagesMeans): KnownInboxes['inboxes'] {
  return (record?.inboxes ?? []).filter(({ untilSec }) => untilSec > keeper.nowSec)
}
