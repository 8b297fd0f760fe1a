/** The history in the store: every event is an entry, written with the change that caused it (docs/ipc.md, section 4, history). */
import { formatHex } from '../../core/encoding/bytes.ts'
import { checkEntry, hashEntry, HISTORY_START, type HistoryEntry } from '../../core/history.ts'
import type { CryptoEngine } from '../../crypto/engine.ts'
import { EVENTS, type DaemonEvent } from '../../ipc/methods/events.ts'
import type { LogEntry, LogVerdict } from '../../ipc/shapes/log.ts'
import type { Write } from '../../store/store.ts'
import { ALARM_GROUPS, groupOf, MAX_ALARM_GROUPS, OTHER_ALARMS, withEntry, type Group } from './kept-entries.ts'
import { storedBytes, type Records } from './records.ts'
import { TIP, type HistoryTip } from './local-records.ts'
import { OWN } from './own-record.ts'
import { contactOf, keyOfProvisional, type Reader } from './view.ts'
import type { NewEvent } from './new-event.ts'

export const MAX_HISTORY = 65_536 // sanity: years of a person with hundreds of friends, some 30 MB; the oldest entry goes first, unless it is one that stays (kept-entries.ts)
const NUMBER_DIGITS = 12 // so that entries are stored in the order of their numbers

/** An entry's text as JSON. An entry of `contact.changed` leaves the contact out: replays show its current state. */
interface EntryText {
  readonly number: number
  readonly atSec: number
  readonly event: DaemonEvent['event']
  readonly data: Readonly<Record<string, unknown>>
}

const NO_HISTORY: HistoryTip = { number: 0, hash: formatHex(HISTORY_START), oldest: 1, base: formatHex(HISTORY_START) }

export function tipOf(records: Records): HistoryTip {
  return records.tip.get(TIP) ?? NO_HISTORY
}

export interface HistoryOptions {
  readonly limit?: number
  /** Whether the history keeps an event. */
  readonly keeps?: (event: NewEvent) => boolean
}

/** Call it inside a change. @returns the writes that append the events, and the events with their numbers */
export function appendHistory(
  events: readonly NewEvent[],
  records: Records,
  nowSec: number,
  engine: CryptoEngine,
  { limit = MAX_HISTORY, keeps = ({ event }) => EVENTS.get(event) !== false }: HistoryOptions = {},
): { writes: Write[]; events: DaemonEvent[] } {
  let tip = tipOf(records)
  const writes: Write[] = []
  const numbered = events.map((event): DaemonEvent => {
    if (!keeps(event)) return { ...event, id: 0, atSec: nowSec }
    const number = tip.number + 1
    const content: EntryText = { number, atSec: nowSec, event: event.event, data: keptData(event) }
    const text = JSON.stringify(content)
    const hash = formatHex(hashEntry(storedBytes(tip.hash), text, engine))
    writes.push(records.history.put(idOf(number), { text, hash }))
    tip = { ...tip, number, hash }
    return { ...event, id: number, atSec: nowSec }
  })
  const ages = new Aging(records)
  while (tip.number - tip.oldest >= limit) {
    const oldest = records.history.get(idOf(tip.oldest))
    ages.leave(tip.oldest, tip.base)
    tip = { ...tip, oldest: tip.oldest + 1, base: oldest?.hash ?? tip.base }
  }
  writes.push(...ages.writes())
  if (writes.length > 0) writes.push(records.tip.put(TIP, tip))
  return { writes, events: numbered }
}

/** Decides what becomes of the oldest entries of the history in one change. */
class Aging {
  readonly #records: Records
  readonly #entries: Write[] = []
  readonly #groups = new Map<string, readonly number[]>()
  #alarmGroups: number | null = null

  constructor(records: Records) {
    this.#records = records
  }

  /** @param before hash of the entry before, which is gone */
  leave(number: number, before: string): void {
    const { history, kept } = this.#records
    const entry = history.get(idOf(number))
    const found = entry === undefined ? null : groupOf(entry.text)
    if (entry === undefined || found === null) {
      this.#entries.push(history.remove(idOf(number)))
      return
    }
    const group = this.#admitted(found)
    const earlier = this.#groups.get(group.name) ?? kept.get(group.name)?.numbers ?? []
    const { numbers, gone } = withEntry(earlier, number, group)
    this.#groups.set(group.name, numbers)
    this.#entries.push(history.put(idOf(number), { ...entry, before }))
    if (gone !== null) this.#entries.push(history.remove(idOf(gone)))
  }

