/** Evidence: proves something about a persona from its blobs alone, without trust in the person who kept them (docs/format.md, section 8). */
import { formatHex } from './encoding/bytes.ts'
import type { VerifiedBlob } from './verify.ts'

/**
 * - `two-chains`: two chains of keys begin with one K_0, so somebody else has that key.
 * - `fork`: one key signed two tables with the same epoch and seq.
 */
export interface Proof {
  readonly kind: 'two-chains' | 'fork'
  /** 64 hex digits. */
  readonly personaId: string
  /** Epoch and seq of the fork; null for two chains. */
  readonly epoch: number | null
  readonly seq: number | null
  /** Two different c_0, or two different T, 64 hex digits each. */
  readonly pair: readonly [string, string]
}

/** Finds every proof among the blobs, each once. */
export function proofsOf(blobs: readonly VerifiedBlob[]): Proof[] {
  const proofs = new Map<string, Proof>()
  for (const [i, a] of blobs.entries()) {
    for (const b of blobs.slice(i + 1)) {
      const proof = proofOf(a, b)
      if (proof !== null) proofs.set([proof.kind, proof.personaId, proof.epoch, proof.seq].join(), proof)
    }
  }
  return [...proofs.values()]
}

function proofOf(a: VerifiedBlob, b: VerifiedBlob): Proof | null {
  const personaId = formatHex(a.personaId)
  if (personaId !== formatHex(b.personaId)) return null
  const roots = [formatHex(a.root), formatHex(b.root)] as const
  if (roots[0] !== roots[1]) return { kind: 'two-chains', personaId, epoch: null, seq: null, pair: roots }
  const tables = [formatHex(a.tableHash), formatHex(b.tableHash)] as const
  if (a.epoch !== b.epoch || a.seq !== b.seq || tables[0] === tables[1]) return null
  return { kind: 'fork', personaId, epoch: a.epoch, seq: a.seq, pair: tables }
}
