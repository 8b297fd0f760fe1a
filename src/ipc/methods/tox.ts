/** The methods of Tox: the companion and the watched profiles (docs/ipc.md, section 3). */
import { z } from 'zod'
import type { MethodSpec } from './method.ts'
import { dueProfiles, writtenProfile, type DueProfiles, type WrittenProfile } from '../shapes/due.ts'
import { type ProfileList, profileList } from '../shapes/profiles.ts'
import { keyHex } from '../shapes/scalars.ts'
import { toxPeers, toxStatus, type ToxPeers, type ToxStatus } from '../shapes/tox.ts'
import { nickname, noParams, method, largeMethod, type Empty } from './params.ts'

const toxName = z.strictObject({ name: nickname.exactOptional() })

export interface ToxMethods {
  'tox.up': MethodSpec<{ name?: string }, ToxStatus>
  'tox.down': MethodSpec<Empty, ToxStatus>
  'tox.peers': MethodSpec<Empty, ToxPeers>
  'tox.add': MethodSpec<{ id: string }, { key: string }>
  'profile.list': MethodSpec<Empty, ProfileList>
  'profile.due': MethodSpec<Empty, DueProfiles>
  'profile.wrote': MethodSpec<WrittenProfile, { device: string | null }>
}

export const TOX_METHODS: ToxMethods = {
  'tox.up': method(
    'admin',
    'Start the companion; the first time, create it and add it to the table under this nickname',
    toxName,
    toxStatus,
  ),
  'tox.down': method('admin', 'Stop the companion until it or the daemon is started again', noParams, toxStatus),
  'tox.peers': largeMethod('List the friends of the companion and the requests to become one', noParams, toxPeers),
  'tox.add': method(
    'admin',
    'Add a friend to the companion by Tox ID (76 hex digits, sends a request) or ToxPk (64, if it has the companion as a friend already)',
    z.strictObject({ id: z.string().min(64).max(76) }),
    z.strictObject({ key: keyHex }),
  ),
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
  'profile.wrote': method(
    'admin',
    'Report that a status message was written into a profile',
    writtenProfile,
    z.strictObject({ device: z.string().nullable() }),
  ),
}
