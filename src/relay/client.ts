/**
 * A client of one relay (docs/relay.md). It runs in browsers, in Node and in the daemon: fetch, clock and chance are handed in. Each method makes
 * one try; src/relay/repeat.ts repeats.
 */
import { formatBase64url } from '../core/encoding/bytes.ts'
import { formatBoxKey, type BoxKey } from '../seal/box-key.ts'
import type { BoxKeyPair } from '../seal/key-pair.ts'
import { answerQuestion } from './answer-question.ts'
import { errorOfRefusal, RelayError } from './errors.ts'
import { openEvents, type EventCall } from './event-call.ts'
import { callJson, strangeAnswer } from './http-call.ts'
import { RELAY_LIMITS } from './limits.ts'
import type { RelayMeans } from './means.ts'
import {
  isDone,
  readEvent,
  readFound,
  readReceived,
  readRefused,
  type Found,
  type Given,
  type Received,
} from './read-answer.ts'
import type { RelayAddress } from './relay-url.ts'
import { MAX_STREAM_NAME_CHARS, type BoxRequest } from './wire.ts'

const MAX_ANSWER_BYTES = 2 << 20 // sanity: a full box is 1 MiB, and its data gets some members around it

/** A box to wait for, and the moment up to which its messages were processed. */
export interface WaitingBox {
  readonly key: BoxKey
  readonly at: number
}

export interface News {
  readonly key: BoxKey
  /** For `receive`, within a minute; null where the relay gave none. */
  readonly question: string | null
  /** Null where the message has to be received. */
  readonly message: Given | null
}

interface Options {
  readonly signal?: AbortSignal | undefined
}

export class RelayClient {
  readonly address: RelayAddress
  readonly means: RelayMeans
  /** How far the relay's clock is ahead of ours, by the header `Date`. It counts for the questions and tokens of this relay only. */
  #aheadMs = 0
  /** Streams that have a name, by the text of each key that they wait for. */
  readonly #streams = new Map<string, NamedStream>()

  constructor(address: RelayAddress, means: RelayMeans) {
    this.address = address
    this.means = means
  }

  /**
   * Leaves sealed bytes for the owner of a box, durably. The same bytes again renew their hour and count once.
   * @param data at most 12 288 bytes, unless the relay has other limits
   * @param ext the right to send, where the relay asks for one
   * @throws {RelayError} RELAY_TOO_OFTEN | RELAY_TOO_BIG | RELAY_USED | RELAY_BAD_EXT | RELAY_UNREACHABLE | RELAY_SILENT | RELAY_STRANGE
   */
  async post(
    key: BoxKey,
    data: Uint8Array,
    { ext = null, signal }: Options & { readonly ext?: string | null } = {},
  ): Promise<void> {
    const request = { pub: formatBoxKey(key), ext, action: 'send', data: formatBase64url(data) } as const
    await this.#call(request, (value) => (isDone(value) ? true : null), signal)
  }

  /**
   * Asks whether there is a message after `at`. It proves nothing, and reads nothing.
   * @param ask asks for a question also if there is none
   */
  async check(
    key: BoxKey,
    at: number,
    { ask = false, signal }: Options & { readonly ask?: boolean } = {},
  ): Promise<Found> {
    const request = { pub: formatBoxKey(key), ext: null, action: 'check', at, ...(ask ? { ask } : {}) } as const
    return await this.#call(request, readFound, signal)
  }

