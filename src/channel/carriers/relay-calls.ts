/** Calls of relays for all lines together: whoever failed is left alone for a while, so that a thousand channels do not knock at once. */
import type { RelayClient } from '../../relay/client.ts'
import { RelayError, type RelayErrorCode } from '../../relay/errors.ts'
import { BackOff } from '../../relay/repeat.ts'
import { formatBoxKey, type BoxKey } from '../../seal/box-key.ts'
import { PersonadError } from '../../errors/personad-error.ts'
import { CarrierError, type CarrierErrorCode } from './errors.ts'

/** Failures that are remembered. Peers name relays and boxes, and may name new ones without an end. */
export const MAX_FAILING = 1024 // sanity: those of 256 channels with four intakes

/** Failures of the relay or of the way to it; all others concern one box. */
const OF_THE_RELAY: ReadonlySet<string> = new Set(['RELAY_UNREACHABLE', 'RELAY_SILENT'])

const CODES: Readonly<Partial<Record<RelayErrorCode, CarrierErrorCode>>> = {
  RELAY_UNREACHABLE: 'CARRIER_AWAY',
  RELAY_SILENT: 'CARRIER_AWAY',
  RELAY_TOO_OFTEN: 'CARRIER_FULL',
  RELAY_TOO_BIG: 'DATA_TOO_LARGE',
  RELAY_BAD_EXT: 'CARRIER_DENIED',
  RELAY_URL: 'CARRIER_DENIED',
}

/** A relay, or one box of it, that failed. */
interface Failing {
  readonly backOff: BackOff
  readonly untilMs: number
  readonly error: RelayError
}

export class RelayCalls {
  readonly #clientOf: (url: string) => RelayClient
  /** By URL, and by URL and key. */
  readonly #failing = new Map<string, Failing>()

  constructor(clientOf: (url: string) => RelayClient) {
    this.#clientOf = clientOf
  }

  /** Forgets all failures. */
  forget(): void {
    this.#failing.clear()
  }

  /** @throws {CarrierError} CARRIER_DENIED for an address that may not be called */
  client(url: string): RelayClient {
    try {
      return this.#clientOf(url)
    } catch (cause) {
      if (!(cause instanceof PersonadError)) throw cause
      throw new CarrierError('CARRIER_DENIED', `${url} cannot be called: ${cause.message}`, {
        hint: cause.hint ?? 'use another relay',
        cause,
      })
    }
  }

  /**
   * Calls a relay about a box.
   * @throws {CarrierError} at once, while the relay or the box is left alone
   */
  async call<Result>(url: string, key: BoxKey, work: (client: RelayClient) => Promise<Result>): Promise<Result> {
    const client = this.client(url)
    const { clock } = client.means
    const names = [url, `${url} ${formatBoxKey(key)}`]
    const beganMs = clock.nowMs()
    for (const name of names) {
      const failing = this.#failing.get(name)
      if (failing !== undefined && failing.untilMs > beganMs)
        throw errorOf(url, failing.error, failing.untilMs - beganMs)
    }
    try {
      const result = await work(client)
      for (const name of names) this.#failing.delete(name)
      return result
    } catch (error) {
      if (!(error instanceof RelayError)) throw error
      const name = OF_THE_RELAY.has(error.code) ? names[0]! : names[1]!
      throw errorOf(url, error, this.#note(name, client, error, beganMs))
    }
  }

  /** @returns the milliseconds to wait */
  #note(name: string, { means }: RelayClient, error: RelayError, beganMs: number): number {
    const known = this.#failing.get(name)
    const nowMs = means.clock.nowMs()
    // Calls that ran at the same time fail together, and count once.
    if (known !== undefined && known.untilMs > beganMs) return Math.max(0, known.untilMs - nowMs)
    const backOff = known?.backOff ?? new BackOff(means.random)
    const waitMs = backOff.next(error)
    this.#failing.delete(name)
    this.#failing.set(name, { backOff, untilMs: nowMs + waitMs, error })
    if (this.#failing.size > MAX_FAILING) this.#failing.delete(this.#failing.keys().next().value!)
    return waitMs
  }
}

function errorOf(url: string, cause: RelayError, retryAfterMs: number): CarrierError {
  const code = CODES[cause.code] ?? 'CARRIER_STRANGE'
  const hint = cause.hint ?? 'try again later'
  return new CarrierError(code, `${url}: ${cause.message}`, { hint, retryAfterMs: Math.ceil(retryAfterMs), cause })
}
