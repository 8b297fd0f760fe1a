/** Which app calls: each app has a part in what is its own, and the owner in all. */
import { COMMAND_LINE_APP, isAppName } from '../../core/encoding/app-name.ts'
import type { Refusal } from '../../errors/refusal.ts'
import type { Caller } from '../../ipc/methods/method.ts'

/** The name under which the app that uses a connection speaks to others; null if it has given no token, or has no name of its own. */
export type AppOf = (caller: Caller) => string | null

export class CallApps {
  readonly #appOf: AppOf
  readonly #noun: string
  readonly #refuse: (message: string, hint: string) => Refusal

  /** @param noun in the plural: these belong to apps @param refuse makes the error for a caller that has no part in them */
  constructor(appOf: AppOf, noun: string, refuse: (message: string, hint: string) => Refusal) {
    this.#appOf = appOf
    this.#noun = noun
    this.#refuse = refuse
  }

  /** The app of a call that makes something. @param wish the param `app` */
  appFor(caller: Caller, wish: string | undefined): string {
    if (caller.role === 'admin') return wish ?? COMMAND_LINE_APP
    const app = this.of(caller)
    if (wish !== undefined && wish !== app)
      throw this.#refuse(`${app} has no part in the ${this.#noun} of ${wish}`, 'leave the app out')
    return app
  }

  /** The app that a call asks about; null for all. */
  seenBy(caller: Caller, wish: string | undefined): string | null {
    return caller.role === 'admin' && wish === undefined ? null : this.appFor(caller, wish)
  }

  /** The app of a caller who is not the owner. */
  of(caller: Caller): string {
    const app = this.#appOf(caller)
    if (app !== null && isAppName(app)) return app
    throw this.#refuse(
      `${this.#noun} belong to apps, and this caller has given no token, or has no name of its own for them`,
      'identify the app by its token first; else ask the owner for a name',
    )
  }
}
