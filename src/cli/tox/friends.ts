/** `persona tox friends`: the contact list of a profile, edited while no client runs on it. */
import { formatHex } from '../../core/encoding/bytes.ts'
import { parseToxId, parseToxPk } from '../../tox/save/address.ts'
import { encodeToxName, findFriend, withFriend, withoutFriends } from '../../tox/save/edit.ts'
import { encodeFriend, encodeFriendRequest } from '../../tox/save/friends.ts'
import { mergeFriends, type MergedFriend } from '../../tox/save/merge.ts'
import { encodeToxText } from '../../tox/save/publish.ts'
import type { ToxSave } from '../../tox/save/savefile.ts'
import { print, type Context } from '../io/context.ts'
import { CliError, EXIT_DONE } from '../io/errors.ts'
import { escapeText, showName } from '../io/escape.ts'
import { exportFriends } from './friends-export.ts'
import { countOf } from '../io/layout.ts'
import { commitEdit, formatEdit, openProfile, type EditOptions, type EditReport } from './edit.ts'
import { profileOpener, type OpenProfile } from './open.ts'

const ACTIONS = ['add', 'remove', 'merge', 'export'] as const
const TOX_ID_DIGITS = 76

export interface FriendsOptions extends EditOptions {
  readonly name?: string
  readonly request?: string
  /** Said aloud what `export` does without --json in any case */
  readonly yaml?: true
}

/** What `--json` prints of an edit. */
export interface FriendsReport extends EditReport {
  changes: FriendChange[]
}

export interface FriendChange {
  key: string
  name: string
  change: 'added' | 'requested' | 'removed' | 'accepted' | 'newer'
  /** The profile that a merged contact was taken from, else null. */
  from: string | null
}

/** @throws {CliError} USAGE for what does not fit the action */
export async function friends(
  context: Context,
  file: string,
  action: string,
  who: readonly string[],
  options: FriendsOptions,
): Promise<number> {
  const known = ACTIONS.find((name) => name === action)
  if (known === undefined) throw new CliError('USAGE', `"${action}" is not one of ${ACTIONS.join(', ')}`)
  checkWords(known, who, options)
  if (known === 'export') return await exportFriends(context, await openProfile(file, options))
  if (known === 'merge') return await merge(context, file, who, options)
  const opened = await openProfile(file, options)
  return known === 'add' ? await add(context, opened, who[0]!, options) : await remove(context, opened, who, options)
}

function checkWords(action: (typeof ACTIONS)[number], who: readonly string[], options: FriendsOptions): void {
  const isAdd = action === 'add'
  if (!isAdd && (options.name !== undefined || options.request !== undefined))
    throw new CliError('USAGE', '--name and --request are for add')
  if (action !== 'export' && options.yaml === true) throw new CliError('USAGE', '--yaml is for export')
  if (isAdd ? who.length === 1 : action === 'export' ? who.length === 0 : who.length > 0) return
  const wanted = { add: 'one Tox ID or ToxPk', remove: 'names or keys', merge: 'other profiles', export: 'nothing' }
  throw new CliError('USAGE', `${action} takes ${wanted[action]}`)
}

async function add(context: Context, opened: OpenProfile, who: string, options: FriendsOptions): Promise<number> {
  const { save, done, change } = addition(opened.profile.save, who, options)
  const edit = await commitEdit(context, opened, save, options)
  const report: FriendsReport = { ...edit, changes: [change] }
  print(context, report, formatEdit(edit, done))
  return EXIT_DONE
}

/** Without a request the friend is taken as one who accepted: Tox then connects as soon as the other side has this key as well. */
function addition(
  save: ToxSave,
  who: string,
  { name, request }: FriendsOptions,
): { save: ToxSave; done: string[]; change: FriendChange } {
  const publicKey = parseToxPk(who.trim())
  const key = formatHex(publicKey)
  if (request !== undefined) {
    if (name !== undefined) throw new CliError('USAGE', 'Tox keeps no name with a request: give --name or --request')
    if (who.trim().length !== TOX_ID_DIGITS)
      throw new CliError('USAGE', 'a request needs the whole Tox ID, 76 hex digits')
    const record = encodeFriendRequest({ ...parseToxId(who.trim()), text: encodeToxText(request) })
    const done = [`requested: ${key}`, 'the client sends the request when it next starts']
    return { save: withFriend(save, record), done, change: { key, name: '', change: 'requested', from: null } }
  }
  const record = encodeFriend({
    publicKey,
    name: encodeToxName(name ?? ''),
    statusMessage: new Uint8Array(0),
    lastSeenSec: 0,
  })
  const done = [
    `added ${showName(name ?? 'no name', null)}, ${key}`,
    'you connect once the other side has added your key too; --request TEXT asks for that',
  ]
  return { save: withFriend(save, record), done, change: { key, name: name ?? '', change: 'added', from: null } }
}

async function remove(
  context: Context,
  opened: OpenProfile,
  who: readonly string[],
  options: FriendsOptions,
): Promise<number> {
  const found = who.map((name) => findFriend(opened.profile.save, name, keyIn(name), escapeText))
  const save = withoutFriends(
    opened.profile.save,
    found.map(({ publicKey }) => publicKey),
  )
  const edit = await commitEdit(context, opened, save, options)
  const changes = found.map(({ publicKey, name }): FriendChange => {
    return { key: formatHex(publicKey), name: name.text, change: 'removed', from: null }
  })
  const done = changes.map(({ name, key }) => `removed ${showName(name === '' ? 'no name' : name, null)}, ${key}`)
  print(context, { ...edit, changes } satisfies FriendsReport, formatEdit(edit, done))
  return EXIT_DONE
}

/** The key that a text is, or null: then it is a name. */
function keyIn(text: string): Uint8Array | null {
  return /^([0-9A-Fa-f]{64}|[0-9A-Fa-f]{76})$/.test(text) ? parseToxPk(text) : null
}

/** One passphrase file opens all of them; without one the terminal is asked for each that is encrypted. */
async function merge(
  context: Context,
  file: string,
  others: readonly string[],
  options: FriendsOptions,
): Promise<number> {
  const open = profileOpener({ file: options.passphraseFile, option: '--passphrase-file' })
  const opened = await open(file)
  const saves: ToxSave[] = []
  for (const other of others) saves.push((await open(other)).profile.save)
  const { save, changes: merged } = mergeFriends(opened.profile.save, saves)
  const edit = await commitEdit(context, opened, save, options)
  const changes = merged.map(({ publicKey, name, why, from }): FriendChange => {
    return { key: formatHex(publicKey), name, change: why, from: others[from]! }
  })
  print(context, { ...edit, changes } satisfies FriendsReport, formatEdit(edit, formatMerged(changes)))
  return EXIT_DONE
}

const WHY: Readonly<Record<MergedFriend['why'], string>> = {
  added: 'added',
  accepted: 'has accepted there',
  newer: 'was seen later there: name and status message are from there',
}

function formatMerged(changes: readonly FriendChange[]): string[] {
  const lines = changes.map(({ key, name, change, from }) => {
    const why = change === 'added' || change === 'accepted' || change === 'newer' ? WHY[change] : change
    return `${showName(name === '' ? 'no name' : name, key)}: ${why} (${escapeText(from ?? '')})`
  })
  const added = changes.filter(({ change }) => change === 'added').length
  return [...lines, `${countOf(added, 'contact')} added, ${changes.length - added} brought up to date`]
}
