/** `persona watch`: prints events as they happen, one line each. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { LaggedEvent } from '../../ipc/client.ts'
import type { ContactChange, OwnCause } from '../../ipc/shapes/events.ts'
import type { DaemonEvent, EventData } from '../../ipc/methods/events.ts'
import { describeChannelEvent } from './channels.ts'
import { describeChatEvent } from './chats.ts'
import { describeLinkEvent } from './links.ts'
import { describeMessageEvent } from './messages.ts'
import { hasCode, isUnreachable, withDaemon } from '../io/connect.ts'
import { print, remark, type Context } from '../io/context.ts'
import { CliError, EXIT_DONE } from '../io/errors.ts'
import { escapeText, keyTail, showName } from '../io/escape.ts'
import { interrupted } from '../io/interrupts.ts'
import { countOf, tableNumbers, two } from '../io/layout.ts'

const AGAIN_MS = 1000 // sanity: a daemon starts within a second or two

/** Runs until Ctrl-C, which is a success. If the daemon goes away, it waits for it, and goes on after the last event that it printed. */
export async function watch(context: Context, options: { readonly after?: string } = {}): Promise<number> {
  let after = parseNumber(options.after)
  const stopped = interrupted()
  const show = (event: DaemonEvent | LaggedEvent): void => {
    // Events that the history does not keep have the number 0.
    if (event.event !== 'lagged' && event.id > 0) after = event.id
    print(context, event, [formatEvent(event, context.verbose)])
  }
  // A daemon that does not run at the beginning is an error; later it may be restarting.
  for (let isFirst = true; ; isFirst = false) {
    try {
      if (await watchOnce(context, after, show, stopped, isFirst)) return EXIT_DONE
    } catch (error) {
      if (isFirst || !isAway(error)) throw error
    }
    if ((await Promise.race([stopped, sleep(AGAIN_MS, 'again')])) === null) return EXIT_DONE
  }
}

/** @returns false if the daemon went away */
async function watchOnce(
  context: Context,
  after: number | undefined,
  show: (event: DaemonEvent | LaggedEvent) => void,
  stopped: Promise<null>,
  isFirst: boolean,
): Promise<boolean> {
  return await withDaemon(context, async (client) => {
    await client.subscribe(null, show, after)
    remark(context, isFirst ? 'watching for events; press Ctrl-C to stop' : 'the daemon is back')
    const reason = await Promise.race([stopped, client.closed])
    if (reason === null) return true
    if (!isAway(reason)) throw reason
    remark(context, 'the daemon went away; waiting for it')
    return false
  })
}

function isAway(error: unknown): boolean {
  return isUnreachable(error) || hasCode(error, 'CONNECTION_CLOSED') || hasCode(error, 'TIMEOUT')
}

function parseNumber(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  if (/^\d{1,15}$/.test(text)) return Number(text)
  throw new CliError('USAGE', `--after needs the number of an event, not "${text}"`)
}

export function formatEvent(event: DaemonEvent | LaggedEvent, verbose = false): string {
  if (event.event === 'lagged')
    return `missed ${countOf(event.data.missed, 'event')} after number ${event.data.after}; see them with: persona log`
  const at = new Date(event.atSec * 1000)
  const time = [at.getHours(), at.getMinutes(), at.getSeconds()].map(two).join(':')
  return `${time} ${describeEvent(event, verbose)}`
}

