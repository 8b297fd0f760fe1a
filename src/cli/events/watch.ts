/** `persona watch`: events as they happen, a line each. */
import type { LaggedEvent } from '../../ipc/client.ts'
import type { ContactChange, DaemonEvent, EventData } from '../../ipc/shapes/events.ts'
import { withDaemon } from '../io/connect.ts'
import { print, remark, type Context } from '../io/context.ts'
import { CliError, EXIT_DONE } from '../io/errors.ts'
import { escapeText, keyTail, showName } from '../io/escape.ts'
import { interrupted } from '../io/interrupts.ts'
import { countOf, two } from '../io/layout.ts'

/** Until Ctrl-C, which is the usual end, or until the daemon goes away, which is a failure. */
export async function watch(context: Context, options: { readonly after?: string } = {}): Promise<number> {
  const after = parseNumber(options.after)
  return await withDaemon(context, async (client) => {
    const stopped = interrupted()
    await client.subscribe(null, (event) => print(context, event, [formatEvent(event)]), after)
    remark(context, 'watching; Ctrl-C ends it')
    const reason = await Promise.race([stopped, client.closed])
    if (reason !== null) throw reason
    return EXIT_DONE
  })
}

function parseNumber(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  if (/^\d{1,15}$/.test(text)) return Number(text)
  throw new CliError('USAGE', `--after is the number of an event, and not "${text}"`)
}

export function formatEvent(event: DaemonEvent | LaggedEvent): string {
  if (event.event === 'lagged')
    return `${countOf(event.data.missed, 'event')} missed behind number ${event.data.after}: see persona log`
  const at = new Date(event.atSec * 1000)
  const time = [at.getHours(), at.getMinutes(), at.getSeconds()].map(two).join(':')
  return `${time} ${describeEvent(event)}`
}

/** An event in a line, without its time. */
const LOCK_NEWS: Readonly<Record<EventData['locked']['cause'], string>> = {
  request: 'by a command',
  signal: 'by a signal',
  idle: 'because nothing was signed for a while',
  ttl: 'because it was open for long',
  unlock: '',
}

export function describeEvent(event: DaemonEvent): string {
  switch (event.event) {
    case 'contact.changed': {
      const { contact, changes } = event.data
      return `${showName(contact.name, contact.personaId ?? contact.active)}: ${changes.map(describeChange).join('; ')}`
    }
    case 'contact.forgotten': {
      const { name, personaId, key } = event.data
      return `${showName(name, personaId ?? key)} is forgotten`
    }
    case 'device.added': {
      const { contact, device, personaId } = event.data
      return `${showName(contact, personaId)} lists a new device, ${showName(device.name, device.key)}`
    }
    case 'own.changed': {
      const { table, cause, unapproved } = event.data
      const asked = unapproved.map(
        ({ name, key }) => `; is ${showName(name, key)} yours? persona device approve, or remove --lost`,
      )
      return `your table is now number ${table.seq} of epoch ${table.epoch}, with ${countOf(table.devices.length, 'device')} (${escapeText(cause)})${asked.join('')}`
    }
    case 'own.unsigned':
      return escapeText(event.data.message)
    case 'own.intent-dropped':
      return `an edit of yours was dropped: ${escapeText(event.data.intent)}, ${escapeText(event.data.reason)}; to repeat it: ${escapeText(event.data.command)}`
    case 'alarm':
      return `ALARM ${escapeText(event.data.message)} (${event.data.code})`
    case 'locked': {
      const { locked, cause } = event.data
      return locked ? `the signing key was locked ${LOCK_NEWS[cause]}` : 'the signing key was opened'
    }
    case 'app.changed': {
      const { app, what, can, asks } = event.data
      const named = (what === 'requested' ? asks : can).join(', ')
      return `app ${escapeText(app)} ${APP_NEWS[what]}: ${named === '' ? 'nothing' : named}`
    }
    case 'clock':
      return `clock: ${escapeText(event.data.message)}`
    case 'pending.new':
      return `${showName(event.data.contact, event.data.key ?? event.data.personaId)}: a table waits for your answer (persona pending): ${event.data.changes.map(describeChange).join('; ')}${describeSource(event.data.source)}`
    case 'pending.answered':
      return `${showName(event.data.contact, event.data.key ?? event.data.personaId)}: you ${event.data.accepted ? 'accepted' : 'rejected'} what waited`
    case 'pairing.cancelled':
      return 'the pairing that was under way was cancelled'
    case 'profile.blob-lost':
      return escapeText(event.data.message)
    case 'profile.due':
      return `${escapeText(event.data.path)} does not show your present table yet`
    case 'profile.repaired': {
      const { path, seq, backup } = event.data
      return `${escapeText(path)} shows table ${seq} again; what was there before is in ${escapeText(backup)}`
    }
    case 'tox.connected':
      return TOX_CONNECTED[event.data.connection]
    case 'tox.peer': {
      const { key, contact, change } = event.data
      return `${showName(contact ?? 'a device of nobody', key)} ${TOX_PEER[change]}`
    }
    case 'tox.request': {
      const { key, personaId } = event.data
      const who = personaId === null ? 'somebody' : `persona ${personaId}`
      return `${who} asks to be a friend of your companion; to let him in: persona tox add ${key}`
    }
    default:
      return nothingElse(event)
  }
}

