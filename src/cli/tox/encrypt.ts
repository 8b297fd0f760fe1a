/** `persona tox encrypt`, `decrypt` and `new`: encrypts, decrypts and creates profiles. */
import { formatHex } from '../../core/encoding/bytes.ts'
import { loadEngine } from '../../crypto/load.ts'
import { NOSPAM_BYTES, SECRET_KEY_BYTES, formatToxId } from '../../tox/save/address.ts'
import { ToxError } from '../../tox/save/errors.ts'
import { newSave } from '../../tox/save/new-profile.ts'
import { createProfile, readProfile, writeProfile, type ToxProfile } from '../../tox/profile/profile-file.ts'
import { readKeys } from '../../tox/save/savefile.ts'
import { hasCode } from '../io/connect.ts'
import { print, type Context } from '../io/context.ts'
import { EXIT_DONE } from '../io/errors.ts'
import { escapeText, showName } from '../io/escape.ts'
import { askNewPassphrase } from '../io/passphrase.ts'
import { openProfile, type EditOptions, type EditReport } from './edit.ts'

export interface NewOptions extends EditOptions {
  readonly name: string
  readonly status?: string
  readonly encrypt?: true
}

/** Printed by `--json` for a new profile. */
export interface NewReport {
  file: string
  key: string
  toxId: string
  encrypted: boolean
  /** Backup of the file that --force replaced. */
  backup: string | null
}

export async function encrypt(context: Context, file: string, options: EditOptions): Promise<number> {
  const engine = await loadEngine()
  const profile = await readPlain(file)
  const newPassphrase = await askNewPassphrase({ file: options.passphraseFile, option: '--passphrase-file' })
  const backup = await writeProfile(profile, profile.save, { engine, ...rewrite(context, options), newPassphrase })
  const key = formatHex(readKeys(profile.save, engine).publicKey)
  print(context, { file, key, written: true, backup } satisfies EditReport, [
    `encrypted ${escapeText(file)}`,
    `backup:  ${escapeText(backup)} (not encrypted)`,
    'unencrypted backups hold your secret key; delete them once your client has opened the encrypted profile',
  ])
  return EXIT_DONE
}

/** Refuses an encrypted profile before it asks for a passphrase. */
async function readPlain(file: string): Promise<ToxProfile> {
  try {
    return await readProfile(file, { engine: await loadEngine() })
  } catch (cause) {
    if (!hasCode(cause, 'TOX_ENCRYPTED')) throw cause
    const message = `${file} is already encrypted; to change its passphrase, decrypt it first`
    throw new ToxError('TOX_ALREADY_ENCRYPTED', message, { cause })
  }
}

export async function decrypt(context: Context, file: string, options: EditOptions): Promise<number> {
  const { profile, access, key } = await openProfile(file, options)
  if (!profile.isEncrypted) throw new ToxError('TOX_NOT_ENCRYPTED', `${file} is not encrypted`)
  const backup = await writeProfile(profile, profile.save, {
    ...access,
    ...rewrite(context, options),
    newPassphrase: null,
  })
  print(context, { file, key, written: true, backup } satisfies EditReport, [
    `decrypted ${escapeText(file)}: anybody who can read the file now has its secret key`,
    `backup:  ${escapeText(backup)} (encrypted)`,
  ])
  return EXIT_DONE
}

function rewrite(context: Context, options: EditOptions): { nowSec: number; force: boolean } {
  return { nowSec: context.nowSec, force: options.force === true }
}

/** Creates a profile with new keys and no friends. */
export async function create(context: Context, file: string, options: NewOptions): Promise<number> {
  const engine = await loadEngine()
  const { name, status = '', passphraseFile } = options
  const secretKey = engine.randomBytes(SECRET_KEY_BYTES)
  const nospam = engine.randomBytes(NOSPAM_BYTES)
  const save = newSave({ name, statusMessage: status, secretKey, nospam, friends: [] }, engine)
  const encrypted = options.encrypt === true || passphraseFile !== undefined
  const passphrase = encrypted ? await askNewPassphrase({ file: passphraseFile, option: '--passphrase-file' }) : null
  const { backup } = await createProfile(file, save, { engine, passphrase, ...rewrite(context, options) })
  const keys = readKeys(save, engine)
  const toxId = formatToxId(keys)
  print(context, { file, key: formatHex(keys.publicKey), toxId, encrypted, backup } satisfies NewReport, [
    `created ${escapeText(file)}${encrypted ? ' (encrypted)' : ''} for ${showName(name, null)}`,
    `Tox ID:  ${toxId}`,
    ...(backup === null ? [] : [`backup:  ${escapeText(backup)}`]),
  ])
  return EXIT_DONE
}