/** Describes an event in one line, without its time. */
export function describeEvent(event: DaemonEvent, verbose = false): string {
  switch (event.event) {
    case 'contact.changed': {
      const { contact, changes } = event.data
      return `${showName(contact.name, contact.personaId ?? contact.active)}: ${describeChanges(changes)}`
    }
    case 'contact.forgotten': {
      const { name, personaId, key } = event.data
      return `${showName(name, personaId ?? key)}: forgotten`
    }
    case 'contact.replaced': {
      const { name, personaId, successor } = event.data
      return `${showName(name, successor)}: takes the place of persona ${keyTail(personaId)}`
    }
    case 'device.added': {
      const { contact, device, personaId } = event.data
      return `${showName(contact, personaId)}: lists a new device, ${showName(device.name, device.key)}`
    }
    case 'device.short':
      return `device ${keyTail(event.data.key)} shows a short status of a persona that is not known here yet`
    case 'own.changed':
      return describeOwnChange(event.data, verbose)
    case 'own.unsigned':
      return escapeText(event.data.message)
    case 'own.intent-dropped': {
      const { intent, reason, command } = event.data
      return `your edit was dropped: ${escapeText(intent)}, because ${escapeText(reason)}; to repeat it: ${escapeText(command)}`
    }
    case 'alarm':
      return `ALARM ${escapeText(event.data.message)} (${event.data.code})`
    case 'locked': {
      const { locked, cause } = event.data
      return locked ? `the signing key is locked${LOCK_CAUSES[cause]}` : 'the signing key is unlocked'
    }
    case 'app.changed': {
      const { app, what, can, asks } = event.data
      const named = (what === 'requested' ? asks : can).join(', ')
      return `app ${escapeText(app)} ${APP_CHANGES[what]}: ${named === '' ? 'nothing' : named}`
    }
    case 'clock':
      return `clock: ${escapeText(event.data.message)}`
    case 'pending.new': {
      const { contact, key, personaId, changes, source } = event.data
      return `${showName(contact, key ?? personaId)}: a change needs your decision (persona pending): ${changes.map(describeChange).join('; ')}${describeSource(source)}`
    }
    case 'pending.answered': {
      const { contact, key, personaId, accepted } = event.data
      return `${showName(contact, key ?? personaId)}: you ${accepted ? 'accepted' : 'rejected'} the pending change`
    }
    case 'pairing.cancelled':
      return 'the pairing was cancelled'
    case 'profile.blob-lost':
    case 'profile.lost':
      return escapeText(event.data.message)
    case 'profile.due':
      return `${escapeText(event.data.path)} does not show your current table yet`
    case 'profile.repaired': {
      const { path, epoch, seq, backup } = event.data
      return `${escapeText(path)} shows your table again${tableNumbers(verbose, { epoch, seq })}; its backup is ${escapeText(backup)}`
    }
    case 'tox.connected':
      return TOX_CONNECTED[event.data.connection]
    case 'tox.peer': {
      const { key, contact, change } = event.data
      return `${showName(contact ?? 'unknown device', key)} ${TOX_PEER[change]}`
    }
    case 'tox.request': {
      const { key, personaId } = event.data
      const who = personaId === null ? 'an unknown device' : `persona ${personaId}`
      return `${who} asks to be a friend of your companion; to accept: persona tox add ${key}`
    }
    case 'channel.changed':
    case 'channel.content':
    case 'channel.delivered':
    case 'channel.way':
    case 'channel.alarm':
      return describeChannelEvent(event)
    case 'message.arrived':
    case 'message.changed':
    case 'message.request':
      return describeMessageEvent(event)
    case 'app.linked':
    case 'app.unlinked':
    case 'app.proposal':
      return describeLinkEvent(event)
    case 'chat.sent':
      return describeChatEvent(event)
    default:
      return unknownEvent(event)
  }
}

function describeOwnChange({ table, cause, unapproved, app }: EventData['own.changed'], verbose: boolean): string {
  if (cause === 'card' && app !== undefined)
    return `your card for ${escapeText(app)}: changed by another of your devices, or by somebody who has its key; see: persona status`
  const count = countOf(table.devices.length, 'device')
  const questions = unapproved.map(
    ({ name, key }) =>
      `; is ${showName(name, key)} yours? If so: persona device approve; if not: persona device remove --lost`,
  )
  return `your table: ${OWN_CAUSES[cause] ?? escapeText(cause)}; it lists ${count}${tableNumbers(verbose, table)}${questions.join('')}`
}

