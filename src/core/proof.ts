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

/** Something verified that K_0 bound to a chain: a blob, or a card. */
export interface BoundToChain {
  readonly personaId: Uint8Array
  /** c_0, 32 bytes. */
  readonly root: Uint8Array
}

/** Finds every proof among the blobs and the others, each once. */
export function proofsOf(blobs: readonly VerifiedBlob[], others: readonly BoundToChain[] = []): Proof[] {
  const found = [...pairsOf([...blobs, ...others]).map(twoChainsOf), ...pairsOf(blobs).map(forkOf)]
  const proofs = found.filter((proof) => proof !== null)
  return [
    ...new Map(proofs.map((proof) => [[proof.kind, proof.personaId, proof.epoch, proof.seq].join(), proof])).values(),
  ]
}

function pairsOf<T>(all: readonly T[]): (readonly [T, T])[] {
  return all.flatMap((a, i) => all.slice(i + 1).map((b) => [a, b] as const))
}

function twoChainsOf([a, b]: readonly [BoundToChain, BoundToChain]): Proof | null {
  const personaId = formatHex(a.personaId)
  const roots = [formatHex(a.root), formatHex(b.root)] as const
  if (personaId !== formatHex(b.personaId) || roots[0] === roots[1]) return null
  return { kind: 'two-chains', personaId, epoch: null, seq: null, pair: roots }
}

function forkOf([a, b]: readonly [VerifiedBlob, VerifiedBlob]): Proof | null {
  const personaId = formatHex(a.personaId)
  if (personaId !== formatHex(b.personaId) || formatHex(a.root) !== formatHex(b.root)) return null
  const tables = [formatHex(a.tableHash), formatHex(b.tableHash)] as const
  if (a.epoch !== b.epoch || a.seq !== b.seq || tables[0] === tables[1]) return null
  return { kind: 'fork', personaId, epoch: a.epoch, seq: a.seq, pair: tables }
}
