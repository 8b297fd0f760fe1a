/** Which app calls, and which channels it sees: those of its own name. */
import { isAppName } from '../../core/encoding/app-name.ts'
import type { Caller } from '../../ipc/methods/method.ts'
import { ChannelsError } from './errors.ts'

export const DEFAULT_APP = 'chat' // the command line

/** The name of the app that uses a connection; null if it has given no token. */
export type AppOf = (caller: Caller) => string | null

export class Access {
  readonly #appOf: AppOf

  constructor(appOf: AppOf) {
    this.#appOf = appOf
  }

  /** The app of a call that makes something. @param wish the param `app` @throws {ChannelsError} CHANNEL_APP */
  appFor(caller: Caller, wish: string | undefined): string {
    if (caller.role === 'admin') return wish ?? DEFAULT_APP
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
      app === null ? 'channels belong to apps, and this caller has given no token' : `${app} is no name for channels`,
      app === null ? 'identify the app by its token first' : 'ask the owner for a name of its own',
    )
  }
}

export function unknownChannel(): ChannelsError {
  return new ChannelsError('CHANNEL_UNKNOWN', 'there is no such channel here', 'list the channels')
}
