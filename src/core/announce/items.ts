/** The signed items of a table: what its writer puts on the DHT (docs/announce.md, sections 3 and 6). */
import type { BoxEngine } from '../engine.ts'
import type { VerifiedBlob } from '../verify.ts'
import { formatPublic, sealForContacts, sealForDevices, type Announcement } from './item.ts'
import { FORWARD_SEQ, itemSeq, OPEN_SALT, readingKey, secretSalt } from './place.ts'
import type { AnnounceKind } from './settings.ts'
import { bencodeValue, signedValueMessage, type SignedValue } from './signed-value.ts'

/** A table to announce, and its settings. */
export interface AnnounceDraft {
  readonly blob: VerifiedBlob
  /** Value of the document key `read`; for a forward the one last known of the old epoch. Null without one. */
  readonly read: Uint8Array | null
  readonly kind: AnnounceKind
  /** Keys of devices that were removed lately, the last first; only for the kind `devices`. */
  readonly removedKeys: readonly Uint8Array[]
}

/** Signs with the secret key of the item, 64 bytes of signature. */
export type SignItem = (message: Uint8Array) => Uint8Array

export interface SignedItems {
  /** One item, or two for the kinds `devices` and `public`. Empty for a table that is not announced: its seq is too high. */
  readonly items: readonly SignedValue[]
  /** Devices of the table that had no room for a slot, the last ones. */
  readonly devicesLeftOut: number
}

/** Signs the items of a table with K_e, the key that signed the blob. */
export function signItems(draft: AnnounceDraft, engine: BoxEngine, sign: SignItem): SignedItems {
  const seq = itemSeq(draft.blob)
  if (seq === null) return { items: [], devicesLeftOut: 0 }
  return signAs(draft, { signingKey: draft.blob.signingKey, isForward: false, seq }, engine, sign)
}

/**
 * Signs the items that lead from an earlier key to a blob of a later epoch. They can never be replaced.
 * @param oldKey K of the earlier epoch, 32 bytes; `sign` signs with it
 */
export function signForwards(draft: AnnounceDraft, oldKey: Uint8Array, engine: BoxEngine, sign: SignItem): SignedItems {
  return signAs(draft, { signingKey: oldKey, isForward: true, seq: FORWARD_SEQ }, engine, sign)
}

interface Signing {
  readonly signingKey: Uint8Array
  readonly isForward: boolean
  readonly seq: bigint
}

function signAs(draft: AnnounceDraft, signing: Signing, engine: BoxEngine, sign: SignItem): SignedItems {
  const { blob, read, kind, removedKeys } = draft
  const { signingKey, isForward, seq } = signing
  const reading = readingKey(blob.root, read, engine)
  const announcement: Announcement = { blob: blob.bytes, isForward, signingKey, readingKey: reading }
  const signed = (salt: Uint8Array, value: Uint8Array): SignedValue => {
    const parts = { salt, seq, bencoded: bencodeValue(value) }
    return { publicKey: signingKey, ...parts, signature: sign(signedValueMessage(parts)) }
  }
  const secret = signed(secretSalt(reading, signingKey, engine), sealForContacts(announcement, engine))
  switch (kind) {
    case 'contacts':
      return { items: [secret], devicesLeftOut: 0 }
    case 'devices': {
      const { value, deviceSlots } = sealForDevices(announcement, [...blob.deviceKeys, ...removedKeys], engine)
      const devicesLeftOut = Math.max(0, blob.deviceKeys.length - deviceSlots)
      return { items: [secret, signed(OPEN_SALT, value)], devicesLeftOut }
    }
    case 'public':
      return { items: [secret, signed(OPEN_SALT, formatPublic(announcement))], devicesLeftOut: 0 }
  }
}
