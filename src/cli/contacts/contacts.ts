/** `persona contact ...` and `persona lookup`: who is known, with which devices, and which one is active. */
import type { Contact, ContactDevice, ContactPage, LookupResult } from '../../ipc/shapes/contact.ts'
import { withDaemon } from '../io/connect.ts'
import { bold, print, type Context } from '../io/context.ts'
import { EXIT_DONE, EXIT_FAILED } from '../io/errors.ts'
import { escapeText, keyTail, showName } from '../io/escape.ts'
import { parseQuery } from '../io/keys.ts'
import { countOf, cutText, formatTable, formatTime } from '../io/layout.ts'

const MAX_NAME_COLUMNS = 40 // sanity: a name must not push the rest off the screen

/** All pages as one, in the shape of one page. */
export async function list(context: Context, options: { readonly blocked?: true } = {}): Promise<number> {
  const blocked = options.blocked === undefined ? {} : { blocked: true }
  const page = await withDaemon(context, async (client) => {
    const contacts: Contact[] = []
    for (let after: string | null = null; ;) {
      const page: ContactPage = await client.call('contact.list', { ...blocked, ...(after === null ? {} : { after }) })
      contacts.push(...page.contacts)
      if (page.next === null) return { contacts, next: null, total: page.total }
      after = page.next
    }
  })
  print(context, page, formatContacts(page.contacts, context.nowSec))
  return EXIT_DONE
}

export function formatContacts(contacts: readonly Contact[], nowSec: number): string[] {
  if (contacts.length === 0) return ['no contacts yet: persona tox scan FILE reads them out of your Tox profiles']
  const rows = contacts.map((contact) => [
    `${cutText(showName(contact.name, null), MAX_NAME_COLUMNS)}${contact.blocked ? ' (blocked)' : ''}`,
    contact.personaId === null ? 'none' : keyTail(contact.personaId),
    countDevices(contact),
    activeOf(contact),
    lastSeen(contact, nowSec),
  ])
  const [headings, ...lines] = formatTable(['NAME', 'PERSONA', 'DEVICES', 'ACTIVE', 'LAST SEEN'], rows)
  return [bold(headings!), ...lines]
}

function countDevices(contact: Contact): string {
  const claimed = contact.claims.length === 0 ? '' : ` (+${contact.claims.length} claimed)`
  const contested = [...contact.devices, ...contact.claims].some((device) => device.contested) ? ' contested' : ''
  return `${contact.devices.length}${claimed}${contested}`
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

export async function show(context: Context, name: string): Promise<number> {
  const contact = await withDaemon(context, (client) => client.call('contact.show', { contact: parseQuery(name) }))
  print(context, contact, formatContact(contact, context.nowSec))
  return EXIT_DONE
}

export function formatContact(contact: Contact, nowSec: number): string[] {
  const lines = [`${showName(contact.name, contact.personaId ?? contact.active)}${contact.blocked ? ', blocked' : ''}`]
  if (contact.aliases.length > 0)
    lines.push(`also:      ${contact.aliases.map((alias) => showName(alias, null)).join(', ')}`)
  if (contact.personaId === null) lines.push('persona:   none yet; one Tox device, known by its key')
  else {
    lines.push(`persona:   ${contact.personaId}`)
    const age = contact.freshness === null ? '' : `, ${contact.freshness}`
    const table = `${contact.seq} of epoch ${contact.epoch}, written ${formatTime(contact.timeSec, nowSec)}${age}`
    lines.push(`table:     ${contact.epoch === null ? 'none seen yet' : table}`)
  }
  if (contact.pending && !contact.blocked) lines.push('waiting:   a table, for your answer; persona pending')
  if (contact.minEpoch !== null && contact.minEpoch > 0)
    lines.push(`link:      of epoch ${contact.minEpoch}; tables before it are refused`)
  if (contact.kind === 'persona') lines.push(`verified:  ${formatVerified(contact, nowSec)}`)
  if (contact.kind !== 'own') lines.push(`policy:    ${contact.policy}`)
  if (contact.needsNewerPersona) lines.push('names:     need a newer version of persona; the keys are current')
  lines.push(...formatDevices('devices', contact.devices, contact, nowSec))
  lines.push(...formatDevices('claimed, not yet shown by the device itself', contact.claims, contact, nowSec))
  const others = contact.blocked ? 'blocked: apps get none of them' : 'others: no longer listed, or never'
  lines.push(...formatDevices(others, contact.others, contact, nowSec))
  return lines
}

function formatVerified({ verifiedAtSec }: Contact, nowSec: number): string {
  return verifiedAtSec === null ? 'no: persona contact verify NAME' : formatTime(verifiedAtSec, nowSec)
}

function formatDevices(heading: string, devices: readonly ContactDevice[], contact: Contact, nowSec: number): string[] {
  if (devices.length === 0) return []
  const rows = devices.map((device) => [
    ` ${device.key === contact.active ? '*' : ' '} ${device.key}`,
    showName(device.name, null),
    `${device.state}${device.contested ? ', contested' : ''}${device.companion ? ', companion' : ''}`,
    `seen ${formatTime(device.seenAtSec, nowSec)}`,
  ])
  return [`${heading}:`, ...formatTable(['', '', '', ''], rows).slice(1)]
}

/** Exits 1 when nobody is known by the query, as a search does. */
export async function lookup(context: Context, query: string): Promise<number> {
  const result = await withDaemon(context, (client) => client.call('lookup', { query: parseQuery(query) }))
  print(context, result, formatLookup(result, context.nowSec))
  return result.contact === null ? EXIT_FAILED : EXIT_DONE
}

export function formatLookup(result: LookupResult, nowSec: number): string[] {
  const claims = result.claimedBy.map(
    (personaId) => `persona ${personaId} lists this device, which has not shown that it agrees`,
  )
  const { contact, device } = result
  if (contact === null) {
    const isEnd = /^[\dA-F]{4,63}$/i.test(result.query)
    const hint = 'a key is found by its first digits; those beside a name are its last ones'
    return [`nobody is known by "${escapeText(result.query)}"`, ...(isEnd ? [hint] : []), ...claims]
  }
  const lines = device === null ? [] : [`${keyTail(device.key)} is ${deviceOf(contact, device)}`]
  return [...lines, ...formatContact(contact, nowSec), ...claims]
}

function deviceOf(contact: Contact, device: ContactDevice): string {
  if (contact.kind === 'provisional') return `${showName(contact.name, null)}, a friend without a persona`
  const isActive = device.key === contact.active
  const whose = showName(contact.name, contact.personaId)
  const own = isActive ? 'your active device' : 'a device of yours'
  const role = contact.kind === 'own' ? own : `${isActive ? 'the active device' : 'a device'} of ${whose}`
  const state = device.state === 'confirmed' ? '' : ` (${device.state}: not to be taken for one)`
  return `${showName(device.name, null)}, ${role}${state}; ${countOf(contact.devices.length, 'device')} in all`
}
