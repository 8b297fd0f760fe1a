/** Cards as the wings of the daemon see them: the own ones, and those of peers (docs/card.md). */
import type { VerifiedCard } from '../../card/verify.ts'
import type { Identity } from '../../channel/handshake/message.ts'
import type { JudgeCard } from '../../channel/handshake/peer.ts'
import type { BoxKeyPair } from '../../seal/key-pair.ts'
import type { Standing } from './kept/known.ts'

/** One HTTP request that a token is for. */
export interface TokenCall {
  readonly origin: string
  readonly method: string
  /** Path and query. */
  readonly path: string
  /** SHA-256 of the body, 32 bytes; of nothing, for a request without one. */
  readonly bodyHash: Uint8Array
  /** PersonaID in upper-case hex of the persona whose inbox the request is for; absent or null for the own persona. */
  readonly to?: string | null
}

/** This device as a sender and reader of messages for an app. The values are of the moment when it was asked for. */
export interface AppDevice {
  /** 64 digits of upper-case hex. */
  readonly personaId: string
  /** The own card that counts. */
  readonly card: VerifiedCard
  /** The `sig` of this device, 32 bytes. */
  readonly deviceKey: Uint8Array
  /** The pairs that open seals to this device: the present `enc` first, then secrets of before, which are in no card any more, the newest first. */
  readonly pairs: readonly BoxKeyPair[]
  /** Signs with the key of this device that the card lists. @returns 64 bytes */
  sign(this: void, message: Uint8Array): Uint8Array
  /** Makes a device token for one request. @param nowSec by the clock of the relay */
  readonly token: (call: TokenCall, nowSec: number) => string
}

/** Addresses of relays, the preferred first; null where the owner said nothing. */
export interface OwnPlaces {
  readonly inboxes: readonly string[] | null
  readonly stores: readonly string[] | null
}

export interface FindOptions {
  /** Asks the stores also if the last look is recent: a relay did not take what was made by the card that is kept. */
  readonly anew?: boolean
  /** Addresses of further relays where the card may lie. */
  readonly alsoAt?: readonly string[]
}

export interface Cards {
  /**
   * This end as a device of the own persona for an app. Keys and card are made at first use.
   * @param app see isAppName()
   * @returns null without a persona
   * @throws {CustodyError} LOCKED | APPS_LOCKED {OwnPersonaError} RESTORE_UNRECONCILED | KEY_SUPERSEDED | OWN_DEVICE_UNLISTED | PERSONA_SUCCEEDED
   */
  identity(app: string): Promise<Identity | null>
  /**
   * This device as a sender of messages for an app. Keys and card are made at first use.
   * @returns null without a persona
   * @throws as {@link identity}
   */
  device(app: string): Promise<AppDevice | null>
  /** The apps of this device that show the persona to somebody. */
  readonly apps: readonly string[]
  /**
   * This device as it is, also while the persona is locked; nothing is made or signed.
   * @returns null where this device uses no such app, or the apps key is closed
   */
  deviceNow(app: string): AppDevice | null
  /**
   * Whether this state was put back or copied. Another device may have the keys of this one, so nothing is sent or read with them. It ends with
   * the first card that has new keys.
   */
  readonly isCopied: boolean
  /**
   * As {@link deviceNow}, also in a persona that the owner has left here, or that has a successor. Relays know this device until they get a later
   * card, or until the last one expires.
   * @param personaId the persona that was last the own one if left out
   */
  deviceAs(app: string, personaId?: string): AppDevice | null
  /**
   * The card of a persona for an app that counts here. Its stores are asked if none is kept, if the last look is an hour old (a minute for
   * the own persona), or if `anew`
   * says so: those of the card, those of the persona's table, and `alsoAt`. A card of a contact is taken as that of a peer who was met. Nobody
   * is asked for a persona who is no contact and of whom no card for the app is kept. It never rejects because of a store.
   * @returns null if there is none, or its epoch is over
   */
  find(personaId: string, app: string, options?: FindOptions): Promise<VerifiedCard | null>
  /** The card of a persona for an app that counts by what is kept here; null if there is none. */
  counting(personaId: string, app: string): VerifiedCard | null
  /** Puts the card of a persona that lists this device to this relay now. @throws {RelayError} as putCard() {CustodyError} APPS_LOCKED */
  putTo(url: string, app: string, personaId: string): Promise<void>
  /** Puts the own card that counts to its stores and inboxes, where it is not. Resolves once each has answered, at the latest after three seconds. */
  show(app: string): Promise<void>
  /**
   * Reads the own card back, once a minute at most: a sibling may use the app since then. A first card that is signed without this could take the
   * place of the sibling's. Resolves after a second at the latest, and reads on.
   * @param alsoAt addresses of further relays where the card may lie
   */
  catchUp(app: string, alsoAt: readonly string[]): Promise<void>
  /** Where the owner wants messages and objects of the app, as they said here. */
  placesOf(app: string): OwnPlaces
  /** The owner says where they get messages for the app. @param inboxes at most 4 @throws as OwnCards.rejoin() */
  setInboxes(app: string, inboxes: readonly string[]): Promise<void>
  /** The owner says where the card and the objects of the app lie. @param stores at most 4 @throws as OwnCards.rejoin() */
  setStores(app: string, stores: readonly string[]): Promise<void>
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
  /** The devices of the own table that the newest card of an app lists, by the `sig` of each. A key of the card that has the tag of none is left out. */
  ownDevices(app: string): ReadonlyMap<string, string>
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