/** By whose report something came; entries of the history that were written earlier may not say. */
export function describeSource(source: string | undefined): string {
  if (source === undefined) return ''
  if (source === 'owner') return ' (by you)'
  const profile = /^profile:([\dA-F]{64})$/.exec(source)?.[1]
  return ` (reported by ${profile === undefined ? escapeText(source) : `profile ${keyTail(profile)}`})`
}

/** A daemon that is newer than this program may have events that are not known here. */
function nothingElse(event: never): string {
  const { event: name } = event as { readonly event: string }
  return `${escapeText(name)}: an event of a newer daemon; --json prints it`
}

const APP_NEWS: Readonly<Record<string, string>> = {
  allowed: 'is allowed',
  requested: 'asks to be allowed (persona app pending)',
  accepted: 'asked, and is allowed',
  rejected: 'was refused what it asked for, and may',
  revoked: 'is no longer allowed',
}

const TOX_CONNECTED = {
  none: 'the companion has lost the Tox network',
  tcp: 'the companion reaches the Tox network, through relays',
  udp: 'the companion reaches the Tox network',
} as const
const TOX_PEER = {
  added: 'is a friend of your companion now',
  online: 'is online',
  offline: 'is offline',
  left: "is in nobody's table any more, and still a friend of your companion",
} as const

const CHANGES: Readonly<Record<ContactChange['kind'], string>> = {
  created: 'first seen',
  upgraded: 'has a persona now',
  added: 'lists the device',
  removed: 'no longer lists',
  renamed: 'renamed a device to',
  activated: 'made active',
  rotated: 'has a new signing key',
  confirmed: 'confirmed',
  unconfirmed: 'no longer confirmed',
  repinned: 'has the chain of keys that you chose',
  called: 'is called',
  blocked: 'blocked',
  unblocked: 'no longer blocked',
  split: 'is no longer the owner of',
  verified: 'verified by you',
  policy: 'policy is now',
}

/** What happens to the contact as a whole, whose name stands in front of it already. */
const OF_CONTACT: ReadonlySet<ContactChange['kind']> = new Set(['created', 'upgraded', 'blocked', 'unblocked'])

/** One change of a contact. */
export function describeChange(change: ContactChange): string {
  const who = change.name === null || OF_CONTACT.has(change.kind) ? '' : ` ${showName(change.name, change.key)}`
  if (change.kind === 'renamed' && change.was !== undefined) return `renamed ${showName(change.was, null)} to${who}`
  return `${CHANGES[change.kind] ?? escapeText(change.kind)}${who}`
}
