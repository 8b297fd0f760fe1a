/** Alarms and evidence as they travel over the socket and lie in files (docs/ipc.md, section 4, alarms). */
import { z } from 'zod'
import { keyHex } from './scalars.ts'

/** What the owner has not dismissed yet. */
export interface Alarm {
  /** 8 hex digits, the same as long as it stands. */
  id: string
  code: string
  personaId: string | null
  /** Name of the contact; null for the own persona, or for nobody known. */
  contact: string | null
  /** The devices that it was raised for last. */
  keys: string[]
  message: string
  sinceSec: number
  lastSec: number
  /** How often it was raised. */
  count: number
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
})

/** A file of evidence: anybody can verify each token by itself, and what they prove together. */
export interface EvidenceFile {
  type: 'persona evidence'
  version: 1
  personaId: string
  /** c_0 that is pinned here. */
  root: string
  exportedAtSec: number
  blobs: EvidenceBlob[]
}

export interface EvidenceBlob {
  /** Why it was kept; `head` is the table that holds now. */
  kind: 'head' | 'held' | 'stale' | 'fork' | 'violation'
  /** When it was first seen here; null where that was not noted. */
  seenAtSec: number | null
  /** `persona:` and the blob. */
  token: string
}

const MAX_EVIDENCE_BLOBS = 64 // sanity: a contact has at most 18

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
})
