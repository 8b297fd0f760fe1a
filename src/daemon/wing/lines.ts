/**
 * Channels of the daemon itself, to other devices of the own persona (docs/links.md, section 5). One wing carries them, and another one uses them;
 * neither knows the other. A line has the name that its user gives it.
 */
export type LineState =
  /** Nobody has used the invite. */
  | 'invited'
  /** The handshake is not over. */
  | 'waiting'
  | 'open'
  /** The card of the persona does not list the other device. */
  | 'still'
  /** The other side has closed it, it cannot go on, or the invite has ended. */
  | 'over'

export interface Line {
  /** The id of the channel, or of the invite. */
  readonly id: string
  readonly name: string
  readonly state: LineState
  /** The key of the other device on this line, in upper-case hex; null before it is known. */
  readonly device: string | null
}

export interface Lines {
  list(): Promise<readonly Line[]>
  /** The devices of the own table that the newest card lists, by their keys on lines. */
  listed(): ReadonlyMap<string, string>
  /** Makes an invite that the own persona alone can use. */
  invite(name: string): Promise<{ readonly invite: string; readonly expiresAtSec: number }>
  /** Uses an invite of another device. @throws {HandshakeError} {InviteError}, and a refusal for an invite of somebody else */
  accept(name: string, invite: string): Promise<void>
  /**
   * On return it is on disk.
   * @param key what was sent under the same key is not sent again; null for none
   * @param note inside of the change that sends it
   */
  send(id: string, bytes: Uint8Array, key: string | null, note?: () => void): Promise<void>
  /** The contents that have come and were not acknowledged. */
  read(id: string): Promise<readonly { readonly number: number; readonly bytes: Uint8Array }[]>
  ack(id: string, upTo: number): Promise<void>
  /** Ends a line at both sides, or withdraws its invite. */
  close(id: string): Promise<void>
}

/** Where wings find the lines. Most daemons have none, so their code is loaded by the first call. */
export interface LineOffice {
  /** Whether there is a channel or an invite of whatever kind. */
  hasAny: () => Promise<boolean>
  open: () => Promise<Lines>
  /** Called after the card of the lines has changed: a device on a line may be listed otherwise. */
  changed: () => void
}

/** Before a wing carries lines. */
export function noLines(): LineOffice {
  return {
    hasAny: () => Promise.resolve(false),
    open: () => Promise.reject(new Error('nothing carries lines')),
    changed: () => {},
  }
}
