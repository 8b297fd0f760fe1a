/** The answer to one call, as it comes from personad-net: no more of it is held here than one window. */
import { NetError } from '../../netnode/errors.ts'
import { WINDOW_BYTES } from '../../netnode/protocol.ts'

/** personad-net pauses a connection once a window is on its way; what the connection gave at once may come on top. */
const MAX_HELD_BYTES = 2 * WINDOW_BYTES
/** personad-net hears of so many bytes that were read, and of no fewer: each event of a stream would else wake it twice. It waits for a window. */
const TOLD_BYTES: number = WINDOW_BYTES / 2

/** The part of the standard response that is used. */
export interface WebResponse {
  readonly status: number
  readonly headers: { get(name: string): string | null }
  readonly body: ReadableStream<Uint8Array>
}

export interface WebAnswerOptions {
  /** So many more bytes were read, at most a window. */
  readonly took: (bytes: number) => void
  /** Nobody reads the rest. */
  readonly cancel: () => void
}

export class WebAnswer {
  readonly #options: WebAnswerOptions
  readonly #head = Promise.withResolvers<WebResponse>()
  readonly #over = Promise.withResolvers<void>()
  readonly #parts: Uint8Array[] = []
  #heldBytes = 0
  /** Bytes that were read, and of which personad-net has not heard. */
  #untoldBytes = 0
  #hasBegun = false
  #isEnded = false
  #failure: { readonly error: unknown } | null = null
  #wake: () => void = () => {}

  constructor(options: WebAnswerOptions) {
    this.#options = options
  }

  /** Rejects if the answer fails before its head. */
  get response(): Promise<WebResponse> {
    return this.#head.promise
  }

  /** Resolves once nothing more comes. */
  get over(): Promise<void> {
    return this.#over.promise
  }

  /** @param whole the body, or null if parts follow */
  begin(status: number, headers: Readonly<Record<string, string | undefined>>, whole: Uint8Array | null): void {
    this.#hasBegun = true
    if (whole !== null) {
      this.#parts.push(whole)
      this.end()
    }
    const body = new ReadableStream<Uint8Array>(
      { pull: (controller) => this.#give(controller), cancel: () => this.#options.cancel() },
      // Nothing is taken before somebody reads.
      { highWaterMark: 0 },
    )
    this.#head.resolve({ status, headers: { get: (name) => headers[name.toLowerCase()] ?? null }, body })
  }

  add(part: Uint8Array): void {
    if (part.length === 0) return
    this.#heldBytes += part.length
    if (this.#heldBytes > MAX_HELD_BYTES) {
      this.#parts.length = 0
      this.#options.cancel()
      return this.fail(new NetError('NET_FAILED', 'personad-net sends more of an answer than the daemon takes'))
    }
    this.#parts.push(part)
    this.#wake()
  }

  end(): void {
    if (!this.#hasBegun) return this.fail(new NetError('NET_FAILED', 'personad-net ended an answer before its head'))
    this.#isEnded = true
    this.#over.resolve()
    this.#wake()
  }

  /** Has no effect once the answer has ended. */
  fail(error: unknown): void {
    if (this.#isEnded) return
    this.#failure ??= { error }
    this.#head.reject(error)
    this.#over.resolve()
    this.#wake()
  }

  async #give(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    while (this.#parts.length === 0 && !this.#isEnded && this.#failure === null)
      await new Promise<void>((done) => (this.#wake = done))
    if (this.#failure !== null) return controller.error(this.#failure.error)
    const part = this.#parts.shift()
    if (part === undefined) return controller.close()
    this.#heldBytes -= part.length
    controller.enqueue(part)
    this.#untoldBytes += part.length
    if (this.#untoldBytes >= TOLD_BYTES) this.#tell()
  }

  #tell(): void {
    const bytes = Math.min(this.#untoldBytes, WINDOW_BYTES)
    this.#untoldBytes -= bytes
    this.#options.took(bytes)
  }
}
