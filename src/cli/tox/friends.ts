/** `persona tox friends`: edits the friend list of a profile while no client has it open. */
import { formatHex } from '../../core/encoding/bytes.ts'
import { parseToxId, parseToxPk } from '../../tox/save/address.ts'
import { encodeToxName, findFriend, withFriend, withoutFriends } from '../../tox/save/edit.ts'
import { encodeFriend, encodeFriendRequest } from '../../tox/save/friends.ts'
import { mergeFriends, type MergedFriend } from '../../tox/save/merge.ts'
import { encodeToxText } from '../../tox/save/status-message.ts'
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
  /** Explicit form of what `export` does by default */
  readonly yaml?: true
}

/** Printed by `--json` for an edit. */
export interface FriendsReport extends EditReport {
  changes: FriendChange[]
}

export interface FriendChange {
  key: string
  name: string
  change: 'added' | 'requested' | 'removed' | 'accepted' | 'newer'
  /** The profile that a merged friend came from, else null. */
  from: string | null
}

/** @throws {CliError} USAGE if arguments or options do not fit the action */
export async function friends(
  context: Context,
  file: string,
  action: string,
  who: readonly string[],
  options: FriendsOptions,
): Promise<number> {
  const known = ACTIONS.find((name) => name === action)
  if (known === undefined) throw new CliError('USAGE', `"${action}" is not one of ${ACTIONS.join(', ')}`)
  checkArguments(known, who, options)
  if (known === 'export') return await exportFriends(context, await openProfile(file, options))
  if (known === 'merge') return await merge(context, file, who, options)
  const opened = await openProfile(file, options)
  return known === 'add' ? await add(context, opened, who[0]!, options) : await remove(context, opened, who, options)
}

function checkArguments(action: (typeof ACTIONS)[number], who: readonly string[], options: FriendsOptions): void {
  const isAdd = action === 'add'
  if (!isAdd && (options.name !== undefined || options.request !== undefined))
    throw new CliError('USAGE', '--name and --request are only for add')
  if (action !== 'export' && options.yaml === true) throw new CliError('USAGE', '--yaml is only for export')
  if (isAdd ? who.length === 1 : action === 'export' ? who.length === 0 : who.length > 0) return
  const wanted = {
    add: 'needs one Tox ID or ToxPk',
    remove: 'needs names or keys',
    merge: 'needs other profiles',
    export: 'takes no names or keys',
  }
  throw new CliError('USAGE', `${action} ${wanted[action]}`)
}

async function add(context: Context, opened: OpenProfile, who: string, options: FriendsOptions): Promise<number> {
  const { save, done, change } = addition(opened.profile.save, who, options)
  const edit = await commitEdit(context, opened, save, options)
  const report: FriendsReport = { ...edit, changes: [change] }
  print(context, report, formatEdit(edit, done))
  return EXIT_DONE
}

/** Without a request the friend counts as accepted: Tox connects as soon as the other side adds this key too. */
function addition(
  save: ToxSave,
  who: string,
  { name, request }: FriendsOptions,
): { save: ToxSave; done: string[]; change: FriendChange } {
  const publicKey = parseToxPk(who.trim())
  const key = formatHex(publicKey)
  if (request !== undefined) {
    if (name !== undefined)
      throw new CliError('USAGE', 'a friend request cannot hold a name: give either --name or --request')
    if (who.trim().length !== TOX_ID_DIGITS)
      throw new CliError('USAGE', '--request needs the whole Tox ID, 76 hex digits')
    const record = encodeFriendRequest({ ...parseToxId(who.trim()), text: encodeToxText(request) })
    const done = [`added a friend request to ${key}`, 'your Tox client sends it the next time it opens this profile']
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
    'you connect once the other side adds your key too; to ask for that, use --request TEXT',
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

/** Returns the key, or null if the text is a name. */
function keyIn(text: string): Uint8Array | null {
  return /^([0-9A-Fa-f]{64}|[0-9A-Fa-f]{76})$/.test(text) ? parseToxPk(text) : null
}

/** One passphrase file opens all profiles. Without it, the terminal asks for the passphrase of each encrypted one. */
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
  accepted: 'has accepted your request',
  newer: 'updated name and status message',
}

function formatMerged(changes: readonly FriendChange[]): string[] {
  const lines = changes.map(({ key, name, change, from }) => {
    const why = change === 'added' || change === 'accepted' || change === 'newer' ? WHY[change] : change
    return `${showName(name === '' ? 'no name' : name, key)}: ${why} (from ${escapeText(from ?? '')})`
  })
  const added = changes.filter(({ change }) => change === 'added').length
  return [...lines, `${countOf(added, 'friend')} added, ${changes.length - added} updated`]
}
