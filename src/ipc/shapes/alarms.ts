/** Alarms and evidence on the socket and in files (docs/ipc.md, section 3, alarm). */
import { z } from 'zod'
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

/** A file of evidence. Anybody can verify each token alone, and what they prove together. */
export interface EvidenceFile {
  type: 'persona evidence'
  version: 1
  personaId: string
  /** The pinned c_0. */
  root: string
  exportedAtSec: number
  blobs: EvidenceBlob[]
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
