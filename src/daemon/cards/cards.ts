/** Cards as the wings of the daemon see them: the own ones, and those of peers (docs/card.md). */
import type { Identity } from '../../channel/handshake/message.ts'
import type { JudgeCard } from '../../channel/handshake/peer.ts'

/**
 * The place of a peer's device by the newest card of the highest epoch that is known of its persona.
 * - `listed`: the card lists the device.
 * - `unlisted`: it does not. Nothing is sent to the device, and nothing of it is taken.
 * - `unconfirmed`: the persona has rotated, and no card of the new epoch came yet; or the device showed a card of its own beside the newest one,
 *   which need not know of it. It lasts 7 days at most.
 * - `unknown`: no card of this persona for this app is kept.
 */
export type Standing = 'listed' | 'unlisted' | 'unconfirmed' | 'unknown'

export interface Cards {
  /**
   * This end as a device of the own persona for an app. Keys and card are made at first use.
   * @param app see isAppName()
   * @returns null without a persona
   * @throws {CustodyError} LOCKED | APPS_LOCKED {OwnPersonaError} RESTORE_UNRECONCILED | KEY_SUPERSEDED | OWN_DEVICE_UNLISTED | PERSONA_SUCCEEDED
   */
  identity(app: string): Promise<Identity | null>
  /** Verifies the card of a handshake against what is on disk. It keeps nothing: see {@link meet}. */
  readonly judge: JudgeCard
  /**
   * Keeps the card of a peer whose handshake is good, and pins the chain of its persona. Call it inside of the change that writes the
   * handshake's outcome.
   */
  meet(card: string): void
  /** Takes a card that came by a channel or was fetched. A card of somebody whom this daemon never met is ignored. */
  take(card: string): Promise<void>
  /** @param personaId 64 hex digits @param deviceKey the `sig` of the device, 32 bytes */
  standing(personaId: string, app: string, deviceKey: Uint8Array): Standing
  /**
   * The card that counts for a persona and an app, for the control text 3 to a device of the persona that did not sign it: it may not know what its
   * siblings signed.
   * @returns null if none is kept, or the device signed it
   */
  unseenBy(personaId: string, app: string, deviceKey: Uint8Array): string | null
  /** The own card that counts for an app, for the control text 3; null if there is none. */
  own(app: string): string | null
  /**
   * Called after a card or a standing may have changed, also for the own persona. It must return at once.
   * @returns a function that ends it
   */
  onChanged(run: (personaId: string, app: string) => void): () => void
}
