/** Reads a stream of server-sent events as far as relays use it: fields `data`, and comments. */
import { encodeUtf8 } from '../core/encoding/bytes.ts'

const MAX_LINE_BYTES = 4096 // sanity: an event has a key and a question, some 700 bytes
const LINE_FEED = 10

/** Cuts chunks into lines and lines into events, however the chunks are cut. */
export class EventReader {
  #line: number[] = []
  #data: string[] = []

  /**
   * Takes a chunk.
   * @returns the data of each event that it ends
   * @throws {RangeError} if a line or an event is longer than any of a relay
   */
  take(chunk: Uint8Array): string[] {
    const events: string[] = []
    for (const byte of chunk) {
      if (byte !== LINE_FEED) {
        this.#line.push(byte)
        if (this.#line.length > MAX_LINE_BYTES) throw new RangeError('a line of the stream is too long')
        continue
      }
      const line = new TextDecoder().decode(Uint8Array.from(this.#line)).replace(/\r$/, '')
      this.#line = []
      if (line === '') {
        if (this.#data.length > 0) events.push(this.#data.join('\n'))
        this.#data = []
      } else if (line.startsWith('data:')) this.#add(line.slice('data:'.length).replace(/^ /, ''))
    }
    return events
  }

  #add(data: string): void {
    this.#data.push(data)
    if (encodeUtf8(this.#data.join('\n')).length > MAX_LINE_BYTES) throw new RangeError('an event is too long')
  }
}
