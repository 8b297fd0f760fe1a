/** The history on the socket (docs/ipc.md, section 4, History). */
import * as z from '../../schema/zod.ts'
import { keyHex } from './scalars.ts'

/** One entry: an event, with the hash that links it to the entry before. */
export interface LogEntry {
  /** The event's `id`. */
  number: number
  atSec: number
  event: string
  /** The event's data. For `contact.changed` the name and PersonaID replace the whole contact. */
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

/** Result of recomputing the hash chain. */
export interface LogVerdict {
  intact: boolean
  /** Number of checked entries from `oldest` to `newest`. */
  entries: number
  /** Number of older entries that stay: what the owner did, and alarms. Each was checked on its own. */
  kept: number
  oldest: number
  newest: number
  /** Hash of the newest entry. Noted elsewhere, it reveals later whether the history was rewritten. */
  tip: string
  /** Number of the first entry whose hash does not match; null if intact. */
  brokenAt: number | null
}

export const logVerdict: z.ZodType<LogVerdict> = z.strictObject({
  intact: z.boolean(),
  entries: z.int().min(0),
  kept: z.int().min(0),
  oldest: z.int().min(1),
  newest: z.int().min(0),
  tip: keyHex,
  brokenAt: z.int().nullable(),
})
