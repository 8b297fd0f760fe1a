/** Evidence: blobs kept to prove forks, violations and replays. The amount is bounded however many a thief signs (docs/format.md, section 8). */

export type EvidenceKind = 'stale' | 'fork' | 'violation'

export interface Evidence {
  readonly kind: EvidenceKind
  readonly epoch: number
  readonly seq: number
  /** T, 64 hex digits. Pieces with equal T and c_0 are the same. */
  readonly tableHash: string
  /** c_0, 64 hex digits. A violation is a blob of another chain. */
  readonly root: string
  readonly seenAtSec: number
  /** The whole blob, base64url. */
  readonly blob: string
}

export const MAX_EVIDENCE_PER_SEQ = 2 // format: two blobs of one chain and seq prove a fork; more prove nothing new
export const MAX_EVIDENCE_PER_PERSONA = 16 // sanity: at most 12 kB per persona

const WEIGHT: Record<EvidenceKind, number> = { stale: 0, fork: 1, violation: 2 }

/**
 * Adds one piece of evidence; returns the same array when the piece adds nothing. When there is no room, a piece replaces only one that
 * proves less. So nobody can push out the proof of a theft with old blobs. One exception: a violation by a chain that no piece shows
 * always gets in, since each new chain may be another thief's, or the right one that the owner is about to pin.
 */
export function addEvidence(kept: readonly Evidence[], piece: Evidence): readonly Evidence[] {
  const same = kept.findIndex((other) => other.tableHash === piece.tableHash && other.root === piece.root)
  if (same >= 0) {
    const other = kept[same]!
    return WEIGHT[piece.kind] > WEIGHT[other.kind] ? kept.with(same, { ...other, kind: piece.kind }) : kept
  }
  const atSeq = kept.filter(
    (other) => other.epoch === piece.epoch && other.seq === piece.seq && other.root === piece.root,
  )
  if (atSeq.length >= MAX_EVIDENCE_PER_SEQ) return replace(kept, lightest(atSeq, piece), piece)
  if (kept.length >= MAX_EVIDENCE_PER_PERSONA)
    return replace(kept, lightest(kept, piece) ?? dullest(kept, piece), piece)
  return [...kept, piece]
}

/** The oldest of the pieces that prove least, if they prove less than the new one. */
function lightest(among: readonly Evidence[], piece: Evidence): Evidence | null {
  let lightest = piece
  for (const other of among) if (WEIGHT[other.kind] < WEIGHT[lightest.kind]) lightest = other
  return lightest === piece ? null : lightest
}

/** The oldest piece of the chain that has most of them, if the new piece is a violation by a chain without any. */
function dullest(kept: readonly Evidence[], piece: Evidence): Evidence | null {
  if (piece.kind !== 'violation' || kept.some(({ root }) => root === piece.root)) return null
  const count = ({ root }: Evidence): number => kept.filter((other) => other.root === root).length
  return kept.reduce((dull, other) => (count(other) > count(dull) ? other : dull))
}

/** The new piece goes last, so that the pieces are in the order in which they came. */
function replace(kept: readonly Evidence[], old: Evidence | null, piece: Evidence): readonly Evidence[] {
  return old === null ? kept : [...kept.filter((other) => other !== old), piece]
}
