/** Why the keeper refuses what an owner or an app asks, and how every error of ours reaches the caller (docs/ipc.md, section 5). */

export type KeeperErrorCode =
  | 'NO_PERSONA'
  | 'PERSONA_EXISTS'
  | 'LOCKED' // needs the signing key, which is sealed
  | 'NO_PASSPHRASE' // nothing to lock, unlock or change
  | 'PASSPHRASE_SET' // it is there already, and must be proved to be changed
  | 'TOO_MANY_GUESSES' // so many passphrases wait to be tried
  | 'CREDENTIAL_MISSING' // the service was not given the key that seals the secrets
  | 'KEY_SUPERSEDED' // the head was signed by a later key than the one held here
  | 'OWN_DEVICE_UNLISTED' // a sibling's table leaves out the device that this daemon runs for
  | 'EPOCH_UNSURE' // no copy of the own blob was read lately, so a rotation elsewhere may not be known
  | 'EPOCH_USED'
  | 'EPOCHS_EXHAUSTED'
  | 'ROTATION_TOO_LARGE' // more devices than fit at the new epoch
  | 'PLAN_CHANGED' // the table is another one than the owner was shown
  | 'WORDS_NEEDED' // the seed is not on this device
  | 'WORDS_FOREIGN' // another persona's
  | 'NOTHING_TO_FOLLOW' // the key of the head is held
  | 'ERASE_MISMATCH' // the digits are not those of the persona here
  | 'RECOVERY_UNCONFIRMED' // the seed is nowhere but on this device
  | 'NOT_FOUND'
  | 'AMBIGUOUS'
  | 'NAME_TAKEN' // by another contact
  | 'CONTACT_IS_OWN' // the owner is no contact of his own
  | 'CONTACT_PROVISIONAL' // it has no persona yet
  | 'CONTACT_FORGOTTEN' // an import does not bring back whom the owner forgot
  | 'DEVICE_CONFIRMED' // it is the contact's by its own word
  | 'CHAIN_DIFFERS' // a link names another chain for a known PersonaID
  | 'NUMBER_MISMATCH' // a safety number or link is not the contact's
  | 'WORDS_TOO_LONG'
  | 'DEVICE_OF_CONTACT'
  | 'RECOVERY_CONFIRMED' // the words were confirmed, and the seed is gone
  | 'RECOVERY_ELSEWHERE' // the words were not confirmed, and the seed is on another device
  | 'RECOVERY_MISMATCH'
  | 'APP_EXISTS'
  | 'APP_EXPIRED'
  | 'APP_PENDING' // asked for, and not yet answered
  | 'APP_TOKEN_UNKNOWN'
  | 'APP_TOO_MANY' // wait for the owner's answer
  | 'QUOTA_EXCEEDED' // an app reports or asks too much
  | 'NOTHING_PENDING'
  | 'PENDING_CHANGED' // since the owner looked at it
  | 'OWN_PERSONA' // where a contact is meant
  | 'CURSOR_AHEAD' // a subscriber was told more than this store knows of
  | 'TOX_DISABLED' // the configuration has no companion
  | 'TOX_BOOTSTRAP_FILE' // the file of nodes cannot be read
  | 'NO_COMPANION' // none was made yet
  | 'TOO_MANY_PEERS'
  | 'SECRETS_MISSING'
  | 'SECRETS_FOREIGN' // another persona's
  | 'RESTORE_UNRECONCILED' // the state was put back, and may be behind what friends have
  | 'TRANSFER_ENDED' // a backup or restore that is not under way
  | 'SIBLING_NO_TABLE' // a text to sync from, without a token
  | 'SIBLING_FOREIGN' // another persona's
  | 'SNAPSHOT_CUT'
  | 'SNAPSHOT_DAMAGED'
  | 'SNAPSHOT_UNKNOWN_VERSION'
  | 'SNAPSHOT_UNKNOWN_KIND' // a record or field of a later version
  | 'SNAPSHOT_INVALID' // a blob or chain in it does not verify
  | 'SNAPSHOT_FOREIGN' // another persona's
  | 'PAIRING_BUSY' // one is under way
  | 'PAIRING_NONE' // none is under way
  | 'PAIRING_EXPIRED'
  | 'PAIRING_TRIES' // three handshakes failed, and the code is dead
  | 'PAIRING_ORDER' // not the time for this call
  | 'PAIRING_VERSION' // the other side speaks in a way that is not known here
  | 'PAIRING_OTHER_PERSONA' // than the one that is here
  | 'PAIRING_OLDER_KEY' // the other side's key is the superseded one
  | 'PAIRING_PASSPHRASE' // given for a key that is sealed already

export class KeeperError extends Error {
  override readonly name = 'KeeperError'
  readonly code: KeeperErrorCode
  /** What the caller can do about it. */
  readonly hint: string
  readonly details: Readonly<Record<string, unknown>>

  constructor(code: KeeperErrorCode, message: string, hint: string, details: Readonly<Record<string, unknown>> = {}) {
    super(message)
    this.code = code
    this.hint = hint
    this.details = details
  }
}

/** What every method that needs a persona answers before there is one. */
export function noPersona(): KeeperError {
  return new KeeperError(
    'NO_PERSONA',
    'there is no persona here yet',
    'make one with: persona init --device NAME --tox-profile FILE',
  )
}

/** What every method that makes a persona, or brings one here, answers where there is one. */
export function personaExists(personaId: string): KeeperError {
  const hint = 'one daemon keeps one persona; see: persona status'
  return new KeeperError('PERSONA_EXISTS', `there is a persona already: ${personaId}`, hint)
}
