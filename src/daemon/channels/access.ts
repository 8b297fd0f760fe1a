/** Which app calls, which channels it sees, those of its own name, and by which ways it may make one. */
import { LINK_APP } from '../../core/encoding/app-name.ts'
import { withSlash } from '../../core/encoding/web-address.ts'
import type { Caller } from '../../ipc/methods/method.ts'
import { CallApps, type AppOf } from '../wing/call-apps.ts'
import { relayIn } from './carriers/carriers.ts'
import { ChannelsError } from './errors.ts'

export class Access extends CallApps {
  readonly #relays: () => readonly string[]

  /** @param relays the addresses of the owner's relays, each with a slash at its end */
  constructor(appOf: AppOf, relays: () => readonly string[]) {
    super(appOf, 'channels', (message, hint) => new ChannelsError('CHANNEL_APP', message, hint))
    this.#relays = relays
  }

  /** Links between daemons have an app that no caller can name, the owner neither. */
  override appFor(caller: Caller, wish: string | undefined): string {
    const app = super.appFor(caller, wish)
    if (app !== LINK_APP) return app
    throw new ChannelsError(
      'CHANNEL_APP',
      'the channels of links are no channels of an app',
      'list the links between apps',
    )
  }

  /** @throws {ChannelsError} CHANNEL_UNKNOWN, also for a channel of another app: nobody finds out which there are */
  check(caller: Caller, app: string | undefined): void {
    if (app === undefined || app === LINK_APP || (caller.role !== 'admin' && this.of(caller) !== app))
      throw unknownChannel()
  }

  /**
   * Apps choose among the relays of the owner: the daemon calls what is named here. Folders are those of the configuration for everybody.
   * @param over the param `over` @throws {ChannelsError} RELAY_FOREIGN
   */
  checkWays(caller: Caller, over: readonly string[] = []): void {
    if (caller.role === 'admin') return
    const own = this.#relays()
    const isOwn = (url: string): boolean => own.includes(withSlash(url))
    const foreign = over.map(relayIn).find((way) => /^https?:/i.test(way) && !isOwn(way))
    if (foreign === undefined) return
    const message = `${foreign} is not among the relays of the owner`
    throw new ChannelsError('RELAY_FOREIGN', message, 'leave it out, or ask the owner to add it', { url: foreign })
  }

  /** The key of pairs is the owner's alone. @param key the param `with` @throws {ChannelsError} CHANNEL_APP */
  checkPair(caller: Caller, key: string | undefined): void {
    if (caller.role === 'admin' || key === undefined) return
    throw new ChannelsError('CHANNEL_APP', 'only the owner makes invites between two keys', 'leave the key out')
  }
}

export function unknownChannel(): ChannelsError {
  return new ChannelsError('CHANNEL_UNKNOWN', 'there is no such channel here', 'list the channels')
}
