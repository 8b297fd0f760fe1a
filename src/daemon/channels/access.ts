/** Which app calls, and which channels it sees: those of its own name. */
import { COMMAND_LINE_APP, isAppName } from '../../core/encoding/app-name.ts'
import type { Caller } from '../../ipc/methods/method.ts'
import { ChannelsError } from './errors.ts'

/** The name under which the app that uses a connection speaks to others; null if it has given no token, or has no name of its own. */
export type AppOf = (caller: Caller) => string | null

export class Access {
  readonly #appOf: AppOf

  constructor(appOf: AppOf) {
    this.#appOf = appOf
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
