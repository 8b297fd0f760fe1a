/** The history as it travels over the socket (docs/ipc.md, section 4, history). */
import { z } from 'zod'
import { keyHex } from './scalars.ts'

/** One entry: an event that was told, with the hash that binds it to the one before. */
export interface LogEntry {
  /** The event's `id`. */
  number: number
  atSec: number
  event: string
  /** The event's data; of `contact.changed` the name and PersonaID stand for the contact. */
  data: Record<string, unknown>
  hash: string
}

export const logEntry: z.ZodType<LogEntry> = z.strictObject({
  number: z.int().min(1),
  atSec: z.int().min(0),
  event: z.string(),
  data: z.record(z.string(), z.unknown()),
  hash: keyHex,
})

export interface LogPage {
  entries: LogEntry[]
  /** Pass as `before` for the page of older ones; null on the last. */
  next: number | null
}

export const logPage: z.ZodType<LogPage> = z.strictObject({ entries: z.array(logEntry), next: z.int().nullable() })

/** What came of recomputing the chain of hashes. */
export interface LogVerdict {
  intact: boolean
  /** Entries that were checked. */
  entries: number
  oldest: number
  newest: number
  /** Hash of the newest entry: noted elsewhere, it shows later whether the history was written anew. */
  tip: string
  /** Number of the first entry that does not follow on the one before; null when intact. */
  brokenAt: number | null
}

export const logVerdict: z.ZodType<LogVerdict> = z.strictObject({
  intact: z.boolean(),
  entries: z.int().min(0),
  oldest: z.int().min(1),
  newest: z.int().min(0),
  tip: keyHex,
  brokenAt: z.int().nullable(),
})
