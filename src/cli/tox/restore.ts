/** `persona tox restore`: puts a good copy of an own profile back, as the daemon kept it. */
import { realpath } from 'node:fs/promises'
import { dirname, join, resolve, basename } from 'node:path'
import { concatBytes, encodeUtf8, equalBytes, formatHex, parseHex } from '../../core/encoding/bytes.ts'
import type { Client } from '../../ipc/client.ts'
import type { Contact } from '../../ipc/shapes/contact.ts'
import type { KeptProfile } from '../../ipc/shapes/profiles.ts'
import { createProfile, readProfile, writeProfile } from '../../tox/profile/profile-file.ts'
import { splitRecords } from '../../tox/save/edit.ts'
import { ToxError } from '../../tox/save/errors.ts'
import { encodeFriend, readFriends } from '../../tox/save/friends.ts'
import { mergeFriends } from '../../tox/save/merge.ts'
import { MAX_TOX_NAME_BYTES, SECTION_FRIENDS, encodeSave, withSection, type ToxSave } from '../../tox/save/savefile.ts'
import { hasCode, withDaemon } from '../io/connect.ts'
import { print, type Context } from '../io/context.ts'
import { CliError, EXIT_DONE } from '../io/errors.ts'
import { escapeText, showName } from '../io/escape.ts'
import { countOf, formatTime } from '../io/layout.ts'
import { friendName, fitName } from './follow-plan.ts'
import { profileOpener, type OpenProfile, type ProfileOpener } from './open.ts'

export interface RestoreOptions {
  readonly list?: true
  /** A copy or backup, instead of the newest copy */
  readonly copy?: string
  readonly missingFriends?: true
  readonly passphraseFile?: string
}

/** The output of `--json` without --list. */
export interface RestoreReport {
  file: string
  /** ToxPk of the profile. */
  key: string
  /** Null when the profile was good and stays. */
  copy: string | null
  friends: number
  /** Friends that the daemon knew and the copy lacked. */
  added: { key: string; name: string }[]
  /** False when nothing was to be done. */
  written: boolean
  /** The backup of the replaced file; null if there was no file. */
  backup: string | null
}

export async function restore(context: Context, file: string, options: RestoreOptions): Promise<number> {
  if (options.list === true && (options.copy ?? options.missingFriends) !== undefined)
    throw new CliError('USAGE', '--list takes neither --copy nor --missing-friends')
  if (options.list === true) return await listCopies(context, file)
  const open = profileOpener({ file: options.passphraseFile, option: '--passphrase-file' })
  const report = await restoreFrom(context, file, open, options)
  print(context, report, formatRestored(report))
  return EXIT_DONE
}

async function listCopies(context: Context, file: string): Promise<number> {
  const { profiles } = await withDaemon(context, (client) => client.call('profile.copies'))
  const kept = await ofFile(profiles, file)
  const lines = kept.flatMap(({ device, key, copies }) => [
    `${showName(device ?? 'no device of yours', key)}: ${countOf(copies.length, 'copy', 'copies')}`,
    ...copies.map((copy) => `  ${formatTime(copy.savedAtSec, context.nowSec)}  ${escapeText(copy.file)}`),
  ])
  print(context, kept, lines.length === 0 ? [`the daemon kept no copy of ${escapeText(file)}`] : lines)
  return EXIT_DONE
}

async function restoreFrom(
  context: Context,
  file: string,
  open: ProfileOpener,
  options: RestoreOptions,
): Promise<RestoreReport> {
  const { copy } = options
  if (copy !== undefined && options.missingFriends === undefined) {
    const opened = await open(copy)
    return await putBack(context, file, opened, { save: opened.profile.save, added: [] }, copy)
  }
  return await withDaemon(context, async (client) => {
    const source = copy ?? (await newestCopy(client, file))
    const opened = await open(source)
    const present = copy === undefined ? await openGood(open, file, opened.key) : null
    const base = present ?? opened
    const unchanged = { save: base.profile.save, added: [] }
    const wanted = options.missingFriends === true ? await withMissing(client, base) : unchanged
    return await putBack(context, file, base, wanted, present === null ? source : null)
  })
}

/** @throws {CliError} NO_COPY | COPY_UNCLEAR */
async function newestCopy(client: Client, file: string): Promise<string> {
  const kept = await ofFile((await client.call('profile.copies')).profiles, file)
  const own = kept.filter(({ device }) => device !== null)
  const [only, ...more] = own.length > 0 ? own : kept
  const newest = only?.copies.at(-1)
  if (newest === undefined) {
    const hint = `a copy of your own, or a backup beside it (${basename(file)}.backup-DATE), is put back with --copy`
    throw new CliError('NO_COPY', `the daemon kept no copy of ${file}`, { hint })
  }
  if (more.length === 0) return newest.file
  throw new CliError('COPY_UNCLEAR', `several profiles of yours stood in the place of ${file}`, {
    hint: '--list shows their copies; put one back with --copy',
  })
}

async function ofFile(profiles: readonly KeptProfile[], file: string): Promise<KeptProfile[]> {
  const wanted = await resolved(file)
  const paths = await Promise.all(profiles.map(({ path }) => resolved(path)))
  return profiles.filter((_, at) => paths[at] === wanted)
}

