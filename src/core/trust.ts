/** Consent: which device is whose, decided by what each device itself showed (docs/format.md, section 10). */

/** What one source reported of a device: a profile file, an app, a sibling, the live node. Tox proves who spoke; the source says so. */
export interface Report {
  readonly source: string
  /** Its newest observation with a valid blob. */
  readonly token: Sighting | null
  /** Seen without any token since then: first and last time. */
  readonly bare: { readonly firstSec: number; readonly lastSec: number } | null
}

/** A device showed a valid blob. */
export interface Sighting {
  readonly atSec: number
  /** Whose blob, 64 hex digits. */
  readonly personaId: string
  /** That blob lists the device itself. */
  readonly lists: boolean
  /** c_0 of the blob's chain, 64 hex digits; not known of what was seen before this was kept. */
  readonly root?: string
  /** Which table it is; not known of what was seen before this was kept. */
  readonly table?: { readonly epoch: number; readonly seq: number }
}

/** All reports on one device, one a source, the one that came in last first. */
export type DeviceReports = readonly Report[]

export const MAX_SOURCES = 16 // sanity: reports kept a device; profiles, apps and siblings of one owner
const BARE_ENDS_AFTER_SEC = 14 * 86_400 // format: seen without a token on occasions further apart ends a confirmation

function withReport(reports: DeviceReports, report: Report): DeviceReports {
  return [report, ...reports.filter((other) => other.source !== report.source)].slice(0, MAX_SOURCES)
}

/** A source saw the device show a valid blob. Of one source an earlier time than the one kept changes nothing. */
export function reportToken(reports: DeviceReports, source: string, token: Sighting): DeviceReports {
  const before = reports.find((report) => report.source === source)
  const known = before?.token ?? null
  if (known !== null && known.atSec > token.atSec) return reports
  if (known !== null && isSame(known, token) && before?.bare === null) return reports
  return withReport(reports, { source, token, bare: bareAfter(before?.bare ?? null, token.atSec) })
}

function isSame(a: Sighting, b: Sighting): boolean {
  return (
    a.atSec === b.atSec && a.personaId === b.personaId && a.lists === b.lists && a.root === b.root && isSameShown(a, b)
  )
}

function isSameShown(a: Sighting, b: Sighting): boolean {
  return a.table?.epoch === b.table?.epoch && a.table?.seq === b.table?.seq
}

/** Whether one sighting is of a higher table than another, of which it may not be known. */
export function isHigherShown(a: Sighting | null, b: Sighting | null): boolean {
  if (a?.table === undefined) return false
  const before = b?.table ?? { epoch: -1, seq: 0 }
  return a.table.epoch > before.epoch || (a.table.epoch === before.epoch && a.table.seq > before.seq)
}

/**
 * The reports as they count now: a time ahead of this clock is that of a clock which was wrong, and counts as now. Otherwise nothing that the
 * device shows would count until that time has come.
 * @returns the same array when no time is ahead
 */
export function notAhead(reports: DeviceReports, nowSec: number): DeviceReports {
  const isAhead = ({ token, bare }: Report): boolean => Math.max(token?.atSec ?? 0, bare?.lastSec ?? 0) > nowSec
  if (!reports.some(isAhead)) return reports
  return reports.map(({ source, token, bare }) => ({
    source,
    token: token && { ...token, atSec: Math.min(token.atSec, nowSec) },
    bare: bare && { firstSec: Math.min(bare.firstSec, nowSec), lastSec: Math.min(bare.lastSec, nowSec) },
  }))
}

/** A source saw the device with a status message that has no token. An empty one is none: Tox sends it at each connect. */
export function reportBare(reports: DeviceReports, source: string, atSec: number): DeviceReports {
  const before = reports.find((report) => report.source === source)
  const token = before?.token ?? null
  const known = before?.bare ?? null
  if (token !== null && atSec <= token.atSec) return reports
  if (known !== null && known.firstSec <= atSec && atSec <= known.lastSec) return reports
  const bare = {
    firstSec: Math.min(known?.firstSec ?? atSec, atSec),
    lastSec: Math.max(known?.lastSec ?? atSec, atSec),
  }
  return withReport(reports, { source, token, bare })
}

// Of an absence that began before the token only its last occasion is known to lie after it.
function bareAfter(bare: Report['bare'], tokenSec: number): Report['bare'] {
  if (bare === null || bare.lastSec <= tokenSec) return null
  return bare.firstSec > tokenSec ? bare : { firstSec: bare.lastSec, lastSec: bare.lastSec }
}

