/** The steps that all commands share which change a profile: open it, write it back if it changed, and report that. */
import { equalBytes } from '../../core/encoding/bytes.ts'
import { writeProfile } from '../../tox/profile/profile-file.ts'
import { encodeSave, readKeys, type ToxSave } from '../../tox/save/savefile.ts'
import { formatToxId } from '../../tox/save/address.ts'
import type { Context } from '../io/context.ts'
import { escapeText } from '../io/escape.ts'
import { profileOpener, type OpenProfile } from './open.ts'

export interface EditOptions {
  readonly force?: true
  readonly passphraseFile?: string
}

/** Printed by `--json` for every change of a profile; the command adds its own fields. */
export interface EditReport {
  file: string
  /** ToxPk, 64 upper-case hex digits. */
  key: string
  /** False if the profile did not change. */
  written: boolean
  backup: string | null
}

/** @throws the errors of reading a profile */
export async function openProfile(file: string, options: { readonly passphraseFile?: string }): Promise<OpenProfile> {
  return await profileOpener({ file: options.passphraseFile, option: '--passphrase-file' })(file)
}

/** @throws {ToxError} as writeProfile does */
export async function commitEdit(
  context: Context,
  { file, profile, access, key }: OpenProfile,
  save: ToxSave,
  options: EditOptions,
): Promise<EditReport> {
  const written = !equalBytes(encodeSave(save), encodeSave(profile.save))
  const force = options.force === undefined ? {} : { force: true }
  const backup = written ? await writeProfile(profile, save, { ...access, ...force, nowSec: context.nowSec }) : null
  return { file, key, written, backup }
}

/** Lists the changes and names the backup of the old profile. */
export function formatEdit(report: EditReport, done: readonly string[]): string[] {
  const file = escapeText(report.file)
  if (!report.written) return [`${file} already has this; it was not changed`, ...done]
  return [...done, `wrote ${file}; backup: ${escapeText(report.backup ?? 'none')}`]
}

/** The Tox ID of an open profile. */
export function toxIdOf({ profile, access }: OpenProfile, save: ToxSave = profile.save): string {
  return formatToxId(readKeys(save, access.engine))
}
