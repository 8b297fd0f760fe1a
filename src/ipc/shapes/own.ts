/** The owner's table and what is made of it, as they travel over the socket (docs/ipc.md, section 4). */
import { z } from 'zod'
import { count, keyHex, seconds } from './scalars.ts'
import { tableDevice, type TableDevice } from './contact.ts'

/** The owner's table, whole. */
export interface OwnTable {
  personaId: string
  epoch: number
  seq: number
  timeSec: number
  /** Names are published; false after `--unnamed` or when they no longer fit. */
  named: boolean
  devices: TableDevice[]
  /** Bytes left of 1006 in the status message for own words and further devices. */
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

/** What an edit did: the table after it, and what it had to give up to fit. */
export interface EditResult {
  table: OwnTable
  /** "names": the table is published without nicknames from now on. */
  gaveUp: 'names'[]
  notices: string[]
}

export const editResult: z.ZodType<EditResult> = z.strictObject({
  table: ownTable,
  gaveUp: z.array(z.literal('names')),
  notices: z.array(z.string()),
})

/** The status message to show: own words, a space, the token. */
export interface StatusMessage {
  text: string
  bytes: number
  words: string
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
