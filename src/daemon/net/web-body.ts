/** The body of one request on its way to personad-net: one part of it goes at a time, and no more of it is held here than two. */
import { WINDOW_BYTES } from '../../netnode/protocol.ts'

/** The body of a request, as the standard fetch takes it. */
export interface BodySource {
  readonly body?: string | Uint8Array | ReadableStream<Uint8Array>
  /** The length of a body in parts. */
  readonly bodyBytes?: number
}

const NOTHING = new Uint8Array()

export class WebBody {
  /** The length of the whole body. */
  readonly bytes: number
  readonly #reader: ReadableStreamDefaultReader<Uint8Array> | null
  #left: number
  /** The rest of what the source gave last. */
  #rest: Uint8Array
  #isStopped = false
  /** Resolves once personad-net has sent on the part that is on its way; null if none is. */
  #sent: PromiseWithResolvers<void> | null = null

  /** @throws {TypeError} for a body in parts without a length */
  constructor({ body = NOTHING, bodyBytes }: BodySource) {
    if (body instanceof ReadableStream) {
      if (bodyBytes === undefined) throw new TypeError('personad-net sends no body without a length')
      this.#reader = body.getReader()
      this.#rest = NOTHING
      this.bytes = bodyBytes
    } else {
      this.#reader = null
      this.#rest = typeof body === 'string' ? Buffer.from(body) : body
      this.bytes = this.#rest.length
    }
    this.#left = this.bytes
  }

  /**
   * Hands over all parts, each once the one before is sent on, until {@link stop}. A body without a byte is one empty part.
   * @throws {TypeError} if the source gives less than its length @throws whatever the source throws
   */
  async send(give: (part: Uint8Array) => void): Promise<void> {
    try {
      do {
        const part = await this.#next()
        await this.#sent?.promise
        if (this.#isStopped) return
        this.#sent = Promise.withResolvers()
        give(part)
      } while (this.#left > 0)
      this.#cancel()
    } catch (error) {
      if (!this.#isStopped) throw error
    }
  }

  /** personad-net has sent a part on. @returns false if it had none */
  sentOn(): boolean {
    if (this.#sent === null) return false
    this.#sent.resolve()
    this.#sent = null
    return true
  }

  /** Nobody wants the rest. */
  stop(): void {
    this.#isStopped = true
    this.#sent?.resolve()
    this.#cancel()
  }

  /** @returns a full window, or all that is left */
  async #next(): Promise<Uint8Array> {
    const pieces: Uint8Array[] = []
    for (let missing = Math.min(this.#left, WINDOW_BYTES); missing > 0;) {
      while (this.#rest.length === 0) this.#rest = await this.#read()
      const piece = this.#rest.subarray(0, missing)
      this.#rest = this.#rest.subarray(piece.length)
      this.#left -= piece.length
      missing -= piece.length
      pieces.push(piece)
    }
    return pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces)
  }

  async #read(): Promise<Uint8Array> {
    const { done, value } = await this.#reader!.read()
    if (done) throw new TypeError('a body of a request is shorter than its length')
    return value
  }

  #cancel(): void {
    // A source that has failed cannot be cancelled.
    this.#reader?.cancel().catch(() => {})
  }
}