  writes(): Write[] {
    const groups = [...this.#groups].map(([name, numbers]) => this.#records.kept.put(name, { numbers }))
    const count =
      this.#alarmGroups === null ? [] : [this.#records.kept.put(ALARM_GROUPS, { numbers: [this.#alarmGroups] })]
    return [...this.#entries, ...groups, ...count]
  }

  /** Personas of others share what is left once too many of them have raised alarms. The own persona never does. */
  #admitted(group: Group): Group {
    const { kept, own } = this.#records
    const isKnown = this.#groups.has(group.name) || kept.get(group.name) !== undefined
    if (isKnown || group.aboutId === null || group.aboutId === own.get(OWN)?.personaId) return group
    const count = this.#alarmGroups ?? kept.get(ALARM_GROUPS)?.numbers[0] ?? 0
    if (count >= MAX_ALARM_GROUPS) return OTHER_ALARMS
    this.#alarmGroups = count + 1
    return group
  }
}

function keptData(event: NewEvent): EntryText['data'] {
  if (event.event !== 'contact.changed') return event.data
  const { contact, changes, source } = event.data
  const { personaId, name } = contact
  const kept = { personaId, contact: name, changes, source }
  return personaId === null ? { ...kept, key: keyOfProvisional(contact) } : kept
}

// A replay that looks for a rare event reads the name alone: numbers stand before it, and no text of anybody.
const EVENT_OF_ENTRY = /"event":"([^"]*)"/

/**
 * Returns an event as it was published; null if the history no longer has it, its contact is gone, or its name is not wanted.
 * @param wanted names of events; all if it is left out
 */
export function replayEvent(number: number, reader: Reader, wanted?: ReadonlySet<string>): DaemonEvent | null {
  const entry = reader.records.history.get(idOf(number))
  if (entry === undefined) return null
  if (wanted?.has(EVENT_OF_ENTRY.exec(entry.text)?.[1] ?? '') === false) return null
  const { atSec, event, data } = JSON.parse(entry.text) as EntryText
  if (event !== 'contact.changed') return { event, id: number, atSec, data } as unknown as DaemonEvent
  const { personaId, key, changes, source } = data as { personaId: string | null; key?: string } & typeof data
  const contact = contactOf(personaId ?? key!, reader)
  if (contact === null) return null
  return { event, id: number, atSec, data: { contact, changes, source } } as DaemonEvent
}

/** Decodes an entry for the owner. */
export function readEntry(entry: HistoryEntry): LogEntry {
  const { number, atSec, event, data } = JSON.parse(entry.text) as EntryText
  return { number, atSec, event, data: { ...data }, hash: entry.hash }
}

/**
 * Lists entries, the newest first.
 * @param before lists only entries with a lower number; undefined begins at the newest
 * @param about lists only entries whose data names one of these PersonaIDs or ToxPks
 */
export async function listHistory(
  records: Records,
  { before, limit, about }: { before?: number; limit: number; about?: ReadonlySet<string> },
): Promise<{ entries: LogEntry[]; next: number | null }> {
  const entries: LogEntry[] = []
  const range = { reverse: true, ...(before === undefined ? {} : { after: idOf(before) }) }
  for await (const [, kept] of records.history.iterate(range)) {
    if (entries.length === limit) return { entries, next: entries.at(-1)!.number }
    const entry = readEntry(kept)
    if (about === undefined || isAbout(entry, about)) entries.push(entry)
  }
  return { entries, next: null }
}

function isAbout({ data }: LogEntry, about: ReadonlySet<string>): boolean {
  const { personaId, key, device } = data as { personaId?: unknown; key?: unknown; device?: { key?: unknown } | string }
  const named = [personaId, key, typeof device === 'object' ? device.key : undefined]
  return named.some((value) => typeof value === 'string' && about.has(value))
}

/** Recomputes the hash chain over all entries in the store. */
export async function verifyHistory(records: Records, engine: CryptoEngine): Promise<LogVerdict> {
  const tip = tipOf(records)
  const found = { entries: 0, kept: 0, oldest: tip.oldest, newest: tip.number, tip: tip.hash }
  let hash: Uint8Array = storedBytes(tip.base)
  let number = tip.oldest
  for await (const [id, entry] of records.history.iterate()) {
    // Written after this check began.
    if (number > tip.number) break
    if (id < idOf(tip.oldest)) {
      const isWhole = entry.before !== undefined && checkEntry(storedBytes(entry.before), entry, engine) !== null
      if (!isWhole) return { ...found, intact: false, brokenAt: Number(id) }
      found.kept++
      continue
    }
    const next = readEntry(entry).number === number ? checkEntry(hash, entry, engine) : null
    if (next === null) return { ...found, intact: false, brokenAt: number }
    hash = next
    number++
    found.entries++
  }
  const isWhole = number === tip.number + 1 && formatHex(hash) === tip.hash
  return { ...found, intact: isWhole, brokenAt: isWhole ? null : number }
}

function idOf(number: number): string {
  return String(number).padStart(NUMBER_DIGITS, '0')
}