/** With links resolved as far as they exist: the profile itself may be gone. */
async function resolved(file: string): Promise<string> {
  const path = resolve(file)
  const directory = await realpath(dirname(path)).catch(() => dirname(path))
  return await realpath(path).catch(() => join(directory, basename(path)))
}

/**
 * The profile that stands there, if it is whole and has this key; null otherwise.
 * @throws {ToxError} TOX_ENCRYPTED | TOX_WRONG_PASSPHRASE: it may well be good
 */
async function openGood(open: ProfileOpener, file: string, key: string): Promise<OpenProfile | null> {
  try {
    const present = await open(file)
    readFriends(present.profile.save)
    return present.key === key ? present : null
  } catch (error) {
    if (!(error instanceof ToxError) || hasCode(error, 'TOX_ENCRYPTED') || hasCode(error, 'TOX_WRONG_PASSPHRASE'))
      throw error
    return null
  }
}

/**
 * Adds the friends of the newest copy, whole, and then those that the daemon saw in this very profile and that no copy
 * has. A friend who never showed a status message is known only by the copy.
 */
async function withMissing(client: Client, opened: OpenProfile): Promise<Completed> {
  const { profile, access, key } = opened
  const kept = (await client.call('profile.copies')).profiles.find((one) => one.key === key)
  const newest = kept?.copies.at(-1)
  const copy = newest === undefined ? null : await readProfile(newest.file, access).catch(() => null)
  const merged = mergeFriends(profile.save, copy === null ? [] : [copy.save])
  const added = merged.changes
    .filter(({ why }) => why === 'added')
    .map(({ publicKey, name }) => ({ key: formatHex(publicKey), name }))
  const seen = await seenFriends(client, key, merged.save)
  return { save: withFriends(merged.save, seen), added: [...added, ...seen] }
}

async function seenFriends(client: Client, key: string, save: ToxSave): Promise<RestoreReport['added']> {
  const present = new Set(splitRecords(save).map((record) => formatHex(record.subarray(1, 33))))
  const own = (await client.call('lookup', { query: key })).contact
  const missing: RestoreReport['added'] = []
  for (const contact of [...(own === null ? [] : [own]), ...(await allContacts(client))]) {
    for (const device of [...contact.devices, ...contact.claims, ...contact.others]) {
      if (device.key === key || present.has(device.key) || !device.sources.includes(`profile:${key}`)) continue
      present.add(device.key)
      const name = contact.kind === 'provisional' ? fitName(contact.name, MAX_TOX_NAME_BYTES) : nameOf(contact, device)
      missing.push({ key: device.key, name })
    }
  }
  return missing
}

function nameOf(contact: Contact, device: { readonly name: string }): string {
  return friendName(contact.kind === 'own' ? 'me' : contact.name, device.name)
}

async function allContacts(client: Client): Promise<Contact[]> {
  const contacts: Contact[] = []
  for (let after: string | null = null; ;) {
    const page: { contacts: Contact[]; next: string | null } = await client.call(
      'contact.list',
      after === null ? {} : { after },
    )
    contacts.push(...page.contacts)
    if (page.next === null) return contacts
    after = page.next
  }
}

/** The new content of the profile. */
interface Completed {
  readonly save: ToxSave
  readonly added: RestoreReport['added']
}

/** @param copy where `base` comes from; null when it is the profile itself */
async function putBack(
  context: Context,
  file: string,
  base: OpenProfile,
  { save, added }: Completed,
  copy: string | null,
): Promise<RestoreReport> {
  const { profile, access, key } = base
  const report = { file, key, copy, friends: readFriends(save).friends.length, added }
  const { nowSec } = context
  if (copy === null) {
    const isSame = equalBytes(encodeSave(save), encodeSave(profile.save))
    const backup = isSame ? null : await writeProfile(profile, save, { ...access, nowSec })
    return { ...report, written: !isSame, backup }
  }
  const passphrase = profile.isEncrypted ? (access.passphrase ?? null) : null
  const { backup } = await createProfile(file, save, { engine: access.engine, passphrase, force: true, nowSec })
  return { ...report, written: true, backup }
}

/** Never seen until now: the client fills in the rest when it first connects. */
function withFriends(save: ToxSave, added: RestoreReport['added']): ToxSave {
  if (added.length === 0) return save
  const records = added.map(({ key, name }) => {
    const publicKey = parseHex(key) ?? new Uint8Array()
    return encodeFriend({ publicKey, name: encodeUtf8(name), statusMessage: new Uint8Array(), lastSeenSec: 0 })
  })
  return withSection(save, SECTION_FRIENDS, concatBytes(...splitRecords(save), ...records))
}

function formatRestored(report: RestoreReport): string[] {
  const { copy, friends, added, written, backup } = report
  const file = escapeText(report.file)
  const names = added.map(({ name, key }) => `added ${showName(name === '' ? 'no name' : name, key)}`)
  if (!written) return [`${file} is whole and stays as it is; an older copy is put back with --copy`]
  return [
    copy === null ? `wrote ${file}` : `put ${escapeText(copy)} back as ${file}`,
    `friends: ${friends}`,
    ...names,
    ...(backup === null ? [] : [`backup:  ${escapeText(backup)}, what stood there before`]),
    `the table in it may be old; write the current one: persona tox publish ${file}`,
  ]
}
