/**
 * Makes a second device from a profile: the same friends, name and words with its own key. Pure: the caller brings
 * the key.
 */
import { concatBytes } from '../../core/encoding/bytes.ts'
import type { CryptoEngine } from '../../crypto/engine.ts'
import { withFriend, withoutFriends, withoutSections, withoutToken } from './edit.ts'
import { ToxError } from './errors.ts'
import { encodeFriend, readFriends } from './friends.ts'
import {
  SECTION_CONFERENCES,
  SECTION_GROUPS,
  SECTION_KEYS,
  SECTION_PATH_NODES,
  SECTION_TCP_RELAYS,
  readKeys,
  readName,
  withSection,
  type ToxSave,
} from './savefile.ts'

export interface RekeyOptions {
  /** 32 random bytes */
  readonly secretKey: Uint8Array
  /** 4 random bytes, or null to keep those of the old device */
  readonly nospam: Uint8Array | null
  /**
   * Whether to drop TCP_RELAY and PATH_NODE. Shared relays would show a network observer that both devices belong to
   * one person.
   */
  readonly dropRelays: boolean
  /** The new key replaces the old one, which therefore does not become a friend */
  readonly replacesOld?: true
}

export interface Rekeyed {
  readonly save: ToxSave
  /** 32 bytes */
  readonly publicKey: Uint8Array
  /** Types of the non-empty sections that the new profile leaves out */
  readonly dropped: readonly number[]
  /** Number of friends who have not accepted yet: the new device sends them the same request */
  readonly requests: number
}

/**
 * Makes the profile of a new device. Leaves out conferences and groups: they hold the old device's place, and two
 * devices would claim it. The old device becomes a confirmed friend under its own name, unless the new key replaces
 * it. A token in the status message is left out, since it does not list the new key; the user's words stay. All other
 * sections, including unknown ones, stay byte for byte.
 * @throws {ToxError} TOX_NO_KEYS | TOX_BAD_KEYS | TOX_FRIENDS_NOT_WHOLE
 */
export function rekeySave(save: ToxSave, options: RekeyOptions, engine: CryptoEngine): Rekeyed {
  const { secretKey } = options
  const old = readKeys(save, engine)
  if (secretKey.length !== 32) throw new ToxError('TOX_BAD_KEYS', 'a secret key must be 32 bytes')
  const publicKey = engine.boxPublicKey(secretKey)
  if (engine.equal(publicKey, old.publicKey)) throw new ToxError('TOX_BAD_KEYS', 'a new device needs its own key')
  const keys = concatBytes(options.nospam ?? old.nospam, publicKey, secretKey)
  const unwanted = new Set([SECTION_CONFERENCES, SECTION_GROUPS])
  if (options.dropRelays) for (const type of [SECTION_TCP_RELAYS, SECTION_PATH_NODES]) unwanted.add(type)
  const requests = readFriends(save).friends.filter((friend) => !friend.isConfirmed).length
  const oldDevice = encodeFriend({
    publicKey: old.publicKey,
    name: readName(save).bytes,
    statusMessage: new Uint8Array(0),
    lastSeenSec: 0,
  })
  // The old profile ignores records of its own key. In the new one they would come before the record we add.
  const friends = withoutFriends(withoutToken(save), [old.publicKey, publicKey])
  const bare = withSection(withoutSections(friends, unwanted), SECTION_KEYS, keys)
  const rekeyed = options.replacesOld === true ? bare : withFriend(bare, oldDevice)
  // Never return a profile that libtoxcore would load as an empty one.
  readKeys(rekeyed, engine)
  const holds = (type: number): boolean => save.sections.some((one) => one.type === type && one.data.length > 0)
  const dropped = [...unwanted].filter(holds)
  return { save: rekeyed, publicKey, dropped, requests }
}
