/** A second device out of a profile: the same friends, name and words under a key of its own. Pure; the key comes from the caller. */
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
  /** Without TCP_RELAY and PATH_NODE: who watches the network could tell by the same relays that both are one person */
  readonly dropRelays: boolean
  /** The old key is given up, and so no friend of the new one */
  readonly replacesOld?: true
}

export interface Rekeyed {
  readonly save: ToxSave
  /** 32 bytes */
  readonly publicKey: Uint8Array
  /** Types of sections that held something and are not in the new profile */
  readonly dropped: readonly number[]
  /** Friends who have not accepted yet: the new device will send them the same request */
  readonly requests: number
}

/**
 * The profile of a new device. Conferences and groups are left out: they hold the old device's place in them, and two devices would
 * claim it. The old device becomes a friend, confirmed, by its own name, unless the new key takes its place. A token in the status message is left out, since it does not
 * list the new key; own words stay. All other sections, unknown ones too, stay byte for byte.
 * @throws {ToxError} TOX_NO_KEYS | TOX_BAD_KEYS | TOX_FRIENDS_NOT_WHOLE
 */
export function rekeySave(save: ToxSave, options: RekeyOptions, engine: CryptoEngine): Rekeyed {
  const { secretKey } = options
  const old = readKeys(save, engine)
  if (secretKey.length !== 32) throw new ToxError('TOX_BAD_KEYS', 'a secret key has 32 bytes')
  const publicKey = engine.boxPublicKey(secretKey)
  if (engine.equal(publicKey, old.publicKey)) throw new ToxError('TOX_BAD_KEYS', 'a new device needs a key of its own')
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
  // Records of the own key mean nothing in the old profile; in the new one they would stand before the right one.
  const friends = withoutFriends(withoutToken(save), [old.publicKey, publicKey])
  const bare = withSection(withoutSections(friends, unwanted), SECTION_KEYS, keys)
  const rekeyed = options.replacesOld === true ? bare : withFriend(bare, oldDevice)
  // Nothing leaves that libtoxcore would load as an empty profile.
  readKeys(rekeyed, engine)
  const holds = (type: number): boolean => save.sections.some((one) => one.type === type && one.data.length > 0)
  const dropped = [...unwanted].filter(holds)
  return { save: rekeyed, publicKey, dropped, requests }
}
