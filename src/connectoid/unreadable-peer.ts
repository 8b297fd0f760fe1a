/** A peer whose data this browser cannot read. They stand in the list until the user unshares, so that the app can say so. All others go on. */
import type { ConnectoidError } from './errors.ts'
import type { PeerOfPage } from './interface.ts'

export class UnreadablePeer implements PeerOfPage {
  readonly name = ''
  readonly ownName = null
  readonly persona = null
  readonly state = 'broken'
  readonly problem = 'UNREADABLE'
  readonly way = 'relay'
  readonly words = null
  readonly isVerified = false
  readonly lastHeardMs = null
  readonly unsent = 0
  readonly id: string
  readonly error: ConnectoidError
  readonly #erase: () => Promise<void>

  /** @param error UNREADABLE @param erase removes all that is left of them here */
  constructor(id: string, error: ConnectoidError, erase: () => Promise<void>) {
    this.id = id
    this.error = error
    this.#erase = erase
  }

  async send(): Promise<number> {
    throw this.error
  }

  async verified(): Promise<void> {
    throw this.error
  }

  async rename(): Promise<void> {
    throw this.error
  }

  async unshare(): Promise<void> {
    await this.#erase()
  }
}
