/** Proofs that somebody else has a signing key of a persona: announcements that the owner's devices do not sign (docs/announce.md, section 6). */
import { MAX_EPOCH } from '../../core/limits.ts'
import { kind, type Kind } from '../state/kind.ts'
import type { Records } from '../state/records.ts'
import type { State } from '../state/state.ts'
import { alarm, isRaised } from './alarms.ts'

const JAMMED = 'ANNOUNCEMENT_JAMMED'

/** A signed value of the DHT, as texts. */
export interface ItemTexts {
  /** 64 hex digits */
  readonly publicKey: string
  /** hex digits */
  readonly salt: string
  /** Decimal digits: JSON has no 64-bit integers. */
  readonly seq: string
  /** The value as it is bencoded, base64url. */
  readonly bencoded: string
  /** 128 hex digits */
  readonly signature: string
}

/** A signed item that proves that somebody else has the key of this epoch. */
export interface TheftRecord {
  readonly personaId: string
  readonly epoch: number
  readonly item: ItemTexts
  readonly seenSec: number
  /** r, 64 hex digits, with which anybody can check it. Absent in records from before this field. */
  readonly readingKey?: string
}

/** One for each persona and epoch: another item of the same key proves nothing new. It stays here: each device sees for itself. */
export const THEFTS: Kind<TheftRecord> = kind('jammed', { travels: 'never' })

function theftId(personaId: string, epoch: number): string {
  return `${personaId} ${String(epoch).padStart(2, '0')}`
}

/** The proofs about a persona, by epoch. */
export function theftsOf(personaId: string, records: { of: Records['of'] }): TheftRecord[] {
  const thefts = records.of(THEFTS)
  // Before there was one for each epoch, the PersonaID was the id.
  const former = thefts.get(personaId)
  return Array.from({ length: MAX_EPOCH + 1 }, (_, epoch) => {
    const known = thefts.get(theftId(personaId, epoch))
    return known ?? (former?.epoch === epoch ? former : undefined)
  }).filter((theft) => theft !== undefined)
}

/**
 * Keeps the first proof about each key, and raises the alarm. About a key that was given up, the alarm does not come back after the owner
 * dismissed it: nothing is left to do. Inside of a change.
 */
export function noteTheft(theft: Omit<TheftRecord, 'seenSec'>, ownId: string | null, state: State): void {
  const { personaId, epoch } = theft
  const persona = state.persona(personaId)
  if (persona === undefined || (persona.entry === null && personaId !== ownId)) return
  const known = theftsOf(personaId, state)
  const isNews = !known.some((other) => other.epoch === epoch)
  if (isNews) state.stage(state.of(THEFTS).put(theftId(personaId, epoch), { ...theft, seenSec: state.nowSec }))
  const newest = Math.max(epoch, ...known.map((other) => other.epoch))
  const isOver = newest < persona.epoch
  if (!isNews && isOver && !isRaised(state, JAMMED, personaId)) return
  alarm(state, JAMMED, personaId, null, messageOf(isOver, persona.entry?.name ?? null), { isNews })
}

function messageOf(isOver: boolean, name: string | null): string {
  const proves = 'an announcement proves that somebody else has'
  if (name === null)
    return isOver
      ? `${proves} an earlier signing key of yours; friends who are behind may not find your table by announcements`
      : `${proves} your signing key: rotate it`
  return isOver
    ? `${proves} an earlier signing key of ${name}`
    : `${proves} the signing key of ${name}: ask them to rotate it`
}
