/** `persona tox friends FILE export`: prints the friends of a profile as YAML or JSON (qTox #6284). */
import { formatHex } from '../../core/encoding/bytes.ts'
import { formatToxId } from '../../tox/save/address.ts'
import { readFriends, type ToxFriend } from '../../tox/save/friends.ts'
import { readName } from '../../tox/save/savefile.ts'
import { print, type Context } from '../io/context.ts'
import { EXIT_DONE } from '../io/errors.ts'
import type { OpenProfile } from './open.ts'

/** One friend in the export. */
export interface ExportedFriend {
  name: string
  /** ToxPk, 64 upper-case hex digits. */
  key: string
  state: 'added' | 'requested' | 'confirmed'
  statusMessage: string
  /** Unix seconds, 0 for never. */
  lastSeenSec: number
  /** Known only until the friend accepts: after that Tox keeps only the key. */
  toxId: string | null
  /** The text of an unanswered friend request, else null. */
  request: string | null
}

/** Prints YAML without --json. */
export async function exportFriends(context: Context, { profile, key }: OpenProfile): Promise<number> {
  const { friends } = readFriends(profile.save)
  const report = { owner: readName(profile.save).text, key, friends: friends.map(exported) }
  if (context.json) print(context, report, [])
  else process.stdout.write((await import('../io/yaml.ts')).formatYaml(report))
  return EXIT_DONE
}

export function exported(friend: ToxFriend): ExportedFriend {
  const { publicKey, nospam, isConfirmed, name, statusMessage, request, lastSeenSec } = friend
  return {
    name: name.text,
    key: formatHex(publicKey),
    state: stateOf(friend),
    statusMessage: statusMessage.text,
    lastSeenSec,
    toxId: isConfirmed ? null : formatToxId({ publicKey, nospam }),
    request: isConfirmed ? null : request.text,
  }
}

export function stateOf(friend: ToxFriend): ExportedFriend['state'] {
  if (friend.isConfirmed) return 'confirmed'
  return friend.status === 1 ? 'added' : 'requested'
}
