/**
 * Short statuses of devices: which persona one names, as far as the records here tell, and the record of each device that shows one
 * (docs/announce.md, section 10). Nothing here believes a short status: a device that shows one counts as showing the head, and only for a
 * persona whose head lists the device, or to which it is bound.
 */
import { isNamedBy, parseShort, type ShortStatus } from '../../core/announce/short.ts'
import { equalBytes, formatHex, parseHex } from '../../core/encoding/bytes.ts'
import { listsDevice } from '../../core/table.ts'
import type { VerifiedBlob } from '../../core/verify.ts'
import { headOf } from '../personas/heads.ts'
import type { Records } from '../state/records.ts'
import { isMadeByShort, type NamedChain, type ShortRecord } from '../state/short-record.ts'
import type { State } from '../state/state.ts'

const SAME_SEC = 60 // sanity: how often the time of one short status is written again

/** The short status in the characters of a text; null if they are none. */
export function shortIn(encoded: string | null, state: Pick<State, 'engine'>): ShortStatus | null {
  return encoded === null ? null : parseShort(encoded, state.engine)
}

/**
 * The head that a device shows by a short status: of the persona that it is bound to, of one that lists it, or of one that the short status
 * was seen to name before. Null if none of them is named, or if the head of the named one does not list the device.
 */
export function headShownBy(key: string, short: ShortStatus, state: State): VerifiedBlob | null {
  const { bound, claimedBy } = state.device(key)
  const known = state.records.shorts.get(key)
  const before = known !== undefined && isOf(known, short) ? known.names : null
  for (const personaId of new Set([bound, ...claimedBy, before?.personaId ?? null])) {
    const persona = personaId === null ? undefined : state.persona(personaId)
    const head = persona === undefined ? null : headOf(persona, state)
    if (persona === undefined || head === null) continue
    const isNamed = before?.personaId === personaId && before.root === persona.root
    if ((isNamed || isNamedBy(short, head, state.engine)) && isOwnOf(key, head, state)) return head
  }
  return null
}

/** Whether the device is one of this persona: bound to it, or listed by the blob. The short status of any other device is a copy. */
export function isOwnOf(key: string, blob: VerifiedBlob, state: State): boolean {
  return state.device(key).bound === formatHex(blob.personaId) || listsDevice(blob, key)
}

/** The chain of a blob, as a record keeps it. */
export function chainOf({ personaId, root }: VerifiedBlob): NamedChain {
  return { personaId: formatHex(personaId), root: formatHex(root) }
}

/** One observation of a short status. */
export interface ShortSight {
  readonly key: string
  readonly source: string
  readonly atSec: number
  readonly name: string
  /** The name of the entry that it made; null if the device was seen before. */
  readonly made: string | null
}

/**
 * Keeps which short status the device shows. Whoever looks short statuses up hears of one that nothing here explains. A device that shows
 * ever new ones uses up its quota.
 * @param names the chain that it was seen to name; null if that is not known
 */
export function noteShort(sight: ShortSight, short: ShortStatus, names: NamedChain | null, state: State): void {
  const { key, source, atSec, name, made } = sight
  const { shorts } = state.records
  const before = shorts.get(key)
  if (before !== undefined && before.atSec > atSec) return
  const isSame = before !== undefined && isOf(before, short)
  const named = names ?? (isSame ? before.names : null)
  const isSameName = isSame && named?.personaId === before.names?.personaId && named?.root === before.names?.root
  if (isSameName && atSec - before.atSec < SAME_SEC) return
  if (!isSame && !state.shortQuota.take(key)) return
  const record: ShortRecord = {
    signingKey: formatHex(short.signingKey),
    readingKey: formatHex(short.readingKey),
    names: named,
    source,
    atSec,
    name,
    made: before === undefined ? made : before.made,
  }
  state.stage(shorts.put(key, record))
  if (!isSame && named === null) state.emit({ event: 'device.short', data: { key } })
}

/**
 * An entry that only waited for the short status to be explained goes when it is. So the device joins its persona as if it had shown the
 * table at first sight.
 */
export function dropEntryMade(key: string, state: State): void {
  const device = state.device(key)
  const { entry } = device
  if (entry === null || !isMadeByShort(device, state.records.shorts.get(key))) return
  state.names.drop(entry)
  state.putDevice(key, { ...device, entry: null, pending: null })
}

/** The device shows something else, or was forgotten. @param atSec when; undefined for always */
export function dropShort(key: string, state: State, atSec?: number): void {
  const { shorts } = state.records
  const known = shorts.get(key)
  if (known === undefined || (atSec !== undefined && known.atSec > atSec)) return
  state.stage(shorts.remove(key))
}

/** The short status of a record. */
export function shortOfRecord({ signingKey, readingKey }: ShortRecord): ShortStatus {
  return { signingKey: parseHex(signingKey)!, readingKey: parseHex(readingKey)! }
}

/** Whether the persona that a device's short status names is still to be found. */
export function isUnknown({ names }: ShortRecord, records: Pick<Records, 'personas'>): boolean {
  return names === null || records.personas.get(names.personaId)?.root !== names.root
}

function isOf({ signingKey, readingKey }: ShortRecord, short: ShortStatus): boolean {
  return equalBytes(parseHex(signingKey)!, short.signingKey) && equalBytes(parseHex(readingKey)!, short.readingKey)
}
