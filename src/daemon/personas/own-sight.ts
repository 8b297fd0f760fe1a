/** The owner's own blob seen on some device: what observing hands over, and what the owner's side takes. */
import type { OrderVerdict } from '../../core/order.ts'
import type { VerifiedBlob } from '../../core/verify.ts'

/** What the owner's own blob on some device means is the owner's table's business. */
export interface OwnHeads {
  readonly personaId: string | null
  /** @returns whether anything was written */
  adopt(blob: VerifiedBlob, verdict: OrderVerdict, sight: OwnSight): boolean
}

/** How the own blob was seen. */
export interface OwnSight {
  /** The device that shows it. */
  readonly from: string
  /** When; null for a profile on this machine, whose text may be from this daemon's own hand. */
  readonly copySec: number | null
  /** As applyVerdict has it. */
  readonly mayNote: boolean
}
