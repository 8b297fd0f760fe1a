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
import { RelayInbox } from './relay-inbox.ts'
import { RelayWatch } from './relay-watch.ts'

const FIRST_CHECK_MS = 5000 // sanity: somebody waits for their invite
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
  /** By the text of the key. */
  readonly #inboxes = new Map<string, RelayInbox>()

  constructor(means: RelayCarrierMeans) {
    this.#means = means
    this.#calls = new RelayCalls((url) => means.client(url))
    this.#messages = new Quota(MESSAGE_RATE, () => means.clock.nowMs() / 1000)
  }

  /** Calls relays that failed again at once: the network may be back. */
  retry(): void {
    this.#calls.forget()
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
    const messages = await this.#messagesAfter(own, parseCursor(after))
    return messages.map(({ at, data }) => ({ data, cursor: String(at) }))
  }

  /** A relay deletes what its reader names as processed in a `receive`. */
  async processed(_line: Line, own: OwnIntake, cursor: string): Promise<void> {
    const [at, inbox] = [parseCursor(cursor), this.#inboxOf(pubOf(own))]
    if (inbox.namedAt >= at) return
    await this.#ask(own, async (client, pair, question) => await client.receive(pair, at, { limit: 1, question }))
    inbox.named(at)
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
      cursorOf: (key) => this.#inboxes.get(formatBoxKey(key))?.processedAt ?? 0,
      onNews: (news, watched) => {
        this.#inboxOf(formatBoxKey(news.key)).note(news, clock.nowMs())
        for (const each of watched) onNews(each)
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
    this.#inboxes.delete(pubOf(own))
    await Promise.resolve()
  }

  /** @param at everything up to it was processed: a relay that is asked deletes it */
  async #messagesAfter(own: OwnIntake, at: number): Promise<readonly Received[]> {
    const [pub, limit] = [pubOf(own), RELAY_LIMITS.maxReceive]
    this.#checkRate(own.url, pub)
    const [inbox, { key }] = [this.#inboxOf(pub), await this.#pairOf(own.place)]
    let messages = inbox.after(at, this.#calls.client(own.url).follows(key))
    if (messages === null) {
      const { drops } = inbox
      const received = await this.#ask(
        own,
        async (client, pair, question) => await client.receive(pair, at, { limit, question, follow: true }),
      )
      messages = received.slice(0, limit)
      inbox.asked(at, messages, drops)
    }
    for (let n = 0; n < messages.length; n++) this.#messages.spend(pub)
    return messages
  }

  /** Calls the relay of an own box, with the question that came with the last news. */
  async #ask(
    own: OwnIntake,
    work: (client: RelayClient, pair: BoxKeyPair, question: string | null) => Promise<Received[]>,
  ): Promise<Received[]> {
    const pair = await this.#pairOf(own.place)
    const question = this.#inboxOf(pubOf(own)).takeQuestion(this.#means.clock.nowMs())
    return await this.#calls.call(own.url, pair.key, async (client) => await work(client, pair, question))
  }

  #inboxOf(pub: string): RelayInbox {
    const inbox = this.#inboxes.get(pub) ?? new RelayInbox()
    this.#inboxes.set(pub, inbox)
    return inbox
  }

  #checkRate(url: string, pub: string): void {
    const waitSec = this.#messages.waitSec(pub)
    if (waitSec === 0) return
    throw new CarrierError('CARRIER_STRANGE', `${url} gives more messages than a box can have`, {
      hint: 'if this goes on, use another relay',
      retryAfterMs: waitSec * 1000,
    })
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
