/** Turns of calls: so many are open in all, and of one host only a share, so that a silent server does not keep the others waiting. */
import { NetError } from '../../netnode/errors.ts'
import { MAX_CALLS } from '../../netnode/protocol.ts'

export const MAX_CALLS_OF_HOST = 12 // sanity: the seven streams of a thousand channels at one relay, and some calls beside them
const MAX_WAITING = 1024 // sanity: the outboxes of 256 channels with some calls each
export const MAX_WAITING_OF_HOST = 512 // sanity: half of them, so that the other half is free while one server is silent

interface Waiting {
  readonly host: string
  readonly begin: () => void
}

export class Turns {
  readonly #running = new Map<string, number>()
  #count = 0
  readonly #waiting: Waiting[] = []

  /**
   * Waits until one more call of this host may be open. It counts until {@link give}.
   * @throws {NetError} NET_BUSY @throws the reason of the signal
   */
  async take(host: string, signal: AbortSignal | undefined): Promise<void> {
    if (this.#fits(host)) return this.#begin(host)
    this.#checkRoom(host)
    await new Promise<void>((resolve, reject) => {
      const abort = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(waiting), 1)
        reject(signal!.reason as Error)
      }
      const begin = (): void => {
        signal?.removeEventListener('abort', abort)
        resolve()
      }
      const waiting: Waiting = { host, begin }
      this.#waiting.push(waiting)
      signal?.addEventListener('abort', abort, { once: true })
    })
  }

  /** A call of this host is over. */
  give(host: string): void {
    const left = (this.#running.get(host) ?? 1) - 1
    if (left === 0) this.#running.delete(host)
    else this.#running.set(host, left)
    this.#count--
    const next = this.#waiting.findIndex((each) => this.#fits(each.host))
    if (next < 0) return
    const [waiting] = this.#waiting.splice(next, 1)
    // Its turn counts from the moment it is given.
    this.#begin(waiting!.host)
    waiting!.begin()
  }

  #fits(host: string): boolean {
    return this.#count < MAX_CALLS && (this.#running.get(host) ?? 0) < MAX_CALLS_OF_HOST
  }

  #begin(host: string): void {
    this.#count++
    this.#running.set(host, (this.#running.get(host) ?? 0) + 1)
  }

  #checkRoom(host: string): void {
    if (this.#waiting.length >= MAX_WAITING) throw new NetError('NET_BUSY', `${MAX_WAITING} calls wait already`)
    const ofHost = this.#waiting.filter((each) => each.host === host).length
    if (ofHost >= MAX_WAITING_OF_HOST) throw new NetError('NET_BUSY', `${ofHost} calls of ${host} wait already`)
  }
}
