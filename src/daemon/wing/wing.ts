/** A wing: a part of the daemon that plugs in (docs/wings.md). The rest of the daemon knows wings only by this interface. */
import type { Sighting } from '../../core/consent.ts'
import type { Caller, Handlers } from '../../ipc/methods/method.ts'
import type { WingSchema } from '../../ipc/methods/wing.ts'
import type { DaemonEvent } from '../../ipc/methods/events.ts'
import type { Finding } from '../../ipc/shapes/doctor.ts'
import type { Unreached } from '../../ipc/shapes/rotation.ts'
import type { ConfigSection } from '../../process/config-file.ts'
import type { Log } from '../../process/log.ts'
import type { StatePaths } from '../../store/state-dir.ts'
import type { Cards } from '../cards/cards.ts'
import type { ContentTakers } from './content-takers.ts'
import type { Introductions } from './introductions.ts'
import type { Letters } from './letters.ts'
import type { LineOffice } from './lines.ts'
import type { OwnerCalls } from './owner-calls.ts'
import type { Speakers } from './speakers.ts'
import type { OnSpent } from '../keeper/held-keys.ts'
import type { Keeper } from '../keeper/keeper.ts'
import type { NetConfig } from '../net/config.ts'
import type { Net } from '../net/net.ts'
import type { Rtc } from '../net/rtc.ts'
import type { Relays } from '../relays/relays.ts'
import type { SealedRecords } from '../sealed/records.ts'
import type { SealedKind } from '../sealed/sealed-kind.ts'
import type { Kind } from '../state/kind.ts'

/** The services of the daemon for a wing. */
export interface Host {
  readonly keeper: Keeper
  readonly paths: StatePaths
  readonly env: Readonly<Record<string, string | undefined>>
  readonly log: Log
  /** The DHT; null if the configuration has nothing that needs it. */
  readonly net: Net | null
  /** The cards of the own persona and of peers (docs/card.md). */
  readonly cards: Cards
  /** The section `net` of the configuration. */
  readonly netConfig: NetConfig
  readonly relays: Relays
  /** Connections of WebRTC; null if the configuration does not allow them. */
  rtc(this: void): Promise<Rtc | null>
  /** The records whose values are sealed by the apps key, and that key. */
  readonly sealed: SealedRecords
  /** Invites that travel as messages. */
  readonly letters: Letters
  /** Contacts that are introduced over a channel of another app. */
  readonly introductions: Introductions
  /** Channels to other devices of the own persona. */
  readonly lines: LineOffice
  /** Those who take contents of an app without a client. */
  readonly takers: ContentTakers
  readonly speakers: Speakers
  /** The methods of the daemon, once its sockets answer. */
  readonly owner: OwnerCalls
  /** The name under which the app of a connection speaks to others; null if it has given no token, has no such name, or is the owner. */
  appOf(this: void, caller: Caller): string | null
}

/**
 * A wing, before the daemon opens it.
 * @template M the rows of the method table that it answers
 * @template C its section of the configuration
 */
export interface Wing<M = object, C = unknown> {
  /** Its part of the protocol. Clients load it, so it stands in ipc/methods. */
  readonly schema: WingSchema<M>
  /** Null for a wing without settings of its own. */
  readonly section: ConfigSection<C> | null
  /** The records that it keeps in the store. */
  readonly kinds?: readonly Kind<unknown>[]
  /** The records that it keeps sealed. */
  readonly sealedKinds?: readonly SealedKind<unknown>[]
  /** Signs with a key that is about to be erased. Called inside a change, also at the start, before the wing is opened. */
  readonly onSpent?: OnSpent
  /**
   * Called once, before the sockets answer. It may read the state and must not change it yet: see {@link OpenWing.start}. Code that only a
   * configured wing needs is loaded here, by import().
   */
  open(host: Host, config: C): OpenWing<M, C> | Promise<OpenWing<M, C>>
}

/** A wing at work. Only the handlers are required. */
export interface OpenWing<M = object, C = unknown> {
  readonly handlers: Handlers<M>
  /** Called once, after the sockets answer. */
  start?(): void | Promise<void>
  /** Called for every event, once it is on disk. It must return at once and must not throw. */
  onEvent?(event: DaemonEvent): void
  /** Called when a reload changed a reloadable key of the section. */
  reload?(config: C): void | Promise<void>
  /** Its part of the result of `status`: keys of its own, and what the owner should know now. */
  status?(): { readonly part: object; readonly findings?: readonly Finding[] }
  /** Its checks of `doctor`, including those that found nothing wrong. */
  findings?(): Finding[] | Promise<Finding[]>
  /** The table that an own device shows right now, if this wing sees it for itself; null when it does not. */
  sees?(key: string): Sighting | null
  /**
   * The owner gives up the persona or the whole state: others learn of it, as far as they can be reached. Cards still list this device. It never
   * throws. @returns the rest
   */
  farewell?(): Promise<readonly Unreached[]>
  /** Called once, before the sockets close. The last wing that was opened is closed first. */
  close?(): void | Promise<void>
}
