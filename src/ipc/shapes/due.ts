/** What passes between the daemon and the hand that writes profiles outside of its sandbox (docs/ipc.md, section 4). */
import { z } from 'zod'
import { count, keyHex } from './scalars.ts'

const MAX_PATH_CHARS = 4096 // sanity: PATH_MAX
const MAX_TEXT_CHARS = 2048 // sanity: a status message has at most 1007 bytes

/** An own profile that does not show the present table. */
export interface DueProfile {
  path: string
  key: string
  /** Its nickname in the own table. */
  device: string
  /** The status message that was read there: over another one nothing is written. */
  shown: string
  /** The status message to be written: the owner's words and the token. */
  text: string
  epoch: number
  seq: number
}

export interface DueProfiles {
  profiles: DueProfile[]
  /** That of the configuration, absolute. */
  passphraseFile: string | null
}

export const dueProfiles: z.ZodType<DueProfiles> = z.strictObject({
  profiles: z.array(
    z.strictObject({
      path: z.string(),
      key: keyHex,
      device: z.string(),
      shown: z.string(),
      text: z.string(),
      epoch: count,
      seq: count,
    }),
  ),
  passphraseFile: z.string().nullable(),
})

/** A status message that was just written into a profile. */
export interface WrittenProfile {
  path: string
  key: string
  text: string
  backup: string | null
  /** Written because it was due, and not by a command of the owner. */
  repaired: boolean
}

export const writtenProfile: z.ZodType<WrittenProfile> = z.strictObject({
  path: z.string().max(MAX_PATH_CHARS),
  key: keyHex,
  text: z.string().max(MAX_TEXT_CHARS),
  backup: z.string().max(MAX_PATH_CHARS).nullable(),
  repaired: z.boolean(),
})
