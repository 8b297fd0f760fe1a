/** Sends past events to a subscriber that was away (docs/ipc.md, section 2). All replays together take one slice of time in a turn of the event loop. */
import type { EventName } from '../../ipc/methods/events.ts'
import type { Caller } from '../../ipc/methods/method.ts'
import { lagged, RpcError } from '../../ipc/wire/rpc.ts'
import type { Apps } from '../apps/apps.ts'
import type { Keeper } from '../keeper/keeper.ts'
import { KeeperError } from '../state/errors.ts'
import { replayEvent, tipOf } from '../state/history.ts'

const SLICE_MS = 1 // sanity: as long as the calls of one connection before others have a turn
const MAX_SLICE = 64 // sanity: entries; the clock may stand still

export class Replays {
  readonly #keeper: Keeper
  readonly #apps: Apps
  /** The newest subscription of each connection: its replay ends those before. */
  readonly #newest = new WeakMap<Caller, symbol>()
  /** Replays that wait for their turn. */
  #waiting: (() => void)[] = []

  constructor(keeper: Keeper, apps: Apps) {
    this.#keeper = keeper
    this.#apps = apps
  }

  /** Ends a running replay of this connection. */
  end(caller: Caller): void {
    caller.unsubscribe()
    this.#newest.delete(caller)
  }

  /**
   * Sends the events after a number, and subscribes in the same turn in which it has sent the last one, so that none is missed.
   * @returns number of the last event that was sent or skipped
   * @throws {KeeperError} REPLAY_ENDED {RpcError} PERMISSION_DENIED
   */
  async subscribe(caller: Caller, names: readonly EventName[], after: number): Promise<number> {
    this.end(caller)
    const mine = Symbol('subscription')
    this.#newest.set(caller, mine)
    const wanted = new Set<string>(names)
    let number = after
    // Read the tip each time: while the client reads, new events come, and the oldest entries may go.
    while (number < tipOf(this.#keeper.onDisk).number) {
      await this.#turn()
      const untilMs = performance.now() + SLICE_MS
      for (let looked = 0; looked < MAX_SLICE && performance.now() < untilMs; looked++) {
        this.#check(caller, mine)
        const tip = tipOf(this.#keeper.onDisk)
        if (number >= tip.number) break
        const gap = tip.oldest - 1 - number
        const isSent = gap > 0 ? caller.replay(lagged(gap, number)) : this.#send(caller, number + 1, wanted)
        number += Math.max(gap, 1)
        if (isSent !== null && !(await isSent)) break
      }
    }
    this.#check(caller, mine)
    caller.subscribe(names, number)
    return number
  }

  /** @returns null if the event is not for this caller */
  #send(caller: Caller, number: number, wanted: ReadonlySet<string>): Promise<boolean> | null {
    const event = replayEvent(number, this.#keeper.reader(), wanted)
    return event === null || !this.#apps.mayHear(caller, event) ? null : caller.replay(event)
  }

  #check(caller: Caller, mine: symbol): void {
    if (!caller.isOpen || this.#newest.get(caller) !== mine)
      throw new KeeperError('REPLAY_ENDED', 'the connection closes, or subscribed again', 'subscribe again')
    if (!this.#apps.mayRead(caller)) throw notAllowed('read')
  }

  /** Resolves for one replay in each turn of the event loop, in the order of the calls. */
  #turn(): Promise<void> {
    return new Promise((go) => {
      if (this.#waiting.push(go) === 1) setImmediate(() => this.#next())
    })
  }

  #next(): void {
    this.#waiting.shift()?.()
    if (this.#waiting.length > 0) setImmediate(() => this.#next())
  }
}

/** The refusal of a subscription. */
export function notAllowed(permission: string): RpcError {
  return new RpcError('PERMISSION_DENIED', `these events need the permission "${permission}"`, {
    details: { permission },
  })
}
