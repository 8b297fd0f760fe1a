/**
 * Contents that the daemon itself takes for an app, with the commit that brings them (decision 79). The wing of channels carries them, and another wing
 * takes them; neither knows the other.
 */

/** The peer, as the owner knows them. */
export interface ContentSender {
  /** The local name. */
  readonly name: string
  /** PersonaID; null without a persona. */
  readonly persona: string | null
}

/** @returns what writes the content, inside of the change that acknowledges it; null to leave it to a client of the app */
export type ContentTaker = (from: ContentSender, bytes: Uint8Array) => (() => void) | null

/** By app. */
export type ContentTakers = Map<string, ContentTaker>
