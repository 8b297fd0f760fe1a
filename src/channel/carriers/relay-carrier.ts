/** The relay carrier: a box of a relay for each intake, which its owner reads by its key (docs/relay.md). */
import { formatBase64url, parseBase64url } from '../../core/encoding/bytes.ts'
import type { Intake } from '../invite/address.ts'
import { MAX_DATA_BYTES } from '../ratchet/box-data.ts'
import { Quota, type Rate } from '../../process/quota.ts'
import type { RelayClient } from '../../relay/client.ts'
import { RelayError } from '../../relay/errors.ts'
import { RELAY_LIMITS } from '../../relay/limits.ts'
import type { RelayClock } from '../../relay/means.ts'
import type { Received } from '../../relay/read-answer.ts'
import { sendRight } from '../../relay/send-right.ts'
import { formatBoxKey, readBoxKey, type BoxKey } from '../../seal/box-key.ts'
import { SealError } from '../../seal/errors.ts'
import { importBoxKeyPair, type BoxKeyPair } from '../../seal/key-pair.ts'
import type { Arrival, Carrier, CarrierLimits, Line, OwnIntake, Place, Watch, Watched } from './carrier.ts'
import { CarrierError } from './errors.ts'
import { RelayCalls } from './relay-calls.ts'
import { RelayWatch } from './relay-watch.ts'

const FIRST_CHECK_MS = 5000 // sanity: somebody waits for their invite
const QUESTION_MS = 50_000 // sanity: a question is good for 60 s, and its answer has to travel back
/** Messages that one box may give. A relay with its usual limits takes 60 for it at once, and then one a second. */
export const MESSAGE_RATE: Rate = { burst: 1024, perSec: 16 } // sanity: a hostile relay gives them without an end

export interface RelayCarrierMeans {
  /** The client of a relay, the same one each time. @throws {PersonadError} for an address that may not be called */
  client(url: string): RelayClient
  /** The token of the owner for their own relay, or null. */
  token(url: string): string | null
  /** The clock of the clients. */
  readonly clock: RelayClock
  /** Between two rounds of checks, where a relay has no streams; by default a minute. */
  readonly checkMs?: number
}

export class RelayCarrier implements Carrier {
  readonly name = 'relay'
  readonly limits: CarrierLimits = { maxDataBytes: MAX_DATA_BYTES, latency: 'instant' }
  readonly #means: RelayCarrierMeans
  readonly #calls: RelayCalls
  readonly #messages: Quota
  readonly #pairs = new WeakMap<Place, Promise<BoxKeyPair>>()
  /** By the text of the key: up to where its messages were processed. */
  readonly #cursors = new Map<string, number>()
  /** Questions that came with news, by the text of the key: an answer to one saves a call. */
  readonly #questions = new Map<string, { readonly question: string; readonly cameMs: number }>()

  constructor(means: RelayCarrierMeans) {
    this.#means = means
    this.#calls = new RelayCalls((url) => means.client(url))
    this.#messages = new Quota(MESSAGE_RATE, () => means.clock.nowMs() / 1000)
  }

  serves(url: string): boolean {
    return /^https?:/.test(url)
  }

  /** The intake is good without an answer of the relay too: it may be away now. */
  async open(at: string, pub: Uint8Array): Promise<Intake> {
    const { address } = this.#calls.client(at)
    const key = keyOf(pub)
    const token = this.#means.token(at)
    const ext = token === null ? null : parseBase64url(await sendRight(token, key))
    await this.#checkFirst(address.url, key)
    return { url: address.url, ext }
  }

