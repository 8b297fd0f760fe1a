/** The services that messages at work share. */
import { describeError } from '../../../process/describe-error.ts'
import type { Log } from '../../../process/log.ts'
import type { Clock } from '../../../process/pulse.ts'
import type { Cards } from '../../cards/cards.ts'
import type { Keeper } from '../../keeper/keeper.ts'
import type { Relays } from '../../relays/relays.ts'
import type { SealedInChange, SealedOnDisk, SealedRecords } from '../../sealed/records.ts'
import type { SealedKind } from '../../sealed/sealed-kind.ts'

export interface MessagesMeans {
  readonly keeper: Keeper
  readonly sealed: SealedRecords
  readonly cards: Cards
  readonly relays: Relays
  /** Hands an invite to whoever makes channels. It is on disk there on return. */
  readonly takeInvite: (letter: {
    readonly app: string
    readonly persona: string
    readonly device: string
    readonly invite: string
  }) => Promise<void>
  readonly clock: Clock
  readonly log: Log
}

/** The records of a kind on disk, and inside of a change. */
export function onDisk<T>({ sealed }: Pick<MessagesMeans, 'sealed'>, kind: SealedKind<T>): SealedOnDisk<T> {
  return sealed.onDisk(kind)
}

export function inChange<T>({ sealed }: Pick<MessagesMeans, 'sealed'>, kind: SealedKind<T>): SealedInChange<T> {
  return sealed.inChange(kind)
}

export function noteFailure(what: string, error: unknown, { log }: Pick<MessagesMeans, 'log'>): void {
  log.debug(what, describeError(error))
}
