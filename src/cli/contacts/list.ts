/** `persona contact list`: people first, the most urgent ones at the top. Tox friends without a persona are counted, and shown on request. */
import type { Client } from '../../ipc/client.ts'
import type { Alarm } from '../../ipc/shapes/alarms.ts'
import type { Contact, ContactPage } from '../../ipc/shapes/contact.ts'
import { withDaemon } from '../io/connect.ts'
import { print, type Context } from '../io/context.ts'
import { bold, red, yellow } from '../io/style.ts'
import { EXIT_DONE } from '../io/errors.ts'
import { keyTail, showName } from '../io/escape.ts'
import { countOf, cutText, formatTable, formatTime } from '../io/layout.ts'
import { formatAlarms, isAbout } from '../io/needs.ts'
import { contactState } from './states.ts'

const MAX_NAME_COLUMNS = 40 // sanity: a name must not push the rest off the screen

export interface ListOptions {
  /** Also friends without a persona. */
  readonly all?: true
  /** Also blocked contacts. */
  readonly blocked?: true
  /** Only contacts with an alarm. */
  readonly alarm?: true
  /** Only contacts with a change that needs the owner. */
  readonly pending?: true
  /** Only contacts with unconfirmed devices. */
  readonly unconfirmed?: true
}

/** Prints all pages in the shape of one page. In JSON, only the filters leave contacts out. */
export async function list(context: Context, options: ListOptions = {}): Promise<number> {
  const { page, alarms } = await withDaemon(context, async (client) => {
    const { alarms } = await client.call('alarm.list')
    return { page: await allContacts(client, options.blocked === true), alarms }
  })
  const contacts = page.contacts.filter((contact) => isWanted(contact, alarms, options))
  const isFiltered = options.alarm ?? options.pending ?? options.unconfirmed ?? false
  const shown = options.all === true || isFiltered ? contacts : contacts.filter((one) => isPerson(one, alarms))
  const about = alarms.filter((alarm) => shown.some((contact) => isAbout(alarm, contact)))
  print(context, { ...page, contacts }, [
    ...formatContacts(shown, context.nowSec, alarms, contacts.length - shown.length),
    ...formatAlarms(about),
  ])
  return EXIT_DONE
}

async function allContacts(client: Client, withBlocked: boolean): Promise<ContactPage> {
  const blocked = withBlocked ? { blocked: true } : {}
  const contacts: Contact[] = []
  for (let after: string | null = null; ;) {
    const page: ContactPage = await client.call('contact.list', { ...blocked, ...(after === null ? {} : { after }) })
    contacts.push(...page.contacts)
    if (page.next === null) return { contacts, next: null, total: page.total }
    after = page.next
  }
}

function isWanted(contact: Contact, alarms: readonly Alarm[], options: ListOptions): boolean {
  if (options.alarm === true && !hasAlarm(contact, alarms)) return false
  if (options.pending === true && !contact.pending) return false
  return options.unconfirmed !== true || contact.claims.length > 0
}

/** A friend without a persona is shown too while it needs the owner. */
function isPerson(contact: Contact, alarms: readonly Alarm[]): boolean {
  return contact.personaId !== null || contact.pending || hasAlarm(contact, alarms)
}

function hasAlarm(contact: Contact, alarms: readonly Alarm[]): boolean {
  return alarms.some((alarm) => isAbout(alarm, contact))
}

/** @param hidden friends without a persona that are not shown */
export function formatContacts(
  contacts: readonly Contact[],
  nowSec: number,
  alarms: readonly Alarm[] = [],
  hidden = 0,
): string[] {
  const rest = hidden === 0 ? [] : [`${countOf(hidden, 'Tox friend')} without a persona: persona contact list --all`]
  if (contacts.length === 0) return hidden > 0 ? ['no contact has a persona yet', ...rest] : [NOBODY]
  const sorted = contacts.toSorted((a, b) => rankOf(a, alarms) - rankOf(b, alarms))
  const rows = sorted.map((contact) => [
    nameOf(contact),
    contactState(contact, hasAlarm(contact, alarms)),
    activeOf(contact),
    countDevices(contact),
    lastSeen(contact, nowSec),
  ])
  const [headings, ...lines] = formatTable(['NAME', 'STATE', 'ACTIVE DEVICE', 'DEVICES', 'LAST SEEN'], rows)
  // Those that need the owner stand out.
  const colored = lines.map((line, i) => COLORS[rankOf(sorted[i]!, alarms)]?.(line) ?? line)
  return [bold(headings!), ...colored, ...(rest.length === 0 ? [] : ['', ...rest])]
}

const NOBODY = 'no contacts; read them from your Tox profiles: persona tox scan FILE'

/** By the rank of a contact. */
const COLORS = [red, yellow] as const

/** The sort is stable: within a rank the order of the names stays. */
function rankOf(contact: Contact, alarms: readonly Alarm[]): number {
  if (hasAlarm(contact, alarms)) return 0
  if (contact.pending && !contact.blocked) return 1
  return contact.personaId === null ? 3 : 2
}

/** Only the name is cut: the end of the PersonaID tells namesakes apart. */
function nameOf({ name, personaId }: Contact): string {
  const shown = cutText(showName(name, null), MAX_NAME_COLUMNS)
  return personaId === null ? shown : `${shown} ${keyTail(personaId)}`
}

function countDevices({ devices, claims }: Contact): string {
  const unconfirmed = claims.length === 0 ? '' : ` (+${claims.length} unconfirmed)`
  return `${devices.length}${unconfirmed}${devices.some((device) => device.contested) ? ', contested' : ''}`
}

function activeOf(contact: Contact): string {
  const device = contact.devices.find((device) => device.key === contact.active)
  return device === undefined ? 'none' : cutText(showName(device.name, device.key), MAX_NAME_COLUMNS)
}

function lastSeen(contact: Contact, nowSec: number): string {
  const devices = contact.blocked ? contact.others : contact.devices
  const times = devices.map((device) => device.seenAtSec ?? 0)
  return formatTime(Math.max(0, ...times), nowSec)
}