  /** A box that its owner has checked holds more, and for longer. */
  async #checkFirst(url: string, key: BoxKey): Promise<void> {
    const late = new AbortController()
    const cancel = this.#means.clock.after(FIRST_CHECK_MS, () => late.abort())
    try {
      await this.#calls.call(url, key, async (client) => await client.check(key, 0, { signal: late.signal }))
    } catch (error) {
      const isAway = late.signal.aborted || (error instanceof CarrierError && error.passes)
      if (!isAway) throw error
    } finally {
      cancel()
    }
  }

  async send(line: Line, to: Intake, data: Uint8Array): Promise<'left' | 'used'> {
    if (line.peer === null) throw new RangeError(`line ${line.id} has no peer to send to`)
    if (data.length > this.limits.maxDataBytes)
      throw new CarrierError('DATA_TOO_LARGE', `the data has ${data.length} bytes`, {
        hint: `a box of a relay takes at most ${this.limits.maxDataBytes}`,
      })
    const key = keyOf(line.peer.pub)
    const ext = to.ext === null ? null : formatBase64url(to.ext)
    return await this.#calls.call(to.url, key, async (client) => {
      try {
        await client.post(key, data, { ext })
        return 'left'
      } catch (error) {
        if (error instanceof RelayError && error.code === 'RELAY_USED') return 'used'
        throw error
      }
    })
  }

  async receive(_line: Line, own: OwnIntake, after: string): Promise<readonly Arrival[]> {
    const messages = await this.#receive(own, parseCursor(after), RELAY_LIMITS.maxReceive)
    return messages.map(({ at, data }) => ({ data, cursor: String(at) }))
  }

  /** A relay deletes what its reader names as processed in a `receive`. */
  async processed(_line: Line, own: OwnIntake, cursor: string): Promise<void> {
    await this.#receive(own, parseCursor(cursor), 1)
  }

  /** A relay clears up by itself: what its reader has not processed ends within an hour. */
  async settled(): Promise<void> {}

  watch(lines: () => readonly Watched[], onNews: (watched: Watched) => void, signal: AbortSignal): Watch {
    const { clock, checkMs } = this.#means
    return new RelayWatch({
      ...(checkMs === undefined ? {} : { checkMs }),
      clientOf: (url) => this.#calls.client(url),
      clock,
      lines,
      cursorOf: (key) => this.#cursors.get(formatBoxKey(key)) ?? 0,
      onNews: (watched, question) => {
        if (question !== null) this.#questions.set(pubOf(watched.own), { question, cameMs: clock.nowMs() })
        onNews(watched)
      },
      signal,
    })
  }

  async retire(_line: Line, own: OwnIntake): Promise<void> {
    const pair = await this.#pairOf(own.place)
    await this.#calls.call(own.url, pair.key, async (client) => await client.retire(pair))
  }

  /** A relay deletes a box by itself, 30 days after its last check. */
  async forget(own: OwnIntake): Promise<void> {
    this.#cursors.delete(pubOf(own))
    this.#questions.delete(pubOf(own))
    await Promise.resolve()
  }

  /** @param at everything up to it was processed: the relay deletes it */
  async #receive(own: OwnIntake, at: number, limit: number): Promise<readonly Received[]> {
    const pub = pubOf(own)
    this.#checkRate(own.url, pub)
    const pair = await this.#pairOf(own.place)
    const question = this.#takeQuestion(pub)
    const messages = await this.#calls.call(
      own.url,
      pair.key,
      async (client) => await client.receive(pair, at, { limit, question }),
    )
    this.#cursors.set(pub, at)
    const taken = messages.slice(0, limit)
    for (let n = 0; n < taken.length; n++) this.#messages.spend(pub)
    return taken
  }

  #checkRate(url: string, pub: string): void {
    const waitSec = this.#messages.waitSec(pub)
    if (waitSec === 0) return
    throw new CarrierError('CARRIER_STRANGE', `${url} gives more messages than a box can have`, {
      hint: 'if this goes on, use another relay',
      retryAfterMs: waitSec * 1000,
    })
  }

  #takeQuestion(pub: string): string | null {
    const kept = this.#questions.get(pub)
    this.#questions.delete(pub)
    return kept !== undefined && this.#means.clock.nowMs() - kept.cameMs < QUESTION_MS ? kept.question : null
  }

  async #pairOf(place: Place): Promise<BoxKeyPair> {
    if (!(place.secret instanceof Uint8Array)) return place.secret
    const pair = this.#pairs.get(place) ?? importBoxKeyPair('x25519', place.secret)
    this.#pairs.set(place, pair)
    return await pair
  }
}

function pubOf({ place }: OwnIntake): string {
  return formatBase64url(place.address.pub)
}

/** Reads the key of a peer. @throws {CarrierError} CARRIER_DENIED */
function keyOf(pub: Uint8Array): BoxKey {
  try {
    return readBoxKey(pub)
  } catch (cause) {
    if (!(cause instanceof SealError)) throw cause
    throw new CarrierError('CARRIER_DENIED', `the key of the box cannot be used: ${cause.message}`, {
      hint: 'ask the peer for a new invite',
      cause,
    })
  }
}

/** A text of another carrier, or none, means the beginning: then all is read again, which is harmless. */
function parseCursor(cursor: string): number {
  const at = /^[1-9][0-9]{0,15}$/.test(cursor) ? Number(cursor) : 0
  return Number.isSafeInteger(at) ? at : 0
}