  /**
   * Reads the messages after `at`, the oldest first, and lets the relay delete those up to it.
   * @param question that the relay gave within the last minute; without one the relay is asked first
   * @param follow lets a stream that waits for the box give the messages after these by itself: see {@link follows}
   * @throws {RelayError} as {@link post}, RELAY_WRONG_ANSWER, and QUESTION_* for a question that is not answered
   */
  async receive(
    pair: BoxKeyPair,
    at: number,
    { limit = RELAY_LIMITS.maxReceive, question = null, follow = false, signal }: Options & ReceiveOptions = {},
  ): Promise<Received[]> {
    return await this.#prove(pair, question, signal, async (answer) => {
      const pub = formatBoxKey(pair.key)
      const stream = follow ? this.#streams.get(pub) : undefined
      const name = stream === undefined ? {} : { stream: stream.name }
      const request = { pub, ext: null, answer, action: 'receive', at, limit, ...name } as const
      const received = await this.#call(request, (value) => readReceived(value, at), signal)
      stream?.followed.add(pub)
      return received
    })
  }

  /** Whether a stream gives every message of a box that comes after those of the last `receive` with `follow`. */
  follows(key: BoxKey): boolean {
    const pub = formatBoxKey(key)
    return this.#streams.get(pub)?.followed.has(pub) === true
  }

  /** Closes the own box to senders. @throws {RelayError} as {@link receive} */
  async retire(pair: BoxKeyPair, { signal }: Options = {}): Promise<void> {
    await this.#prove(pair, null, signal, async (answer) => {
      const request = { pub: formatBoxKey(pair.key), ext: null, answer, action: 'retire' } as const
      return await this.#call(request, (value) => (isDone(value) ? true : null), signal)
    })
  }

  /**
   * Waits for messages in boxes, until the relay ends the stream, which it does within hours.
   * @param boxes 1..256, each once
   * @throws {RelayError} RELAY_STRANGE where the relay has no streams, with `details.status`; RELAY_SILENT if it falls silent
   */
  async *wait(boxes: readonly WaitingBox[], { signal }: Options = {}): AsyncGenerator<News, void, void> {
    const keys = new Map(boxes.map(({ key }) => [formatBoxKey(key), key]))
    const body = JSON.stringify({ boxes: boxes.map(({ key, at }) => ({ pub: formatBoxKey(key), at })) })
    const call: EventCall = {
      url: `${this.address.url}wait`,
      method: 'POST',
      body,
      signal,
      noteTime: (relayMs) => this.noteTime(relayMs),
      refusalOf: refusalOfStream,
    }
    const parts = await openEvents(this.means, call)
    let stream: NamedStream | null = null
    try {
      for await (const { events, id } of parts) {
        stream ??= this.#noteStream(id, keys)
        for (const { pub, question, message } of events.flatMap((text) => readEvent(text) ?? [])) {
          const key = keys.get(pub)
          if (key !== undefined) yield { key, question, message }
        }
      }
    } finally {
      for (const pub of keys.keys()) if (this.#streams.get(pub) === stream) this.#streams.delete(pub)
    }
  }

  #noteStream(name: string | null, keys: ReadonlyMap<string, BoxKey>): NamedStream | null {
    if (name === null || name.length > MAX_STREAM_NAME_CHARS) return null
    const stream: NamedStream = { name, followed: new Set() }
    for (const pub of keys.keys()) this.#streams.set(pub, stream)
    return stream
  }

  /** Answers a question and uses the answer. A question that came too late is asked for again, once. */
  async #prove<Result>(
    pair: BoxKeyPair,
    question: string | null,
    signal: AbortSignal | undefined,
    use: (answer: string) => Promise<Result>,
  ): Promise<Result> {
    if (question !== null) {
      try {
        return await use(await this.#answer(pair, question))
      } catch (error) {
        if (!(error instanceof RelayError && TOO_LATE.has(error.code))) throw error
      }
    }
    const asked = await this.check(pair.key, 0, { ask: true, signal })
    if (asked.question === null) throw strangeAnswer(200)
    return await use(await this.#answer(pair, asked.question))
  }

  async #answer(pair: BoxKeyPair, question: string): Promise<string> {
    return await answerQuestion(pair, this.address.origin, question, this.relaySec())
  }

  async #call<Result>(
    request: BoxRequest,
    read: (value: unknown) => Result | null,
    signal: AbortSignal | undefined,
  ): Promise<Result> {
    const call = { url: this.address.url, method: 'POST', body: JSON.stringify(request), signal } as const
    const { status, value, relayMs } = await callJson(this.means, call, MAX_ANSWER_BYTES)
    this.noteTime(relayMs)
    const refused = readRefused(value)
    if (refused !== null) throw errorOfRefusal(refused)
    const result = read(value)
    if (result === null) throw strangeAnswer(status)
    return result
  }

  /**
   * Makes a call with a device token for this second by the clock of the relay. A call that the relay refuses for its time is made once more, by
   * the time that it names.
   * @throws whatever the call throws
   */
  async withToken<Result>(call: (nowSec: number) => Promise<Result>): Promise<Result> {
    try {
      return await call(this.relaySec())
    } catch (error) {
      const relaySec = error instanceof RelayError ? error.details['relaySec'] : undefined
      if (typeof relaySec !== 'number') throw error
      // The relay's clock counts, for this relay only.
      this.noteTime(relaySec * 1000)
      return await call(relaySec)
    }
  }

  /** Takes the time that the relay names, in unix milliseconds. */
  noteTime(relayMs: number | null): void {
    if (relayMs !== null) this.#aheadMs = relayMs - this.means.clock.nowMs()
  }

  /** The time by the relay's clock, as far as it is known, in unix seconds. */
  relaySec(): number {
    return Math.floor((this.means.clock.nowMs() + this.#aheadMs) / 1000)
  }
}

interface ReceiveOptions {
  readonly limit?: number
  readonly question?: string | null
  readonly follow?: boolean
}

interface NamedStream {
  readonly name: string
  /** Keys of boxes whose messages it gives. */
  readonly followed: Set<string>
}

const TOO_LATE: ReadonlySet<string> = new Set(['RELAY_WRONG_ANSWER', 'QUESTION_TIME'])

/** Why there is no stream: a refusal in the words of boxes, or something that is no relay with streams. */
function refusalOfStream(status: number, value: unknown): RelayError {
  const refused = readRefused(value)
  if (refused !== null) return errorOfRefusal(refused)
  if (status >= 500) return strangeAnswer(status)
  return new RelayError('RELAY_STRANGE', `the relay has no streams: HTTP ${status}`, {
    hint: 'check the boxes from time to time',
    details: { status },
  })
}
