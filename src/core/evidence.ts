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

export const MAX_EVIDENCE_PER_SEQ = 2 // format: two blobs of one seq prove a fork; more prove nothing new
export const MAX_EVIDENCE_PER_PERSONA = 16 // sanity: at most 12 kB per persona

const WEIGHT: Record<EvidenceKind, number> = { stale: 0, fork: 1, violation: 2 }

/**
 * Adds one piece of evidence; returns the same array when the piece adds nothing. When there is no room, a piece replaces only one that
 * proves less. So nobody can push out the proof of a theft with old blobs.
 */
export function addEvidence(kept: readonly Evidence[], piece: Evidence): readonly Evidence[] {
  const same = kept.findIndex((other) => other.tableHash === piece.tableHash && other.root === piece.root)
  if (same >= 0) {
    const other = kept[same]!
    return WEIGHT[piece.kind] > WEIGHT[other.kind] ? kept.with(same, { ...other, kind: piece.kind }) : kept
  }
  const atSeq = kept.filter((other) => other.epoch === piece.epoch && other.seq === piece.seq)
  if (atSeq.length >= MAX_EVIDENCE_PER_SEQ) return replaceLighter(kept, atSeq, piece)
  if (kept.length >= MAX_EVIDENCE_PER_PERSONA) return replaceLighter(kept, kept, piece)
  return [...kept, piece]
}

function replaceLighter(kept: readonly Evidence[], among: readonly Evidence[], piece: Evidence): readonly Evidence[] {
  let lightest = piece
  for (const other of among) if (WEIGHT[other.kind] < WEIGHT[lightest.kind]) lightest = other
  return lightest === piece ? kept : kept.map((other) => (other === lightest ? piece : other))
}
