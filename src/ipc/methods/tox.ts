/** The methods about Tox: the companion, and the profiles that are watched (docs/ipc.md, section 3). */
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
    'Start the companion, the own Tox node; the first time it is made, and added to the table under this nickname',
    toxName,
    toxStatus,
  ),
  'tox.down': method('admin', 'Stop the companion until it is started again, or the daemon is', noParams, toxStatus),
  'tox.peers': largeMethod('The friends of the companion, and who asked to be one', noParams, toxPeers),
  'tox.add': method(
    'admin',
    'Befriend a device by its Tox ID (76 hex digits, a request is sent) or ToxPk (64, it has the companion as a friend)',
    z.strictObject({ id: z.string().min(64).max(76) }),
    z.strictObject({ key: keyHex }),
  ),
  'profile.list': largeMethod('The Tox profiles that are watched, and what each shows', noParams, profileList),
  'profile.due': {
    ...method(
      'admin',
      'The own profiles into which the table is to be written, and what to write',
      noParams,
      dueProfiles,
    ),
    isLarge: true,
  },
  'profile.wrote': method(
    'admin',
    'Report that a status message was just written into a profile',
    writtenProfile,
    z.strictObject({ device: z.string().nullable() }),
  ),
}
