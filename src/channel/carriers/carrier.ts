/**
 * A carrier moves sealed data between two ends (docs/channel.md, section 13). It may lose, double, reorder and change what it moves; the channel
 * stands all of it. It holds the keys of places, and no key of a channel.
 */
import type { BoxKeyPair } from '../../seal/key-pair.ts'
import type { Address, Intake } from '../invite/address.ts'

/** A place where this end receives: one key, and 1 to 4 intakes over any carriers. It is made for one peer, or for one invite. */
export interface Place {
  readonly address: Address
  /** It opens boxes, and the seals of a handshake: the X25519 secret of `address.pub`, 32 bytes, or a pair whose secret nobody can read. */
  readonly secret: Uint8Array | BoxKeyPair
}

/** A place whose secret can be stored as bytes. */
export interface OwnPlace extends Place {
  readonly secret: Uint8Array
}

/** Both ends of one exchange, as a carrier needs them. */
export interface Line {
  /** Names the line, the same at each call. */
  readonly id: string
  /**
   * Where this end receives: the current place, beside it the next one while the end moves, and at the host the place of the invite until the
   * guest's first frame came. A folder has a subdirectory for each, and the peer reads in those that it knows. Never empty.
   */
  readonly own: readonly Place[]
  /**
   * Where the peer receives. Null for an open invite of the host: then `receive` gives what anybody left for the invite. To answer a guest, the
   * host sends over a line with the place of the invite as its own, and the return address of the guest as the peer's.
   */
  readonly peer: Address | null
}

/** One intake of this end. Two places of a line may be at one relay, so the address alone does not name a box. */
export interface OwnIntake extends Intake {
  readonly place: Place
}

/** The intakes of this end: where it reads. */
export function ownIntakes({ own }: Pick<Line, 'own'>): OwnIntake[] {
  return own.flatMap((place) => place.address.where.map((intake) => ({ ...intake, place })))
}

export interface Arrival {
  readonly data: Uint8Array
  /** Stands for this arrival and all before it; at most {@link MAX_CURSOR_CHARS} characters. */
  readonly cursor: string
}

export const MAX_CURSOR_CHARS = 4096 // sanity: a cursor of a folder names each file that still lies there

/** One intake of this end, to be watched for a line. */
export interface Watched {
  readonly line: Line
  readonly own: OwnIntake
}

export interface Watch {
  /** To be called after the lines have changed, also when a peer has another address. It returns at once. */
  changed(): void
  /** Somebody waits for news of this line: a carrier that nothing wakes looks more often for a while. */
  expect?(lineId: string): void
}

/** One way to move data. One contract suite holds every carrier: test/contract/carrier.test.ts. */
export interface Carrier {
  readonly name: 'folder' | 'relay' | 'record'
  readonly limits: CarrierLimits

  /** Whether an intake with this URL is one of this carrier. */
  serves(url: string): boolean

  /**
   * Makes a new intake of this end.
   * @param at what the owner configured: a directory, or the URL of a relay
   * @param pub the key of the place, 32 bytes
   * @param secret of the place, for carriers whose keys come from it
   * @throws {CarrierError} any code but NO_CARRIER and DATA_TOO_LARGE
   */
  open(at: string, pub: Uint8Array, secret: Place['secret']): Promise<Intake>

  /**
   * Leaves data for the peer of the line. On return it is durable at the carrier. The same data again is harmless, and worth it: what the carrier
   * has lost lies there again.
   * @param to an intake of `line.peer`
   * @returns 'used' where the peer has retired the intake
   * @throws {CarrierError} any code but NO_CARRIER
   */
  send(line: Line, to: Intake, data: Uint8Array): Promise<'left' | 'used'>

  /**
   * Reads what came by an own intake after the cursor, in the order of the carrier, perhaps again. It gives some of it; the caller goes on with the
   * last cursor until nothing comes.
   * @param after a cursor of an earlier call, or '' for the beginning. Everything up to it is durable here, so the carrier may forget it
   * @throws {CarrierError} any code but NO_CARRIER and DATA_TOO_LARGE
   */
  receive(line: Line, own: OwnIntake, after: string): Promise<readonly Arrival[]>

  /** Lets the carrier forget everything up to the cursor, where no `receive` with it follows soon. @throws as {@link receive} */
  processed(line: Line, own: OwnIntake, cursor: string): Promise<void>

  /**
   * Lets the carrier forget what this end has left there, where nobody else clears it away: all but the data that is still in flight, and the
   * newest. To be called after the peer has acknowledged something, and after a frame that nobody acknowledges.
   * @param stillInFlight all data in flight that this end sends from the places of `line.own`
   * @throws {CarrierError} CARRIER_AWAY | CARRIER_READ_ONLY | CARRIER_DENIED
   */
  settled(line: Line, stillInFlight: readonly Uint8Array[]): Promise<void>

  /**
   * Calls back when something may have come to an intake, until the signal ends it. Data that lay there before is news too. It never throws, and goes
   * on while the carrier is away.
   * @param lines asked for at the begin and after each {@link Watch.changed}
   * @param onLoss the carrier of a line was away, or has lost what this end has left there: all data in flight is to be left again
   */
  watch(
    lines: () => readonly Watched[],
    onNews: (watched: Watched) => void,
    signal: AbortSignal,
    onLoss?: (lineId: string) => void,
  ): Watch

  /**
   * Closes an own intake to senders, for good: `send` of the peer gives 'used'. All that lies there can still be received, and what this end has left is
   * still there for the peer.
   * @throws as {@link receive}
   */
  retire(line: Line, own: OwnIntake): Promise<void>

  /**
   * Removes all that the carrier keeps for a retired intake: once nobody sends there any more, and nothing that this end left is in flight. For the
   * place of an invite that is when the invite ends, for that of a channel 31 days after it was retired.
   * @throws {CarrierError} CARRIER_AWAY | CARRIER_READ_ONLY | CARRIER_DENIED
   */
  forget(own: OwnIntake): Promise<void>
}

export interface CarrierLimits {
  /** The largest data that `send` takes. */
  readonly maxDataBytes: number
  /** How soon news reach the other end, while both are on and the carrier works. */
  readonly latency: 'instant' | 'seconds' | 'minutes'
}