/** Names the source of a change. Entries from older versions have none. */
export function describeSource(source: string | undefined): string {
  if (source === undefined) return ''
  if (source === 'owner') return ' (by you)'
  const profile = /^profile:([\dA-F]{64})$/.exec(source)?.[1]
  return ` (reported by ${profile === undefined ? escapeText(source) : `profile ${keyTail(profile)}`})`
}

/** A newer daemon may send events that this program does not know. */
function unknownEvent(event: never): string {
  const { event: name } = event as { readonly event: string }
  return `${escapeText(name)}: an event of a newer daemon; see its data with --json`
}

const LOCK_CAUSES: Readonly<Record<EventData['locked']['cause'], string>> = {
  request: ' by a command',
  signal: ' by a signal',
  idle: ', because nothing was signed for a while',
  ttl: ', because it was open for a long time',
  unlock: '',
}

const OWN_CAUSES: Readonly<Partial<Record<OwnCause, string>>> = {
  init: 'created',
  add: 'device added',
  rename: 'device renamed',
  activate: 'active device changed',
  remove: 'device removed',
  rekey: 'device key changed',
  resign: 'signed again',
  replay: 'your earlier edit repeated',
  sibling: 'newer table from another of your devices',
  approve: 'device approved',
  rotate: 'key rotated',
  follow: 'key received after a rotation elsewhere',
  import: 'brought to this device',
  copied: 'restored or copied; nothing is signed before a copy of your table is read',
  succeed: 'a new persona follows your earlier one',
  'succession-end': 'it no longer says which persona yours follows',
  succeeded: 'another of your devices made a new persona that follows it',
  reconcile: 'up to date again after the restore',
}

const APP_CHANGES: Readonly<Record<string, string>> = {
  allowed: 'may now',
  requested: 'asks for permission (persona app pending)',
  accepted: 'asked, and may now',
  rejected: 'was rejected, and may',
  revoked: 'was revoked, and may',
}

const TOX_CONNECTED = {
  none: 'the companion lost the Tox network',
  tcp: 'the companion is connected to the Tox network, through relays',
  udp: 'the companion is connected to the Tox network',
} as const
const TOX_PEER = {
  added: 'is now a friend of your companion',
  online: 'is online',
  offline: 'is offline',
  left: 'is no longer in any table, but still a friend of your companion',
} as const

const CHANGES: Readonly<Record<ContactChange['kind'], (what: string) => string>> = {
  created: () => 'first seen',
  upgraded: () => 'now has a persona',
  added: (device) => `lists a new device, ${device}`,
  removed: (device) => `no longer lists ${device}`,
  renamed: (device) => `renamed a device to ${device}`,
  activated: (device) => `${device} is now the active device`,
  rotated: () => 'has a new signing key',
  confirmed: (device) => `${device} is now trusted`,
  unconfirmed: (device) => `${device} is no longer trusted`,
  repinned: () => 'now has the chain of keys that you chose',
  called: (name) => `is now called ${name}`,
  blocked: () => 'blocked',
  unblocked: () => 'no longer blocked',
  joined: (name) => `joined with ${name}`,
  split: (device) => `no longer owns ${device}`,
  verified: () => 'verified by you',
  succeeded: () => 'goes on under a new persona',
  policy: (policy) => `policy is now ${policy}`,
}

/** Describes the changes of one event. An event without any stands for those that the history left out. */
export function describeChanges(changes: readonly ContactChange[]): string {
  return changes.length === 0
    ? 'changed more often than the history keeps; look at it'
    : changes.map(describeChange).join('; ')
}

/** Describes one change of a contact, without the contact's name. */
export function describeChange({ kind, name, key, was }: ContactChange): string {
  const what = name === null ? 'a device' : showName(name, key)
  if (kind === 'renamed' && was !== undefined) return `renamed ${showName(was, null)} to ${what}`
  // A newer daemon may send kinds that this program does not know.
  return Object.hasOwn(CHANGES, kind) ? CHANGES[kind](what) : escapeText(kind)
}
