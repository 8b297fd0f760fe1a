/** The watched profiles' part of the protocol: methods, events, their part of the status (docs/ipc.md, section 3). */
import * as z from '../../schema/zod.ts'
import type { MethodSpec } from './method.ts'
import { dueProfiles, placedProfile, writtenProfile } from '../shapes/due.ts'
import type { DueProfiles, PlacedProfile, WrittenProfile } from '../shapes/due.ts'
import { keptProfile, lostProfile, ownProfile, profileList } from '../shapes/profiles.ts'
import type { KeptProfile, LostProfile, OwnProfile, ProfileList } from '../shapes/profiles.ts'
import { count, keyHex } from '../shapes/scalars.ts'
import { noParams, method, largeMethod, type Empty } from './params.ts'
import { event, type EventSpec, type WingSchema } from './wing.ts'

export interface ProfileMethods {
  'profile.list': MethodSpec<Empty, ProfileList>
  'profile.due': MethodSpec<Empty, DueProfiles>
  'profile.copies': MethodSpec<Empty, { profiles: KeptProfile[] }>
  'profile.wrote': MethodSpec<WrittenProfile, { device: string | null }>
  'profile.own': MethodSpec<Empty, { profiles: OwnProfile[] }>
  'profile.remember': MethodSpec<PlacedProfile, { device: string | null }>
  'profile.words': MethodSpec<{ key: string }, { words: string }>
}

const keptProfiles = z.strictObject({ profiles: z.array(keptProfile) })

const PROFILE_METHODS: ProfileMethods = {
  'profile.list': largeMethod('List the watched profiles and the table that each shows', noParams, profileList),
  'profile.due': {
    ...method(
      'admin',
      'List the own profiles that need the table written, with the text to write',
      noParams,
      dueProfiles,
    ),
    isLarge: true,
  },
  'profile.copies': {
    ...method('admin', 'List the copies that the daemon kept of own profiles', noParams, keptProfiles),
    isLarge: true,
  },
  'profile.wrote': method(
    'admin',
    'Report that a status message was written into a profile',
    writtenProfile,
    z.strictObject({ device: z.string().nullable() }),
  ),
  'profile.own': method(
    'admin',
    'List where the profile of each own device is',
    noParams,
    z.strictObject({ profiles: z.array(ownProfile) }),
  ),
  'profile.remember': method(
    'admin',
    'Remember where the profile of an own device is',
    placedProfile,
    z.strictObject({ device: z.string().nullable() }),
  ),
  'profile.words': method(
    'admin',
    'Get the words that a profile had to give up for the token',
    z.strictObject({ key: keyHex }),
    z.strictObject({ words: z.string() }),
  ),
}

/** An own device, and its profile. */
const whose = { path: z.string(), key: keyHex, device: z.string() }

interface ProfileEvents {
  'profile.blob-lost': EventSpec<{
    path: string
    key: string
    device: string
    /** A client replaced the token by a text without one, or cut it. */
    state: 'none' | 'damaged'
    /** Describes the loss and the remedy. */
    message: string
  }>
  /** An own profile is gone, empty or damaged, or holds another key; once for each loss. */
  'profile.lost': EventSpec<Pick<LostProfile, keyof LostProfile> & { message: string }>
  /** An own profile does not show the current table; sent at each reading. */
  'profile.due': EventSpec<{ path: string; key: string; device: string }>
  'profile.repaired': EventSpec<{
    path: string
    key: string
    device: string
    epoch: number
    seq: number
    backup: string
  }>
}

const PROFILE_EVENTS: ProfileEvents = {
  'profile.blob-lost': event(
    'kept',
    z.strictObject({ ...whose, state: z.enum(['none', 'damaged']), message: z.string() }),
  ),
  'profile.lost': event('kept', lostProfile.extend({ message: z.string() })),
  'profile.due': event('passing', z.strictObject(whose)),
  // Only the owner sees where copies are.
  'profile.repaired': event(
    'kept',
    z.strictObject({ ...whose, epoch: z.int(), seq: z.int(), backup: z.string() }),
    'admin',
  ),
}

interface ProfilesStatus {
  /** Watched profiles, the own ones among them that show an older table, and own ones that lost their keys. */
  profiles: { watched: number; older: number; lost: number }
}

export const PROFILES: WingSchema<ProfileMethods, ProfileEvents, ProfilesStatus> = {
  methods: PROFILE_METHODS,
  events: PROFILE_EVENTS,
  status: { profiles: z.strictObject({ watched: count, older: count, lost: count }) },
  capabilities: [],
}
