/** Alarms and evidence on the socket and in files (docs/ipc.md, section 3, alarm). */
import * as z from '../../schema/zod.ts'
import { keyHex } from './scalars.ts'

/** An alarm that the owner has not dismissed. */
export interface Alarm {
  /** 8 hex digits; they stay the same until the alarm is dismissed or cleared. */
  id: string
  code: string
  personaId: string | null
  /** Name of the contact; null for the own persona or an unknown one. */
  contact: string | null
  /** The last devices that it was raised for. */
  keys: string[]
  message: string
  sinceSec: number
  lastSec: number
  /** How often it was raised. */
  count: number
  /** The table that raised it last; only for an alarm about one table. */
  epoch?: number
  seq?: number
}

export const alarm: z.ZodType<Alarm> = z.strictObject({
  id: z.string(),
  code: z.string(),
  personaId: keyHex.nullable(),
  contact: z.string().nullable(),
  keys: z.array(keyHex),
  message: z.string(),
  sinceSec: z.int().min(0),
  lastSec: z.int().min(0),
  count: z.int().min(1),
  epoch: z.int().min(0).exactOptional(),
  seq: z.int().min(1).exactOptional(),
})

/** A file of evidence. Anybody can verify each token alone, and what they prove together. */
export interface EvidenceFile {
  type: 'persona evidence'
  version: 1
  personaId: string
  /** The pinned c_0. */
  root: string
  exportedAtSec: number
  blobs: EvidenceBlob[]
  /** Announcements that the owner's devices do not sign; present only if there are any. */
  items?: EvidenceItem[]
  /** A card of a second chain, and one of the pinned chain; present only if there is one of a second chain. */
  cards?: EvidenceCard[]
}

/** A card of the persona for some app (docs/card.md). Two of them with different c_0 prove that somebody else has K_0. */
export interface EvidenceCard {
  /** `head` is of the chain that is pinned here, `violation` of another one. */
  kind: 'head' | 'violation'
  /** When it was first seen here; null if that was not recorded. */
  seenAtSec: number | null
  /** A compact JWS. */
  card: string
}

/** A signed value of the DHT that proves that somebody else has a key of the persona (docs/announce.md, section 6). */
export interface EvidenceItem {
  /** The epoch of the key. */
  epoch: number
  seenAtSec: number
  /** r, with which anybody can check it. It opens the announcements of that time. */
  readingKey: string
  /** K_e */
  publicKey: string
  /** Hex digits. */
  salt: string
  /** Decimal digits: JSON has no 64-bit integers. */
  seq: string
  /** The value as it is bencoded, base64url. */
  bencoded: string
  /** 128 hex digits. */
  signature: string
}

export interface EvidenceBlob {
  /** Why the blob was kept; `head` is the present table. */
  kind: 'head' | 'held' | 'stale' | 'fork' | 'violation'
  /** When it was first seen here; null if that was not recorded. */
  seenAtSec: number | null
  /** `persona:` and the blob. */
  token: string
}

const MAX_EVIDENCE_BLOBS = 64 // sanity: a contact has at most 18
const MAX_EVIDENCE_ITEMS = 17 // format: one for each key of the chain
const MAX_EVIDENCE_CARDS = 2 // sanity: one of each chain
const MAX_CARD_CHARS = 8192 // format: docs/card.md, section 1
const MAX_BENCODED_CHARS = 1334 // format: base64url of 1000 bytes

const evidenceItem: z.ZodType<EvidenceItem> = z.strictObject({
  epoch: z.int().min(0).max(16),
  seenAtSec: z.int().min(0),
  readingKey: keyHex,
  publicKey: keyHex,
  salt: z.string().regex(/^(?:[0-9A-F]{2}){0,64}$/),
  seq: z.string().regex(/^(?:0|[1-9]\d{0,18})$/),
  bencoded: z.string().max(MAX_BENCODED_CHARS),
  signature: z.string().regex(/^[0-9A-F]{128}$/),
})

const evidenceCard: z.ZodType<EvidenceCard> = z.strictObject({
  kind: z.enum(['head', 'violation']),
  seenAtSec: z.int().min(0).nullable(),
  card: z.string().max(MAX_CARD_CHARS),
})

export const evidenceFile: z.ZodType<EvidenceFile> = z.strictObject({
  type: z.literal('persona evidence'),
  version: z.literal(1),
  personaId: keyHex,
  root: keyHex,
  exportedAtSec: z.int().min(0),
  blobs: z
    .array(
      z.strictObject({
        kind: z.enum(['head', 'held', 'stale', 'fork', 'violation']),
        seenAtSec: z.int().min(0).nullable(),
        token: z.string().max(2048),
      }),
    )
    .max(MAX_EVIDENCE_BLOBS),
  items: z.array(evidenceItem).max(MAX_EVIDENCE_ITEMS).exactOptional(),
  cards: z.array(evidenceCard).max(MAX_EVIDENCE_CARDS).exactOptional(),
})
