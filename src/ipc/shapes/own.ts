/** The owner's table, edits and status message on the socket (docs/ipc.md, section 3). */
import { finding, type Finding } from './doctor.ts'
import * as z from '../../schema/zod.ts'
import { count, keyHex, seconds } from './scalars.ts'
import { tableDevice, type TableDevice } from './contact.ts'

/** The owner's table, whole. */
export interface OwnTable {
  personaId: string
  epoch: number
  seq: number
  timeSec: number
  /** The table publishes nicknames; false after `--unnamed`, or if they no longer fit. */
  named: boolean
  devices: TableDevice[]
  /** Bytes of the 1006 in the status message that are left for own words and further devices. */
  bytesFree: number
}

export const ownTable: z.ZodType<OwnTable> = z.strictObject({
  personaId: keyHex,
  epoch: count,
  seq: count,
  timeSec: seconds,
  named: z.boolean(),
  devices: z.array(tableDevice),
  bytesFree: z.int(),
})

const GIVEN_UP = [
  'keys', // of the document, which this version does not understand
  'predecessor', // the statement that this persona follows another one
  'names', // the table has no nicknames from now on
  'settings', // of announcements and stores
] as const

/** A part that a table lost to fit its readers; a rotation takes no foreign keys along in any case. */
export type GaveUp = (typeof GIVEN_UP)[number]

export const gaveUp: z.ZodType<GaveUp[]> = z.array(z.enum(GIVEN_UP))

/** The table after an edit, and what the table had to give up to fit. */
export interface EditResult {
  table: OwnTable
  gaveUp: GaveUp[]
  /** The messages of `findings`. */
  notices: string[]
  /** Findings for the owner, as of now. */
  findings: Finding[]
}

export const editResult: z.ZodType<EditResult> = z.strictObject({
  table: ownTable,
  gaveUp,
  notices: z.array(z.string()),
  findings: z.array(finding),
})

const SHOWN = [
  'current', // the present table, or a higher one
  'older',
  'unnumbered', // a table of the own persona: a short status, which leads to the newest one, or a record too old to tell which
  'unseen', // never seen with a table of the own persona
] as const

/** The table that an own device was last seen showing. */
export interface ShownByDevice {
  key: string
  /** The daemon runs for this device, or it is the companion. */
  isHere: boolean
  state: (typeof SHOWN)[number]
  epoch: number | null
  seq: number | null
  /** Time of the observation; null if it was never seen with a table. */
  seenAtSec: number | null
}

export const shownByDevice: z.ZodType<ShownByDevice> = z.strictObject({
  key: keyHex,
  isHere: z.boolean(),
  state: z.enum(SHOWN),
  epoch: count.nullable(),
  seq: count.nullable(),
  seenAtSec: seconds.nullable(),
})

/** The status message to show: own words, a space, the token. */
/** How a status message shows the table: whole, or by a short status that leads to its announcement (docs/announce.md, section 10). */
export type StatusForm = 'table' | 'short'

export interface StatusMessage {
  text: string
  bytes: number
  words: string
  /** The token, or the short status. */
  token: string
  table: OwnTable
}

export const statusMessage: z.ZodType<StatusMessage> = z.strictObject({
  text: z.string(),
  bytes: count,
  words: z.string(),
  token: z.string(),
  table: ownTable,
})
