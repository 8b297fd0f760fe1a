/** The records of announcements: the signed items of this persona, and what is known of its earlier epochs. */
import * as z from '../../schema/zod.ts'
import { MAX_DHT_SEQ, MAX_SALT_BYTES, type SignedValue } from '../../core/announce/signed-value.ts'
import { ANNOUNCE_KINDS, isSetting, type AnnounceKind } from '../../core/announce/settings.ts'
import { formatBase64url, formatHex, parseBase64url, parseHex } from '../../core/encoding/bytes.ts'
import { MAX_EPOCH } from '../../core/limits.ts'
import type { ItemTexts } from '../personas/thefts.ts'
import { kind, type Kind } from '../state/kind.ts'
import type { Records } from '../state/records.ts'

const MAX_ITEMS = 4 // sanity: two places, and two of earlier settings
const MAX_BENCODED_CHARS = 1334 // format: base64url of 1000 bytes

/** One signed item. Anybody who has it can put it again, also while the signing key is locked. */
export interface ItemRecord extends ItemTexts {
  /** It leads to a later epoch. */
  readonly isForward: boolean
}

const itemRecord: z.ZodType<ItemRecord> = z.strictObject({
  isForward: z.boolean(),
  publicKey: z.string().regex(/^[0-9A-F]{64}$/),
  salt: z.string().regex(new RegExp(`^(?:[0-9A-F]{2}){0,${MAX_SALT_BYTES}}$`)),
  seq: z
    .string()
    .regex(/^(?:0|[1-9]\d{0,18})$/)
    .refine((digits) => BigInt(digits) <= MAX_DHT_SEQ),
  bencoded: z
    .string()
    .max(MAX_BENCODED_CHARS)
    .refine((text) => parseBase64url(text) !== null),
  signature: z.string().regex(/^[0-9A-F]{128}$/),
})

/** How an epoch is announced, and its signed items. The id is the epoch, two digits. */
export interface EpochRecord {
  readonly epoch: number
  /** Absent in records from before this field; they are of the persona that is here. */
  readonly personaId?: string
  /** Value of the document key `read`; null without one. */
  readonly read: string | null
  /** The last kind; null if the epoch was never announced. */
  readonly kind: AnnounceKind | null
  /** One for each place. */
  readonly items: readonly ItemRecord[]
}

const epochRecord: z.ZodType<EpochRecord> = z.strictObject({
  epoch: z.int().min(0).max(MAX_EPOCH),
  personaId: z
    .string()
    .regex(/^[0-9A-F]{64}$/)
    .exactOptional(),
  read: z
    .string()
    .refine((text) => isSetting('read', text))
    .nullable(),
  kind: z.enum(ANNOUNCE_KINDS).nullable(),
  items: z.array(itemRecord).max(MAX_ITEMS),
})

/** Travels always: a forward cannot be made again once its key is erased, and a device that rotates must know where friends look. */
export const EPOCHS: Kind<EpochRecord> = kind('announced', {
  travels: 'always',
  arrival: {
    read: (id, value) => {
      const read = epochRecord.safeParse(value)
      return read.success && epochId(read.data.epoch) === id ? read.data : null
    },
    // Nothing here can verify what arrived, so what is here stays, and kept.ts judges all of it.
    merge: (arrived, here) => {
      if (here === undefined) return arrived
      if (!isOf(here, arrived.personaId)) return here
      const others = arrived.items.filter((item) => !here.items.some(({ signature }) => signature === item.signature))
      return { ...arrived, ...here, items: [...here.items, ...others].slice(0, MAX_ITEMS) }
    },
  },
})

/**
 * The record of an epoch of a persona; an empty one if nothing is known. The persona before it, whose successor it is, had the same epochs.
 * @param personaId 64 hex digits
 */
export function epochOf(epoch: number, personaId: string, records: { of: Records['of'] }): EpochRecord {
  const known = records.of(EPOCHS).get(epochId(epoch))
  if (known !== undefined && isOf(known, personaId)) return known
  return { epoch, personaId, read: null, kind: null, items: [] }
}

function isOf(record: EpochRecord, personaId: string | undefined): boolean {
  return record.personaId === undefined || personaId === undefined || record.personaId === personaId
}

/** The item of the highest seq for each place, as on the DHT. If the seqs are equal, the item of `here` stays. */
export function newest(arrived: readonly ItemRecord[], here: readonly ItemRecord[]): readonly ItemRecord[] {
  const best = new Map(here.map((item) => [placeOf(item), item]))
  for (const item of arrived) {
    const known = best.get(placeOf(item))
    if (known === undefined || BigInt(item.seq) > BigInt(known.seq)) best.set(placeOf(item), item)
  }
  return [...best.values()].slice(0, MAX_ITEMS)
}

export function epochId(epoch: number): string {
  return String(epoch).padStart(2, '0')
}

/** The place of an item, as text. */
export function placeOf({ publicKey, salt }: Pick<ItemRecord, 'publicKey' | 'salt'>): string {
  return `${publicKey} ${salt}`
}

export function recordOf(signed: SignedValue, isForward: boolean): ItemRecord {
  return { isForward, ...textsOf(signed) }
}

export function textsOf(signed: SignedValue): ItemTexts {
  return {
    publicKey: formatHex(signed.publicKey),
    salt: formatHex(signed.salt),
    seq: String(signed.seq),
    bencoded: formatBase64url(signed.bencoded),
    signature: formatHex(signed.signature),
  }
}

export function signedOf(record: ItemTexts): SignedValue {
  return {
    publicKey: parseHex(record.publicKey)!,
    salt: parseHex(record.salt)!,
    seq: BigInt(record.seq),
    bencoded: parseBase64url(record.bencoded)!,
    signature: parseHex(record.signature)!,
  }
}
