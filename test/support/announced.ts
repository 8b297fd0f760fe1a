/** Announcements of made personas, for tests and vectors. */
import { signForwards, signItems, type AnnounceDraft, type SignedItems } from '../../src/core/announce/items.ts'
import type { ChainPlace } from '../../src/core/announce/judge.ts'
import { readingKey } from '../../src/core/announce/place.ts'
import { formatRead } from '../../src/core/announce/settings.ts'
import { signedValueMessage, type SignedValue } from '../../src/core/announce/signed-value.ts'
import type { VerifiedBlob } from '../../src/core/verify.ts'
import { portableEngine } from '../../src/crypto/portable.ts'
import { makePersona, makeVerified, type BlobWishes, type MadePersona } from './made-persona.ts'

export const READ: Uint8Array = new Uint8Array(16).map((_, i) => 0xa0 + i)

/** A table that announces, with `read` in its document. */
export function announcedBlob(
  persona: MadePersona,
  wishes: BlobWishes & { readonly more?: string } = {},
): VerifiedBlob {
  const { more = '', ...rest } = wishes
  return makeVerified(persona, {
    devices: [0, 1],
    document: `names: [laptop,phone]\nread: ${formatRead(READ)}${more}`,
    ...rest,
  })
}

export type ItemWishes = Partial<Omit<AnnounceDraft, 'blob'>>

const draftOf = (blob: VerifiedBlob, wishes: ItemWishes): AnnounceDraft => ({
  blob,
  read: READ,
  kind: 'contacts',
  removedKeys: [],
  ...wishes,
})

/** The items of a table of this persona, signed by the key of its epoch. */
export function itemsOf(persona: MadePersona, blob: VerifiedBlob, wishes: ItemWishes = {}): SignedItems {
  return signItems(draftOf(blob, wishes), portableEngine, (message) => persona.sign(blob.epoch, message))
}

/** The items that lead from an earlier epoch to this blob. */
export function forwardsTo(
  persona: MadePersona,
  blob: VerifiedBlob,
  fromEpoch: number,
  wishes: ItemWishes = {},
): SignedItems {
  const oldKey = persona.positions[fromEpoch]!.signingKey
  return signForwards(draftOf(blob, wishes), oldKey, portableEngine, (message) => persona.sign(fromEpoch, message))
}

/** Where a contact who knows this epoch of the persona looks. */
export function placeOf(persona: MadePersona, epoch: number = 0, read: Uint8Array | null = READ): ChainPlace {
  const { personaId, signingKey } = persona.positions[epoch]!
  const root = persona.positions[0]!.next
  return { personaId, root, epoch, signingKey, readingKey: readingKey(root, read, portableEngine) }
}

/** A reader who knows the PersonaID alone. */
export function strangerAt(persona: MadePersona, epoch: number = 0): ChainPlace {
  return { ...placeOf(persona, epoch), root: null, readingKey: null }
}

/** The same value with other parts, signed again by the key of an epoch. */
export function resigned(
  persona: MadePersona,
  epoch: number,
  signed: SignedValue,
  changed: Partial<SignedValue>,
): SignedValue {
  const parts = { ...signed, ...changed }
  return { ...parts, signature: persona.sign(epoch, signedValueMessage(parts)) }
}

export const ada: MadePersona = makePersona(1)
