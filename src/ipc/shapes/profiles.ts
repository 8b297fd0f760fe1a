/** Watched profiles on the socket (docs/ipc.md, section 3, profile). */
import * as z from '../../schema/zod.ts'
import { count, keyHex, seconds } from './scalars.ts'

const SHOWN_STATES = [
  'current',
  'older',
  'newer', // a table of the own persona that is not accepted here: too far ahead, or of a newer version
  'other', // another persona's, or one of a second chain of keys
  'none', // no token at all
  'damaged', // cut or altered
  'unread', // not known: see `problem`
] as const

/** The table in the status message of an own profile. */
export interface ShownTable {
  state: (typeof SHOWN_STATES)[number]
  /** The epoch of that table; null if it cannot be read. */
  epoch: number | null
  seq: number | null
}

/** The state of an own profile that shows a short status. `older`: of an earlier key or reading key, or nothing is announced any more. */
export type ShownShort = Extract<ShownTable['state'], 'current' | 'older' | 'newer' | 'other'>

export interface WatchedProfile {
  path: string
  /** ToxPk of the profile; null while it cannot be read. */
  key: string | null
  /** Nickname in the own table; null if the profile is not the owner's. */
  device: string | null
  encrypted: boolean
  /** null if the profile is not the owner's. */
  shows: ShownTable | null
  /** When the daemon last read it, or tried to. */
  checkedAtSec: number
  /** A program that seems to have it open and will overwrite it; null if none can be seen. */
  client: string | null
  /** Why the daemon has not written the table back yet; null if that is not due. */
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

const LOST_STATES = [
  'gone', // no file
  'emptied', // no bytes, or only zeros
  'damaged',
  'replaced', // a good profile with another key
] as const

/** An own watched profile that lost its keys. */
export interface LostProfile {
  path: string
  /** ToxPk that the profile had. */
  key: string
  /** Nickname in the own table. */
  device: string
  state: (typeof LOST_STATES)[number]
  /** The newest good copy that the daemon kept; null if somebody removed it. */
  copy: string | null
}

export const lostProfile: z.ZodObject<{ [Key in keyof LostProfile]: z.ZodType<LostProfile[Key]> }> = z.strictObject({
  path: z.string(),
  key: keyHex,
  device: z.string(),
  state: z.enum(LOST_STATES),
  copy: z.string().nullable(),
})

export interface ProfileList {
  profiles: WatchedProfile[]
  lost: LostProfile[]
  /** Sentences about profiles that are not watched as they should be. */
  troubles: string[]
}

export const profileList: z.ZodType<ProfileList> = z.strictObject({
  profiles: z.array(watchedProfile),
  lost: z.array(lostProfile),
  troubles: z.array(z.string()),
})

/** Where the profile of an own device is. */
export interface OwnProfile {
  /** Nickname in the own table. */
  device: string
  key: string
  /** null if it is not known on this computer. */
  path: string | null
  /** The daemon watches it; else a command of the owner named the path. */
  isWatched: boolean
}

export const ownProfile: z.ZodType<OwnProfile> = z.strictObject({
  device: z.string(),
  key: keyHex,
  path: z.string().nullable(),
  isWatched: z.boolean(),
})

/** The copies that the daemon kept of one own profile. */
export interface KeptProfile {
  /** Where the profile was when it was last good. */
  path: string
  key: string
  /** Nickname in the own table; null if the device has left it. */
  device: string | null
  /** Oldest first; the oldest is never removed. */
  copies: { file: string; savedAtSec: number; bytes: number }[]
}

export const keptProfile: z.ZodType<KeptProfile> = z.strictObject({
  path: z.string(),
  key: keyHex,
  device: z.string().nullable(),
  copies: z.array(z.strictObject({ file: z.string(), savedAtSec: seconds, bytes: count })),
})
