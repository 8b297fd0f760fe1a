/** `persona contact show` and `persona lookup`: a contact, its devices and which device is active. */
import type { Contact, ContactDevice, LookupResult } from '../../ipc/shapes/contact.ts'
import { withDaemon } from '../io/connect.ts'
import { print, type Context } from '../io/context.ts'
import { EXIT_DONE, EXIT_FAILED } from '../io/errors.ts'
import { escapeText, keyTail, showName } from '../io/escape.ts'
import { parseQuery } from '../io/keys.ts'
import { formatTable, formatTime, tableNumbers } from '../io/layout.ts'
import { contactState, DEVICE_STATES } from './states.ts'

const SHOWN_DIGITS = 8 // sanity: 4 bytes of a PersonaID find one contact among thousands

export async function show(context: Context, name: string): Promise<number> {
  const contact = await withDaemon(context, (client) => client.call('contact.show', { contact: parseQuery(name) }))
  print(context, contact, formatContact(contact, context.nowSec, context.verbose))
  return EXIT_DONE
}

export function formatContact(contact: Contact, nowSec: number, verbose = false): string[] {
  const { personaId, aliases, kind } = contact
  return [
    showName(contact.name, personaId ?? contact.active),
    ...(aliases.length === 0 ? [] : [`also called: ${aliases.map((alias) => showName(alias, null)).join(', ')}`]),
    `state:       ${contactState(contact)}`,
    ...(contact.pending && !contact.blocked ? ['             see the change: persona pending'] : []),
    ...(personaId === null
      ? [`persona:     none yet; ${describeKeys(contact)}`]
      : [`persona:     ${personaId}`, `table:       ${formatHead(contact, nowSec, verbose)}`]),
    ...(verbose && contact.minEpoch !== null && contact.minEpoch > 0
      ? [`link:        from epoch ${contact.minEpoch}; older tables are refused`]
      : []),
    ...(kind === 'persona' ? [`verified:    ${formatVerified(contact, nowSec)}`] : []),
    ...(kind === 'own' ? [] : [`policy:      ${contact.policy}`]),
    ...(contact.needsNewerPersona
      ? ['names:       a newer version of persona is needed to read them; the keys are current']
      : []),
    ...formatDevices('devices', contact.devices, contact, nowSec),
    ...formatDevices(
      'unconfirmed: listed by the contact, not yet shown by the device',
      contact.claims,
      contact,
      nowSec,
    ),
    ...formatDevices(
      contact.blocked
        ? 'devices, hidden from apps while the contact is blocked'
        : 'not in the current table: do not trust them',
      contact.others,
      contact,
      nowSec,
    ),
  ]
}

function describeKeys({ devices, others }: Contact): string {
  const keys = devices.length + others.length
  return keys > 1 ? `you joined ${keys} Tox friends who are one person` : 'this Tox friend is known by one key'
}

function formatHead(contact: Contact, nowSec: number, verbose: boolean): string {
  const { epoch, seq, timeSec, freshness } = contact
  if (epoch === null) return 'none seen yet'
  const age = freshness === null || freshness === 'fresh' ? '' : `, ${freshness}`
  return `written ${formatTime(timeSec, nowSec)}${age}${tableNumbers(verbose, { epoch, seq })}`
}

// By digits: anybody can choose any name, and people paste this into a shell.
function formatVerified({ verifiedAtSec, personaId, elsewhere }: Contact, nowSec: number): string {
  if (verifiedAtSec !== null) return formatTime(verifiedAtSec, nowSec)
  if (elsewhere?.verifiedAtSec != null)
    return `no; your device ${escapeText(elsewhere.device)} reports: compared ${formatTime(elsewhere.verifiedAtSec, nowSec)} (persona pending)`
  return `no; compare safety numbers: persona contact verify ${personaId?.slice(0, SHOWN_DIGITS)}`
}

function formatDevices(heading: string, devices: readonly ContactDevice[], contact: Contact, nowSec: number): string[] {
  if (devices.length === 0) return []
  const rows = devices.map((device) => [
    ` ${device.key === contact.active ? '*' : ' '} ${device.key}`,
    showName(device.name, null),
    `${DEVICE_STATES[device.state]}${device.contested ? ', known as another contact' : ''}${device.companion ? ', companion' : ''}`,
    (device.seenAtSec ?? 0) === 0 ? 'never seen' : `seen ${formatTime(device.seenAtSec, nowSec)}`,
  ])
  return [`${heading}:`, ...formatTable(['', '', '', ''], rows).slice(1)]
}

/** Exits 1 when nothing matches, as a search does. */
export async function lookup(context: Context, query: string): Promise<number> {
  const result = await withDaemon(context, (client) => client.call('lookup', { query: parseQuery(query) }))
  print(context, result, formatLookup(result, context.nowSec, context.verbose))
  return result.contact === null ? EXIT_FAILED : EXIT_DONE
}

export function formatLookup(result: LookupResult, nowSec: number, verbose = false): string[] {
  const claims = result.claimedBy.map(
    (personaId) => `persona ${personaId} lists this device; the device has not confirmed it. Do not trust it yet.`,
  )
  const { contact, device } = result
  if (contact === null) {
    const isPart = /^…?[\dA-F]{4,63}$/i.test(result.query)
    const hint = 'search a key by at least 4 of its first digits, or by the 8 last ones that stand beside a name'
    return [`no contact matches "${escapeText(result.query)}"`, ...(isPart ? [hint] : []), ...claims]
  }
  const lines = device === null ? [] : [`${keyTail(device.key)} ${describeDevice(contact, device)}`]
  return [...lines, ...formatContact(contact, nowSec, verbose), ...claims]
}

function describeDevice(contact: Contact, device: ContactDevice): string {
  const [owner, name] = [showName(contact.name, null), showName(device.name, null)]
  const whose = contact.kind === 'own' ? 'your' : `${owner}'s`
  switch (device.state) {
    case 'provisional':
      return `is ${owner}, who has no persona yet`
    case 'confirmed':
      return device.key === contact.active ? `is ${whose} active device, ${name}` : `is ${whose} device ${name}`
    case 'former':
      return `was ${whose} ${name}; it no longer is. Do not trust it.`
    case 'claimed':
      return `may be ${whose} ${name}: it has not confirmed it. Do not trust it yet.`
    case 'asserted':
      return `shows ${whose} persona, but the table does not list it. Do not trust it.`
  }
}
