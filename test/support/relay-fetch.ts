/** A fetch that leads to the boxes of a test relay, without HTTP: what it answers, and how, a test may change. */
import type { RelayFetch, RelayMeans, RelayRequest, RelayResponse } from '../../src/relay/means.ts'
import { HandClock } from './hand-clock.ts'
import { ORIGIN, START_US, type TestRelay } from './relay-boxes.ts'

export interface Asked {
  readonly url: string
  readonly request: RelayRequest
  readonly body: unknown
}

export interface Scripted {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  /** JSON, or the text of the body. */
  readonly body?: unknown
  /** A stream instead of the body. */
  readonly stream?: ReadableStream<Uint8Array>
}

export class RelayNetwork {
  readonly asked: Asked[] = []
  readonly clock: HandClock = new HandClock()
  readonly means: RelayMeans
  /** Answers instead of the relay, where it gives something. */
  script: (asked: Asked) => Scripted | Promise<Scripted> | null = () => null
  readonly #relays = new Map<string, TestRelay>()

  constructor(relay: TestRelay, random: () => number = () => 1) {
    this.#relays.set(ORIGIN, relay)
    this.clock.turn(START_US / 1000)
    this.means = { fetch: this.#fetch, clock: this.clock, random }
  }

  add(origin: string, relay: TestRelay): void {
    this.#relays.set(origin, relay)
  }

  readonly #fetch: RelayFetch = async (url, request) => {
    const asked = { url, request, body: request.body === undefined ? null : (JSON.parse(request.body) as unknown) }
    this.asked.push(asked)
    request.signal.throwIfAborted()
    const scripted = await this.script(asked)
    if (scripted !== null) return response(scripted)
    const { origin, pathname } = new URL(url)
    const relay = this.#relays.get(origin)
    if (relay === undefined) throw new TypeError('fetch failed')
    if (pathname.endsWith('/wait')) return response({ headers: EVENTS, stream: streamOf(relay, asked) })
    return response({ body: await relay.ask(asked.body) })
  }
}

const EVENTS = { 'content-type': 'text/event-stream' }

/** The events of a relay, as its server writes them. */
function streamOf(relay: TestRelay, { request, body }: Asked): ReadableStream<Uint8Array> {
  const { boxes } = body as { boxes: { pub: string; at: number }[] }
  const encoder = new TextEncoder()
  let isOpen = true
  let end = (): void => {}
  return new ReadableStream({
    start: (controller) => {
      const tell = async (pub: string): Promise<void> => {
        const at = boxes.find((box) => box.pub === pub)!.at
        const told = await relay.boxes.check({ pub, at }, { address: 'stream' })
        if (isOpen && told.ok && 'found' in told && told.found)
          controller.enqueue(encoder.encode(`data: ${JSON.stringify({ pub, ...told })}\n\n`))
      }
      end = relay.boxes.watch(
        boxes.map(({ pub }) => pub),
        (pub, coming) => void (coming === null && tell(pub)),
      )
      request.signal.addEventListener('abort', () => {
        isOpen = false
        end()
        controller.error(request.signal.reason)
      })
      controller.enqueue(encoder.encode(': still here\n\n'))
      for (const { pub } of boxes) void tell(pub)
    },
    cancel: () => {
      isOpen = false
      end()
    },
  })
}

function response({ status = 200, headers = {}, body = '', stream }: Scripted): RelayResponse {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  return {
    status,
    headers: new Headers(headers),
    body: stream ?? new Response(text).body,
  }
}
