/** A relay with cards, inboxes and objects in this process, over loopback HTTP, whose time the test moves. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Clock } from '../../src/process/pulse.ts'
import type { RelayRequest, RelayResponse } from '../../src/relay/means.ts'
import type { InboxEntry } from '../../src/relay/wire.ts'
import { serveBoxes } from './relay-http.ts'
import { testObjects, type TestObjects } from './relay-objects.ts'
import { tempDir } from './temp-dir.ts'
import { TestBoxes } from './test-boxes.ts'

/** The operator's token, which everybody here has. */
export const OPERATORS_TOKEN = 'operators-token'

/** A call as the relay gets it: its path and query, and its method. */
export interface RelayCall {
  readonly method: string
  readonly path: string
  readonly signal: AbortSignal
  /** The answer of the relay itself. */
  readonly real: () => Promise<Response>
}

/** A relay that takes a call and never answers. */
export async function neverAnswers({ signal }: RelayCall): Promise<never> {
  return await new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
  })
}

/** The answer of somebody in front of the relay; null lets the call through. */
export type Instead = (call: RelayCall) => RelayResponse | Promise<RelayResponse | null> | null

export class MessageRelay {
  /** By which people name it, with a slash at its end. */
  readonly url: string
  readonly made: TestObjects
  readonly directory: string
  /** Personas whom the operator lists: their cards are here by right. */
  readonly listed: string[]
  /** Calls of a method and the begin of a path: `POST /inbox`. */
  readonly calls: string[] = []
  /** Calls whose answer has not begun. */
  running = 0
  isDown = false
  instead: Instead = () => null
  readonly #served: string

  private constructor(
    url: string,
    { made, directory, listed }: Pick<MessageRelay, 'made' | 'directory' | 'listed'>,
    served: string,
  ) {
    this.url = url
    this.made = made
    this.directory = directory
    this.listed = listed
    this.#served = served
  }

  static async start(name: string, nowSec: number, clock: Clock): Promise<MessageRelay> {
    const origin = `https://${name}.example`
    const directory = tempDir()
    const listed: string[] = []
    const made = await testObjects(directory, { url: origin, tokens: [OPERATORS_TOKEN], personas: listed })
    made.nowSec = nowSec
    const { url } = await serveBoxes({
      boxes: new TestBoxes(),
      cards: made.cards,
      inboxes: made.inboxes,
      kept: made,
      about: { url: origin },
      clock,
    })
    return new MessageRelay(`${origin}/`, { made, directory, listed }, url)
  }

  /** Names of the files of whole objects. */
  get objects(): string[] {
    return readdirSync(join(this.directory, 'objects', 'kept'))
  }

  /** Entries in all inboxes that some device has not acknowledged. */
  async entries(): Promise<number> {
    await this.made.store.expire(this.made.nowSec * 1_000_000, 1000)
    return (await this.made.store.stats()).entries
  }

  /** The numbers of calls so far that begin so. */
  count(start: string): number {
    return this.calls.filter((call) => call.startsWith(start)).length
  }

  /** The answer of the relay itself. */
  async answer(path: string, request: RequestInit = {}): Promise<Response> {
    return await globalThis.fetch(this.#served + path, request)
  }

  async fetch(
    url: string,
    request: RelayRequest<string | ReadableStream<Uint8Array>>,
    nowSec: () => number,
  ): Promise<RelayResponse> {
    const path = url.slice(this.url.length - 1)
    this.calls.push(`${request.method} ${path}`)
    if (this.isDown) throw new TypeError('fetch failed')
    const { method, signal } = request
    // Time stands still until the relay answers, also where somebody in front of it asks: else a call is late that is slow.
    const real = async (): Promise<Response> => {
      this.running++
      return await this.answer(path, request).finally(() => this.running--)
    }
    const instead = await this.instead({ method, path, signal, real })
    if (instead !== null) return instead
    const { status, headers, body } = await real()
    // The server sends the time of this machine.
    const get = (name: string): string | null =>
      name === 'date' ? new Date(nowSec() * 1000).toUTCString() : headers.get(name)
    return { status, headers: { get }, body }
  }
}

/** An answer of somebody in front of a relay. */
export function answerOf(
  status: number,
  value: unknown,
  headers: Readonly<Record<string, string>> = {},
): RelayResponse {
  const body = value instanceof Uint8Array ? Buffer.from(value) : JSON.stringify(value)
  return new Response(body, { status, headers })
}

/** An entry as an inbox lists it. */
export function listedEntry(n: number, from: string, app: string, encId: string): InboxEntry {
  return { n, from, app, kid: 'A'.repeat(43), at: 'A'.repeat(22), encId }
}

/** An object as a store gives it, whatever it is. */
export function wholeObject(body: Uint8Array): RelayResponse {
  const range = `bytes 0-${body.length - 1}/${body.length}`
  return answerOf(206, body, { etag: `"${'A'.repeat(43)}"`, 'content-range': range })
}
