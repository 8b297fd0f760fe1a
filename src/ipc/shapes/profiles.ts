/** The Tox profiles that the daemon watches, as they travel over the socket (docs/ipc.md, section 4). */
import { z } from 'zod'
import { count, keyHex, seconds } from './scalars.ts'

const SHOWN_STATES = [
  'current',
  'older',
  'newer', // a table of the own persona that is not taken here: too far ahead, or of a newer version
  'other', // another persona's, or one of a second chain of keys
  'none', // no token at all
  'damaged', // cut or altered
  'unread', // not known: see `problem`
] as const

/** What the owner's own profile shows to friends as its status message. */
export interface ShownTable {
  state: (typeof SHOWN_STATES)[number]
  /** Of the table that it shows; null where there is none to be read. */
  epoch: number | null
  seq: number | null
}

/** A Tox profile that the daemon watches. */
export interface WatchedProfile {
  path: string
  /** ToxPk of the profile; null while it cannot be read. */
  key: string | null
  /** Nickname in the own table; null when it is none of the owner's devices. */
  device: string | null
  encrypted: boolean
  /** null for a profile that is none of the owner's. */
  shows: ShownTable | null
  /** When it was last read, or tried to be. */
  checkedAtSec: number
  /** A program that seems to run on it and will write it over; null for none that can be seen. */
  client: string | null
  /** Why the table is not written back yet; null when that is not due. */
  repair: string | null
  /** Why it cannot be read. */
  problem: { code: string; message: string } | null
}

export const watchedProfile: z.ZodType<WatchedProfile> = z.strictObject({
  path: z.string(),
  key: keyHex.nullable(),
  device: z.string().nullable(),
  encrypted: z.boolean(),
  shows: z.strictObject({ state: z.enum(SHOWN_STATES), epoch: count.nullable(), seq: count.nullable() }).nullable(),
  checkedAtSec: seconds,
  client: z.string().nullable(),
  repair: z.string().nullable(),
  problem: z.strictObject({ code: z.string(), message: z.string() }).nullable(),
})

export interface ProfileList {
  profiles: WatchedProfile[]
  /** What is not watched as it should be, in words. */
  troubles: string[]
}

export const profileList: z.ZodType<ProfileList> = z.strictObject({
  profiles: z.array(watchedProfile),
  troubles: z.array(z.string()),
})