/** What is left when a source is revoked: its reports never were. */
export function revokeSource(reports: DeviceReports, source: string): DeviceReports {
  return reports.filter((report) => report.source !== source)
}

/** What is left when the chain of a persona turns out to be another: what was shown of the one before says nothing of this one. */
export function forgetPersona(reports: DeviceReports, personaId: string): DeviceReports {
  return reports.flatMap((report) => {
    if (report.token?.personaId !== personaId) return [report]
    return report.bare === null ? [] : [{ ...report, token: null }]
  })
}

/**
 * Whether the device consents to a persona of this very chain: what it showed before the persona was known here may have been another one.
 * @param root the pinned c_0, 64 hex digits
 */
export function consentsIn(reports: DeviceReports, personaId: string, root: string): boolean {
  return consentsTo(reports, personaId) && (newestSighting(reports)?.root ?? root) === root
}

/** The newest observation with a token, which alone decides; at the same second the one that came in last. */
export function newestSighting(reports: DeviceReports): Sighting | null {
  let newest: Sighting | null = null
  for (const { token } of reports) if (token !== null && (newest === null || token.atSec > newest.atSec)) newest = token
  return newest
}

/** Whether the device consents to a persona: its newest blob is this persona's, lists it, and was not left off for too long. */
export function consentsTo(reports: DeviceReports, personaId: string): boolean {
  const newest = newestSighting(reports)
  if (newest === null || newest.personaId !== personaId || !newest.lists) return false
  let firstSec = Infinity
  let lastSec = -Infinity
  for (const report of reports) {
    const bare = bareAfter(report.bare, newest.atSec)
    if (bare === null) continue
    firstSec = Math.min(firstSec, bare.firstSec)
    lastSec = Math.max(lastSec, bare.lastSec)
  }
  return lastSec - firstSec <= BARE_ENDS_AFTER_SEC
}

export type PairState = 'claimed' | 'confirmed' | 'former' | 'asserted'

/**
 * State of the pair (persona, device) (docs/format.md, section 10). A device is bound to the first persona that it confirms, and only the user's
 * own word unbinds it: another persona on a known device is never automatic, nor does a device that left come back as a stranger.
 * @param listed the persona's head lists the device
 * @param bound the persona that the device is bound to, 64 hex digits, or null
 * @returns null when neither side says anything of the other
 */
export function pairState(
  personaId: string,
  listed: boolean,
  bound: string | null,
  reports: DeviceReports,
): PairState | null {
  if (listed) {
    const isFree = bound === null || bound === personaId
    return isFree && consentsTo(reports, personaId) ? 'confirmed' : 'claimed'
  }
  if (bound === personaId) return 'former'
  return newestSighting(reports)?.personaId === personaId ? 'asserted' : null
}

/**
 * A claim that somebody else's knowledge speaks against: an alarm on this pair, never a change to the other one.
 * @param isProvisional the device is a provisional entry of its own
 */
export function isContested(
  personaId: string,
  state: PairState | null,
  bound: string | null,
  isProvisional: boolean,
  reports: DeviceReports,
): boolean {
  if (state !== 'claimed') return false
  const shown = newestSighting(reports)
  return isProvisional || (bound !== null && bound !== personaId) || (shown !== null && shown.personaId !== personaId)
}

export type Policy = 'auto' | 'ask' | 'pin'
const STRICTNESS: Record<Policy, number> = { auto: 0, ask: 1, pin: 2 }

export const MAX_ALIASES = 64 // sanity: a person is known by few names; who shows ever new devices under ever new ones must not fill a record

/**
 * What stays when entries are joined by one persona: the strictest policy, any block, the older name; the other becomes an alias, of which
 * the first MAX_ALIASES stay.
 */
export interface ContactEntry {
  readonly name: string
  readonly aliases: readonly string[]
  readonly policy: Policy
  readonly blocked: boolean
  readonly createdSec: number
}

export function joinEntries(a: ContactEntry, b: ContactEntry): ContactEntry {
  const [older, younger] = a.createdSec <= b.createdSec ? [a, b] : [b, a]
  const aliases = new Set([...older.aliases, younger.name, ...younger.aliases])
  aliases.delete(older.name)
  return {
    name: older.name,
    aliases: [...aliases].slice(0, MAX_ALIASES),
    policy: STRICTNESS[a.policy] >= STRICTNESS[b.policy] ? a.policy : b.policy,
    blocked: a.blocked || b.blocked,
    createdSec: older.createdSec,
  }
}
