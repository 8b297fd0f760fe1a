/** The record of a persona: the head, and what this daemon keeps beside it. The owner and contacts have the same one. */
import type { Evidence } from '../../core/evidence.ts'
import type { Device } from '../../core/table.ts'
import type { ContactEntry } from '../../core/consent.ts'

// These limits bound a persona's record, whoever writes its blobs.
export const MAX_KNOWN_NAMES = 64 // sanity: nicknames remembered for keys, so that a table without names keeps them

export const MAX_OTHERS = 64 // sanity: devices that left, or that assert the persona without being listed

/** A persona whose chain a verified blob or a contact link has pinned: a contact, or the owner. The id is the PersonaID. */
export interface PersonaRecord {
  readonly personaId: string
  /** Pinned c_0. */
  readonly root: string
  /** The highest epoch of a contact link; tables of a lower epoch are refused. 0 without a link. */
  readonly minEpoch: number
  /**
   * The head, base64url. Its order fields stand beside it, so that a lookup decodes nothing. Null while we know only a link: then the order
   * fields are zeros, and no device is listed.
   */
  readonly head: string | null
  readonly epoch: number
  readonly seq: number
  readonly timeSec: number
  /** When the head was first seen here, if it was dated more than two hours ahead of this clock then. It counts as signed at that moment. */
  readonly seenSec?: number
  readonly devices: readonly Device[]
  /** We could not read the head's document, so the nicknames are those known before. */
  readonly needsNewerPersona: boolean
  /** The policy holds back the head's devices, and apps see `devices` instead; null if both are the same. */
  readonly pending: { readonly tableHash: string; readonly sinceSec: number; readonly rejected: boolean } | null
  /** A blob that jumps too far ahead to be accepted without the owner. */
  readonly held: string | null
  readonly names: readonly (readonly [key: string, name: string])[]
  /** Devices that the table does not list, but that are bound to this persona or assert it. */
  readonly others: readonly string[]
  readonly evidence: readonly Evidence[]
  /** When the owner last compared the safety number or a link; null if never. */
  readonly verifiedAtSec: number | null
  /** The owner's decisions about it on another device, as that device reports them. */
  readonly elsewhere?: Elsewhere
  /** Null for the owner. */
  readonly entry: ContactEntry | null
  /** A statement names a successor, and waits for the owner's answer. Absent without one. */
  readonly successor?: {
    /** The successor's newest table, base64url. */
    readonly blob: string
    readonly tableHash: string
    readonly sinceSec: number
    readonly rejected: boolean
  }
  /** The persona whose place this one took. Absent for most. */
  readonly replaces?: { readonly personaId: string; readonly root: string }
  /** PersonaID of the successor that took its place. Only records out of sight have it. */
  readonly replacedBy?: string
}

/** The owner's decisions about a contact on another device, as that device reports them. */
export interface Elsewhere {
  /** `sibling:NAME`, as the other device calls itself. */
  readonly source: string
  /** c_0 of the chain that it is about, 64 hex digits. */
  readonly root: string
  readonly sinceSec: number
  /** When the owner compared the safety number there, at most when the report came; null if they did not, or after a no. */
  readonly verifiedAtSec: number | null
  /** The epoch of a contact link there; 0 without one, or after a no. */
  readonly minEpoch: number
  /** The owner's no: neither a comparison nor a link up to this epoch is asked about again. */
  readonly refused: { readonly verified: boolean; readonly minEpoch: number }
}

/** A persona with a head. The owner's always has one. */
export type HeadedPersona = PersonaRecord & { readonly head: string }

export function hasHead(persona: PersonaRecord): persona is HeadedPersona {
  return persona.head !== null
}
