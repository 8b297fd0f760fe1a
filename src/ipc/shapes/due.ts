/** Values for the program that writes profiles outside of the daemon's sandbox (docs/ipc.md, section 3, profile). */
import * as z from '../../schema/zod.ts'
import { count, keyHex } from './scalars.ts'

const MAX_PATH_CHARS = 4096 // sanity: PATH_MAX
const MAX_TEXT_CHARS = 2048 // sanity: a status message has at most 1007 bytes
export const MAX_WORDS_CHARS = 4096 // sanity: words that were meant for a status message, and did not fit

/** An own profile that does not show the present table. */
export interface DueProfile {
  path: string
  key: string
  /** Nickname in the own table. */
  device: string
  /** The status message that was read there. If another one is there now, write nothing. */
  shown: string
  /** The status message to write: the owner's words and the token. */
  text: string
  epoch: number
  seq: number
}

export interface DueProfiles {
  profiles: DueProfile[]
  /** From the configuration, as an absolute path. */
  passphraseFile: string | null
}

export const dueProfile: z.ZodType<DueProfile> = z.strictObject({
  path: z.string(),
  key: keyHex,
  device: z.string(),
  shown: z.string(),
  text: z.string(),
  epoch: count,
  seq: count,
})

export const dueProfiles: z.ZodType<DueProfiles> = z.strictObject({
  profiles: z.array(dueProfile),
  passphraseFile: z.string().nullable(),
})

/** The place of a profile on this computer. */
export interface PlacedProfile {
  /** Absolute. */
  path: string
  key: string
}

export const placedProfile: z.ZodType<PlacedProfile> = z.strictObject({
  path: z.string().startsWith('/').max(MAX_PATH_CHARS),
  key: keyHex,
})

/** A status message that was written into a profile. */
export interface WrittenProfile {
  path: string
  key: string
  text: string
  backup: string | null
  /** Written because it was due, not by a command of the owner. */
  repaired: boolean
  /** The owner's words that did not fit, kept for the next writing. Empty forgets the kept ones; absent leaves them. */
  leftOut?: string
}

export const writtenProfile: z.ZodType<WrittenProfile> = z.strictObject({
  path: z.string().max(MAX_PATH_CHARS),
  key: keyHex,
  text: z.string().max(MAX_TEXT_CHARS),
  backup: z.string().max(MAX_PATH_CHARS).nullable(),
  repaired: z.boolean(),
  leftOut: z.string().max(MAX_WORDS_CHARS).exactOptional(),
})
