/** The text of a desktop notification for an event; most events have none (docs/guide/service.md). Pure. */
import type { DaemonEvent, EventData } from '../../ipc/methods/events.ts'
import type { NoticeKind } from './config.ts'

/** Levels of the Desktop Notifications Specification. A locked screen shows no low one. */
export type Urgency = 'low' | 'normal'

export interface Notice {
  readonly kind: NoticeKind
  readonly urgency: Urgency
  /** One line of plain text. */
  readonly summary: string
  /** Plain text; the sender escapes it. */
  readonly body: string
}

const CHANNEL_ALARMS: Readonly<Record<EventData['channel.alarm']['code'], string>> = {
  INVITE_TWICE: 'A second person came with an invite of yours. The first may have been the wrong one.',
  INTERCEPTED: 'Somebody else used an invite that you were given, perhaps you on another device.',
  MISBOUND: 'Another persona came than that of the invite. Nothing was sent to it.',
}

/** The owner is asked about a contact, or somebody stands between the two ends of their channel. */
function proposalNotice({ app, by, name, state }: EventData['app.proposal']): Notice | null {
  if (state === 'proposed' || state === 'acceptedThere')
    return low('waiting', `${name} is proposed`, `${by} introduces ${name} to ${app}.`)
  if (state !== 'alarm') return null
  const body = `The channel with ${name} in ${app} was made by somebody in between. Close it.`
  return { kind: 'alarms', urgency: 'normal', summary: 'Alarm of a channel', body }
}

/** A key or a hash: everybody who passes can read a screen, and nobody compares 64 digits there. */
const KEY = /\b[0-9A-Fa-f]{16,}\b/g

/**
 * Reads an event as something that the owner should not miss; null for all others, such as the changes that the policy `auto` accepts.
 * @param unapproved keys of own devices that were shown before as waiting for approval
 */
export function noticeOf(event: DaemonEvent, unapproved: ReadonlySet<string>): Notice | null {
  const notice = noticeWithKeys(event, unapproved)
  return notice && { ...notice, summary: withoutKeys(notice.summary), body: withoutKeys(notice.body) }
}

function noticeWithKeys(event: DaemonEvent, unapproved: ReadonlySet<string>): Notice | null {
  switch (event.event) {
    case 'alarm':
      return { kind: 'alarms', urgency: 'normal', summary: 'Alarm of personad', body: sentence(event.data.message) }
    case 'profile.lost':
      return {
        kind: 'alarms',
        urgency: 'normal',
        summary: 'A Tox profile lost its keys',
        body: sentence(event.data.message),
      }
    case 'channel.alarm':
      return {
        kind: 'alarms',
        urgency: 'normal',
        summary: 'Alarm of a channel',
        body: CHANNEL_ALARMS[event.data.code],
      }
    case 'device.added': {
      const { contact, device } = event.data
      return low('devices', `New device of ${contact}`, `The table of ${contact} lists the new device ${device.name}.`)
    }
    case 'pending.new':
      return pendingNotice(event.data)
    case 'own.changed':
      return ownNotice(event.data, unapproved)
    case 'own.unsigned':
      return low('waiting', 'Your table grows old', sentence(event.data.message))
    case 'app.changed':
      return event.data.what === 'requested'
        ? low('waiting', 'An app asks for rights', `The app ${event.data.app} waits for your answer.`)
        : null
    case 'app.linked':
      return event.data.state === 'asked'
        ? low(
            'waiting',
            'An app asks for a link',
            `The app ${event.data.app} asks to be linked with ${event.data.other}.`,
          )
        : null
    case 'app.proposal':
      return proposalNotice(event.data)
    case 'tox.request':
      return low('waiting', 'Request to the companion', 'A Tox device asks to become a friend of your companion.')
    case 'message.request':
      return low(
        'waiting',
        'A message of a stranger',
        `Somebody who is no contact sends messages for ${event.data.app}.`,
      )
    // These happen without the owner, or the owner caused them, or status and doctor show them until they are mended.
    case 'app.unlinked':
    case 'channel.changed':
    case 'channel.content':
    case 'channel.delivered':
    case 'channel.way':
    case 'chat.sent':
    case 'clock':
    case 'contact.changed':
    case 'contact.forgotten':
    case 'contact.replaced':
    case 'device.short':
    case 'locked':
    case 'message.arrived':
    case 'message.changed':
    case 'own.intent-dropped':
    case 'pairing.cancelled':
    case 'pending.answered':
    case 'profile.blob-lost':
    case 'profile.due':
    case 'profile.repaired':
    case 'tox.connected':
    case 'tox.peer':
      return null
    // An event of a wing that this list does not know.
    default:
      return null
  }
}

function pendingNotice({ contact, kind }: EventData['pending.new']): Notice {
  const body = {
    update: `${contact} has a newer table. It waits for your decision.`,
    upgrade: `${contact} shows a persona. It waits for your decision.`,
    elsewhere: `Another of your devices reports something about ${contact}. It waits for your decision.`,
    held: `A table of ${contact} is far ahead of the known one. It waits for your decision.`,
    successor: `Another persona says that it follows ${contact}. It waits for your decision.`,
  }[kind]
  return low('waiting', `${contact}: a change waits`, body)
}

/** Only devices that were not shown yet: the event repeats all that wait. */
function ownNotice(data: EventData['own.changed'], shown: ReadonlySet<string>): Notice | null {
  const names = data.unapproved.filter(({ key }) => !shown.has(key)).map(({ name }) => name)
  if (names.length === 0) return null
  const what = names.length === 1 ? `the device ${names[0]}` : `the devices ${names.join(', ')}`
  const body = `Another of your devices added ${what}. Approve it if you did that; rotate the key without it if you did not.`
  return { kind: 'waiting', urgency: 'normal', summary: 'New device in your own table', body }
}

function low(kind: NoticeKind, summary: string, body: string): Notice {
  return { kind, urgency: 'low', summary, body }
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? '' : '.'}`
}

function withoutKeys(text: string): string {
  return text.replaceAll(KEY, '(key)')
}
