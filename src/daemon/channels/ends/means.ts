/** The services that channels at work share. */
import type { DirectMeans } from '../../../channel/direct/direct-end.ts'
import type { Connections } from '../../../channel/rtc/connections.ts'
import type { Address } from '../../../channel/invite/address.ts'
import type { ChannelState } from '../../../ipc/methods/channel-values.ts'
import type { CarryMeans } from '../../../channel/carriers/carry-means.ts'
import { describeError } from '../../../process/describe-error.ts'
import type { Log } from '../../../process/log.ts'
import type { Clock } from '../../../process/pulse.ts'
import type { Cards } from '../../cards/cards.ts'
import type { Keeper } from '../../keeper/keeper.ts'
import type { SealedRecords } from '../../sealed/records.ts'
import { PLACE } from '../../state/local-records.ts'
import { OWN } from '../../state/own-record.ts'
import { alarm } from '../../personas/alarms.ts'
import { LINK_APP } from '../../../core/encoding/app-name.ts'
import type { ChannelAlarm } from '../../../ipc/methods/channels.ts'
import type { Carrier, OwnPlace } from '../../../channel/carriers/carrier.ts'
import { CarrierError } from '../../../channel/carriers/errors.ts'
import { DueTimes } from './due-times.ts'

/** The carriers of this daemon. */
export interface Ways {
  /** The carrier of an intake; null for one of a later version. */
  of(url: string): Carrier | null
  readonly all: readonly Carrier[]
  /**
   * Makes a place where this end receives.
   * @param over names of carriers, as the owner or an app gives them; null for the usual ones
   * @param peer where the peer receives; a folder is taken that holds its subdirectory
   * @throws {CarrierError} NO_CARRIER and those of Carrier.open
   */
  openPlace(over: readonly string[] | null, peer: Address | null): Promise<OwnPlace>
}

/** Takes what the daemons of peers say of contacts in other apps (docs/links.md). */
export interface TextTaker {
  /** Inside of the change that acknowledges the texts. */
  take: (channel: string, app: string, texts: readonly Uint8Array[]) => void
  /** After that change. */
  taken: (channel: string) => void
}

/** Takes contents of an app without a client (decision 79): see ContentTaker of the wings. */
export type ContentTaker = (
  from: { readonly name: string; readonly persona: string | null },
  bytes: Uint8Array,
) => (() => void) | null

const NOBODY: TextTaker = { take: () => {}, taken: () => {} }

/** An invite of a link is in other hands, or was. */
const LINK_TAKEN: Readonly<Record<ChannelAlarm, string>> = {
  MISBOUND:
    'somebody who is not your persona came with an invite for a link between your apps; nothing was sent to them',
  INVITE_TWICE: 'an invite for a link between your apps was used twice; the first time may have been the wrong one',
  INTERCEPTED: 'an invite for a link between your apps was used elsewhere, perhaps on another device of yours',
}

export interface ChannelsOptions {
  readonly keeper: Keeper
  readonly sealed: SealedRecords
  readonly ways: Ways
  /** Makes connections for the direct way; null if the owner has not allowed it. */
  readonly direct?: Connections | null
  readonly cards: Cards
  readonly clock: Clock
  readonly log: Log
  readonly introductions?: TextTaker
  /** By app. */
  readonly takers?: ReadonlyMap<string, ContentTaker>
}

export class Means implements CarryMeans {
  readonly keeper: Keeper
  readonly sealed: SealedRecords
  readonly ways: Ways
  readonly direct: DirectMeans | null
  readonly cards: Cards
  readonly clock: Clock
  readonly log: Log
  readonly introductions: TextTaker
  readonly takers: ReadonlyMap<string, ContentTaker>
  /** Called when an end, an invite or a join has another address, or is gone. */
  linesChanged: () => void = () => {}
  /** Called when a closed end has nothing left to do. */
  endSpent: () => void = () => {}

  constructor(options: ChannelsOptions) {
    const { keeper, sealed, ways, direct = null, cards, clock, log, introductions = NOBODY } = options
    this.takers = options.takers ?? new Map()
    this.keeper = keeper
    this.sealed = sealed
    this.ways = ways
    this.direct = direct && {
      connections: direct,
      engine: keeper.engine,
      clock: { nowMs: () => this.nowMs, after: (ms, run) => clock.after(ms, run) },
    }
    this.cards = cards
    this.clock = clock
    this.log = log
    this.introductions = introductions
  }

  /** By the clock of the keeper, since times of a channel are on the disk. */
  get nowMs(): number {
    return this.keeper.nowSec * 1000
  }

  /** The store that is here: a copy that goes on has another one. */
  get store(): string {
    return this.keeper.onDisk.places.get(PLACE)?.store ?? ''
  }

  noteFailure(what: string, error: unknown): void {
    this.log.debug(what, describeError(error))
  }

  /** @throws {CarrierError} DIRECT_OFF */
  checkDirect(isWanted: boolean): void {
    if (!isWanted || this.direct !== null) return
    throw new CarrierError('DIRECT_OFF', 'the configuration does not allow the direct way', {
      hint: 'set net.direct to true, without net.proxy, and start the daemon again',
    })
  }

  newId(): string {
    return Buffer.from(this.keeper.engine.randomBytes(8)).toString('hex')
  }

  dueTimes(ring: (id: string) => void): DueTimes {
    return new DueTimes(this.clock, () => this.nowMs, ring)
  }

  /** Inside of a change. */
  tellAlarm(id: string, app: string, code: ChannelAlarm): void {
    const { state, onDisk } = this.keeper
    state.emit({ event: 'channel.alarm', data: { id, app, code } })
    if (app === LINK_APP) alarm(state, 'LINK_TAKEN', onDisk.own.get(OWN)?.personaId ?? null, null, LINK_TAKEN[code])
  }

  /** Inside of a change. */
  tellChanged(id: string, app: string, state: ChannelState, reason: string | null): void {
    this.keeper.state.emit({ event: 'channel.changed', data: { id, app, state, reason } })
  }
}
