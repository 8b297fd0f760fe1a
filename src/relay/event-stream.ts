/** Reads a stream of server-sent events as far as relays use it: fields `data` and `id`, and comments. */
import { concatBytes } from '../core/encoding/bytes.ts'

/** The lines with data of one event. */
const MAX_EVENT_BYTES = 20_480 // sanity: the longest message has 16 384 characters, beside a key and two moments
const LINE_FEED = 10

/** Cuts chunks into lines and lines into events, however the chunks are cut. */
export class EventReader {
  #parts: Uint8Array[] = []
  #partBytes = 0
  #data: string[] = []
  #dataBytes = 0
  #id: string | null = null

  /** The last field `id`; null before the first. */
  get id(): string | null {
    return this.#id
  }

  /**
   * Takes a chunk.
   * @returns the data of each event that it ends
   * @throws {RangeError} if a line or an event is longer than any of a relay
   */
  take(chunk: Uint8Array): string[] {
    const events: string[] = []
    let from = 0
    for (let end = chunk.indexOf(LINE_FEED); end >= 0; end = chunk.indexOf(LINE_FEED, from)) {
      this.#hold(chunk.subarray(from, end))
      from = end + 1
      const line = new TextDecoder().decode(concatBytes(...this.#parts)).replace(/\r$/, '')
      if (line === '') {
        if (this.#data.length > 0) events.push(this.#data.join('\n'))
        this.#data = []
        this.#dataBytes = 0
      } else this.#takeLine(line, this.#partBytes)
      this.#parts = []
      this.#partBytes = 0
    }
    this.#hold(chunk.subarray(from))
    return events
  }

  #hold(part: Uint8Array): void {
    this.#partBytes += part.length
    if (this.#partBytes > MAX_EVENT_BYTES) throw new RangeError('a line of the stream is too long')
    if (part.length > 0) this.#parts.push(part)
  }

  #takeLine(line: string, lineBytes: number): void {
    if (line.startsWith('id:')) this.#id = valueOf(line, 'id:')
    if (!line.startsWith('data:')) return
    this.#dataBytes += lineBytes
    if (this.#dataBytes > MAX_EVENT_BYTES) throw new RangeError('an event is too long')
    this.#data.push(valueOf(line, 'data:'))
  }
}

function valueOf(line: string, field: string): string {
  return line.slice(field.length).replace(/^ /, '')
}
