/** Which app calls, which channels it sees, those of its own name, and by which ways it may make one. */
import { COMMAND_LINE_APP, isAppName } from '../../core/encoding/app-name.ts'
import type { Caller } from '../../ipc/methods/method.ts'
import { ChannelsError } from './errors.ts'

/** The name under which the app that uses a connection speaks to others; null if it has given no token, or has no name of its own. */
export type AppOf = (caller: Caller) => string | null

export class Access {
  readonly #appOf: AppOf
  readonly #relays: () => readonly string[]

  /** @param relays the addresses of the owner's relays, each with a slash at its end */
  constructor(appOf: AppOf, relays: () => readonly string[]) {
    this.#appOf = appOf
    this.#relays = relays
  }

  /** The app of a call that makes something. @param wish the param `app` @throws {ChannelsError} CHANNEL_APP */
  appFor(caller: Caller, wish: string | undefined): string {
    if (caller.role === 'admin') return wish ?? COMMAND_LINE_APP
    const app = this.#own(caller)
    if (wish !== undefined && wish !== app)
      throw new ChannelsError('CHANNEL_APP', `${app} has no part in the channels of ${wish}`, 'leave the app out')
    return app
  }

  /** The app whose channels a call sees; null for those of all. @throws {ChannelsError} CHANNEL_APP */
  seenBy(caller: Caller, wish: string | undefined): string | null {
    return caller.role === 'admin' && wish === undefined ? null : this.appFor(caller, wish)
  }

  /** @throws {ChannelsError} CHANNEL_UNKNOWN, also for a channel of another app: nobody finds out which there are */
  check(caller: Caller, app: string | undefined): void {
    if (app === undefined || (caller.role !== 'admin' && this.#own(caller) !== app)) throw unknownChannel()
  }

  /**
   * Apps choose among the relays of the owner: the daemon calls what is named here. Folders are those of the configuration for everybody.
   * @param over the param `over` @throws {ChannelsError} RELAY_FOREIGN
   */
  checkWays(caller: Caller, over: readonly string[] = []): void {
    if (caller.role === 'admin') return
    const own = this.#relays()
    const isOwn = (url: string): boolean => own.includes(url.endsWith('/') ? url : `${url}/`)
    const foreign = over.find((way) => /^https?:/i.test(way) && !isOwn(way))
    if (foreign === undefined) return
    const message = `${foreign} is not among the relays of the owner`
    throw new ChannelsError('RELAY_FOREIGN', message, 'leave it out, or ask the owner to add it', { url: foreign })
  }

  #own(caller: Caller): string {
    const app = this.#appOf(caller)
    if (app !== null && isAppName(app)) return app
    throw new ChannelsError(
      'CHANNEL_APP',
      'channels belong to apps, and this caller has given no token, or has no name of its own for them',
      'identify the app by its token first; else ask the owner for a name',
    )
  }
}

export function unknownChannel(): ChannelsError {
  return new ChannelsError('CHANNEL_UNKNOWN', 'there is no such channel here', 'list the channels')
}
