/** Consent: which device belongs to which persona, decided by what each device itself showed (docs/format.md, section 10). */

/** The report of one source (a profile, an app, a sibling, the companion) about a device. Tox proves to the source which device spoke. */
export interface Report {
  readonly source: string
  /** The source's newest observation with a valid blob. */
  readonly token: Sighting | null
  /** First and last time the source saw the device without a token since then, unix seconds. */
  readonly bare: { readonly firstSec: number; readonly lastSec: number } | null
}

/** One observation of a valid blob. */
export interface Sighting {
  readonly atSec: number
  /** PersonaID of the blob, 64 hex digits. */
  readonly personaId: string
  /** Whether the blob lists the device that showed it. */
  readonly lists: boolean
  /** c_0 of the blob's chain, 64 hex digits. Older records lack it. */
  readonly root?: string
  /** Epoch and seq of the blob. Older records lack them. */
  readonly table?: { readonly epoch: number; readonly seq: number }
}

/** All reports on one device, one per source; the report that came in last is first. */
export type DeviceReports = readonly Report[]

export const MAX_SOURCES = 16 // sanity: reports kept per device; covers the profiles, apps and siblings of one owner
const BARE_ENDS_AFTER_SEC = 14 * 86_400 // format: a device seen without a token over a longer time loses its confirmation

function withReport(reports: DeviceReports, report: Report): DeviceReports {
  return [report, ...reports.filter((other) => other.source !== report.source)].slice(0, MAX_SOURCES)
}

/** Adds an observation of a valid blob. It changes nothing if the source already reported a later one. */
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

/** Whether sighting `a` shows a higher table than `b`. A sighting without epoch and seq counts as the lowest. */
export function isOfHigherTable(a: Sighting | null, b: Sighting | null): boolean {
  if (a?.table === undefined) return false
  const before = b?.table ?? { epoch: -1, seq: 0 }
  return a.table.epoch > before.epoch || (a.table.epoch === before.epoch && a.table.seq > before.seq)
}

/**
 * Sets every time ahead of this clock to now, since a wrong clock wrote it. Otherwise nothing that the device shows would count until that
 * time has passed.
 * @returns the same array when no time is ahead
 */
export function clampReports(reports: DeviceReports, nowSec: number): DeviceReports {
  const isAhead = ({ token, bare }: Report): boolean => Math.max(token?.atSec ?? 0, bare?.lastSec ?? 0) > nowSec
  if (!reports.some(isAhead)) return reports
  return reports.map(({ source, token, bare }) => ({
    source,
    token: token && { ...token, atSec: Math.min(token.atSec, nowSec) },
    bare: bare && { firstSec: Math.min(bare.firstSec, nowSec), lastSec: Math.min(bare.lastSec, nowSec) },
  }))
}

/** Adds an observation of a status message without a token. Never call it for an empty message: Tox sends one at each connect. */
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

// The part of a bare period that lies after a token. If the period began before the token, only its last time is known to lie after it.
function bareAfter(bare: Report['bare'], tokenSec: number): Report['bare'] {
  if (bare === null || bare.lastSec <= tokenSec) return null
  return bare.firstSec > tokenSec ? bare : { firstSec: bare.lastSec, lastSec: bare.lastSec }
}

const SIBLING_PREFIX = 'sibling:'

/** The name of a sibling as a source. */
export function sourceOfSibling(name: string): string {
  return `${SIBLING_PREFIX}${name}`
}

/** The name of the sibling that is a source. */
export function siblingOf(source: string): string {
  return source.startsWith(SIBLING_PREFIX) ? source.slice(SIBLING_PREFIX.length) : source
}

/**
 * The reports of sources on this machine. A sibling's reports support a binding that exists, but make none: a thief who has the sibling could
 * invent them.
 */
export function seenHere(reports: DeviceReports): DeviceReports {
  return reports.filter(({ source }) => !source.startsWith(SIBLING_PREFIX))
}

/** Removes all reports of a revoked source. */
export function revokeSource(reports: DeviceReports, source: string): DeviceReports {
  return reports.filter((report) => report.source !== source)
}

/** Removes the sightings of a persona whose chain turned out to be another. Sightings of the old chain prove nothing about the new one. */
export function forgetPersona(reports: DeviceReports, personaId: string): DeviceReports {
  return reports.flatMap((report) => {
    if (report.token?.personaId !== personaId) return [report]
    return report.bare === null ? [] : [{ ...report, token: null }]
  })
}

/**
 * Whether the device consents to a persona of exactly this chain. Before the persona was known here, the device may have shown another
 * chain of the same PersonaID.
 * @param root pinned c_0, 64 hex digits
 */
export function consentsToChain(reports: DeviceReports, personaId: string, root: string): boolean {
  return consentsToPersona(reports, personaId) && (newestSighting(reports)?.root ?? root) === root
}

/** The newest observation with a token: it names the persona that the device consents to. If two are of the same second, the last one to arrive counts. */
export function newestSighting(reports: DeviceReports): Sighting | null {
  let newest: Sighting | null = null
  for (const { token } of reports) if (token !== null && (newest === null || token.atSec > newest.atSec)) newest = token
  return newest
}

/** Whether the device consents to a persona: its newest blob is of this persona and lists the device, and it did not go without a token for too long. */
export function consentsToPersona(reports: DeviceReports, personaId: string): boolean {
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
 * The state of the pair (persona, device) (docs/format.md, section 10). A device is bound to the first persona that it confirms; only the
 * owner of this daemon can unbind it. So a known device never moves to another persona by itself, and a device that left does not come back
 * as a stranger.
 * @param listed whether the persona's head lists the device
 * @param bound PersonaID that the device is bound to, 64 hex digits, or null
 * @returns null when neither side mentions the other
 */
export function pairState(
  personaId: string,
  listed: boolean,
  bound: string | null,
  reports: DeviceReports,
): PairState | null {
  if (listed) {
    const isFree = bound === null || bound === personaId
    return isFree && consentsToPersona(reports, personaId) ? 'confirmed' : 'claimed'
  }
  if (bound === personaId) return 'former'
  return newestSighting(reports)?.personaId === personaId ? 'asserted' : null
}

/**
 * Whether something known speaks against a claim. The caller raises an alarm on this pair and leaves the other one as it is.
 * @param isProvisional whether the device is a contact of its own, with no persona yet
 * @param formerId PersonaID of the persona that this one follows: a device that still shows it contests nothing
 */
export function isContested(
  personaId: string,
  state: PairState | null,
  bound: string | null,
  isProvisional: boolean,
  reports: DeviceReports,
  formerId: string | null = null,
): boolean {
  if (state !== 'claimed') return false
  const shown = newestSighting(reports)?.personaId ?? null
  const isOther = shown !== null && shown !== personaId && shown !== formerId
  return isProvisional || (bound !== null && bound !== personaId) || isOther
}

export type Policy = 'auto' | 'ask' | 'pin'
const STRICTNESS: Record<Policy, number> = { auto: 0, ask: 1, pin: 2 }

export const MAX_ALIASES = 64 // sanity: a person has few names; a stranger must not fill a record with ever new devices under ever new names

/** The owner's own settings for a contact. */
export interface ContactEntry {
  readonly name: string
  readonly aliases: readonly string[]
  readonly policy: Policy
  readonly blocked: boolean
  readonly createdSec: number
}

/**
 * Joins two contacts that turned out to be one persona. The stricter policy, any block and the older name win. The other name becomes an
 * alias; the first MAX_ALIASES aliases stay.
 */
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
