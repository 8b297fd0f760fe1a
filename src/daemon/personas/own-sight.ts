/** The interface between observing and the owner's table: observing reports each sight of the owner's own blob. */
import type { OrderVerdict } from '../../core/order.ts'
import type { VerifiedBlob } from '../../core/verify.ts'

export interface OwnHeads {
  /** Null without a persona. */
  readonly personaId: string | null
  /**
   * Some device shows a blob of the owner's persona.
   * @returns whether anything was written
   */
  seeOwnBlob(blob: VerifiedBlob, verdict: OrderVerdict, sight: OwnSight): boolean
  readonly succession: {
    /** A valid statement names a successor of the owner's persona. */
    see(successorId: string, verdict: 'proven' | 'unproven'): void
  }
}

export interface OwnSight {
  /** The device that shows the blob; '' if the owner gives a copy. */
  readonly from: string
  /** When the copy was seen; null for a profile on this machine, because this daemon may have written its text. */
  readonly copySec: number | null
  /** See decide(). */
  readonly mayNote: boolean
  /** The source of the report; undefined if the owner gives a copy. */
  readonly source?: string
  /** The owner accepted that this device is theirs, although it is known as a friend. */
  readonly isAccepted?: boolean
}
