/** Frames on the socket (docs/ipc.md, section 1): `{"type","data"}` as JSON in UTF-8, ended by a form feed, as in node-ipc. */
import { decodeUtf8 } from '../../core/encoding/bytes.ts'
import { IpcError } from './errors.ts'

/** Format: bytes of a frame without its form feed. A page of contacts and a batch of a scan fit, and it is the default of node-ipc. */
export const MAX_FRAME_BYTES = 1_048_576
/** A text in which each character is one byte of UTF-8. */
export const ASCII: RegExp = /^[\x00-\x7f]*$/
/** Sanity: our deepest value is below 12. JSON.parse accepts any depth, but zod and JSON.stringify recurse and overflow at about 5000. */
export const MAX_FRAME_DEPTH = 32
/**
 * Sanity: members and elements in one frame of a client. The largest call has some 10 000, the friend list in `contact.devices`. An object
 * of 100 000 members takes 100 ms to parse, a text of the same size 1 ms.
 */
export const MAX_FRAME_VALUES = 16_384
/** The encoding for reading a stream of frames (`setEncoding`): one character is one byte, so that bad UTF-8 can still be noticed. */
export const FRAME_ENCODING = 'latin1'

// JSON escapes a form feed in a string, so a raw one never occurs inside a frame.
const FORM_FEED = '\f'
/** Sanity: a sender of single bytes makes one string each. Joined at this many, they cost their own length, not 32 times as much. */
const MAX_PARTS = 1024

export interface Frame {
  readonly type: string
  readonly data: unknown
}

/** The text of one frame, form feed included. */
export function formatFrame(type: string, data: unknown): string {
  return `${JSON.stringify({ type, data })}${FORM_FEED}`
}

/** Whether a formatted frame is too long for a reader; exact, and cheap for short frames. */
export function isFrameTooLarge(frame: string, maxFrameBytes: number = MAX_FRAME_BYTES): boolean {
  const maxBytes = maxFrameBytes + FORM_FEED.length
  // A UTF-16 unit has 1..3 bytes of UTF-8.
  return frame.length > maxBytes || (frame.length * 3 > maxBytes && Buffer.byteLength(frame) > maxBytes)
}

/**
 * Cuts a stream into frames, one at a time, so that the caller can stop between two frames. The sizes of the chunks make no
 * difference. Each byte is searched once, so a sender of single bytes costs no more than those bytes.
 */
export class FrameReader {
  readonly #maxFrameBytes: number
  readonly #maxValues: number
  #chunk = ''
  #at = 0
  #parts: string[] = []
  #partialBytes = 0

  /** @param maxValues the greatest number of members and elements in one frame; a server bounds it, and its clients rely on it */
  constructor(maxFrameBytes: number = MAX_FRAME_BYTES, maxValues: number = Infinity) {
    this.#maxFrameBytes = maxFrameBytes
    this.#maxValues = maxValues
  }

  /** Bytes of an unfinished frame, among those that next() has read. */
  get partialBytes(): number {
    return this.#partialBytes
  }

  /** Bytes of the next frame, its form feed not counted; 0 until it is whole. */
  get nextBytes(): number {
    const end = this.#chunk.indexOf(FORM_FEED, this.#at)
    return end < 0 ? 0 : this.#partialBytes + end - this.#at
  }

  /** @param chunk as read with {@link FRAME_ENCODING}, any length */
  push(chunk: string): void {
    this.#chunk = this.#at < this.#chunk.length ? this.#chunk.slice(this.#at) + chunk : chunk
    this.#at = 0
  }

  /**
   * The next whole frame, or null until more is pushed. After a throw the stream is lost: nothing marks where the next frame begins.
   * @throws {IpcError} FRAME_TOO_LARGE | FRAME_NOT_UTF8 | FRAME_NOT_JSON | FRAME_TOO_DEEP | FRAME_TOO_MANY_VALUES |
   *   FRAME_NOT_ENVELOPE
   */
  next(): Frame | null {
    const end = this.#chunk.indexOf(FORM_FEED, this.#at)
    const stop = end < 0 ? this.#chunk.length : end
    const bytes = this.#partialBytes + stop - this.#at
    if (bytes > this.#maxFrameBytes) {
      throw new IpcError('FRAME_TOO_LARGE', `a frame is longer than ${this.#maxFrameBytes} bytes`)
    }
    const piece = this.#chunk.slice(this.#at, stop)
    if (end < 0) {
      this.#hold(piece)
      return null
    }
    const text = this.#parts.length === 0 ? piece : this.#parts.join('') + piece
    this.#parts = []
    this.#partialBytes = 0
    this.#at = end + 1
    // The chunk may hold a passphrase: keep no reference until the next chunk, which may come hours later.
    if (this.#at === this.#chunk.length) this.#hold('')
    return parseFrame(text, this.#maxValues)
  }

  #hold(piece: string): void {
    this.#chunk = ''
    this.#at = 0
    if (piece.length === 0) return
    this.#partialBytes += piece.length
    this.#parts.push(piece)
    if (this.#parts.length >= MAX_PARTS) this.#parts = [this.#parts.join('')]
  }
}

function parseFrame(text: string, maxValues: number): Frame {
  if (hasManyOpenings(text) || hasManyCommas(text, maxValues)) checkStructure(text, maxValues)
  const value = parseJson(ASCII.test(text) ? text : decodeBytes(text))
  if (typeof value !== 'object' || value === null || !('type' in value) || typeof value.type !== 'string') {
    throw new IpcError('FRAME_NOT_ENVELOPE', 'a frame must be a JSON object with a text "type"')
  }
  return { type: value.type, data: 'data' in value ? value.data : undefined }
}

/** Whether anything could be nested too deep. */
function hasManyOpenings(text: string): boolean {
  const lists = countUpTo(text, '[', MAX_FRAME_DEPTH + 1)
  return lists + countUpTo(text, '{', MAX_FRAME_DEPTH + 1) > MAX_FRAME_DEPTH
}

/** Whether there could be more than so many values: a comma stands before each value that is not the first of its list or object. */
function hasManyCommas(text: string, maxValues: number): boolean {
  return text.length > maxValues && countUpTo(text, ',', maxValues) === maxValues
}

/** How often a character stands in a text, at most `max`. A native search of one character passes ten times as much text as a regular expression. */
function countUpTo(text: string, character: string, max: number): number {
  let count = 0
  for (let at = text.indexOf(character); at >= 0 && count < max; at = text.indexOf(character, at + 1)) count++
  return count
}

/** Counts depth and values outside of strings. For text that is not JSON the counts mean nothing, but the parser refuses such text. */
function checkStructure(text: string, maxValues: number): void {
  let inString = false
  let [depth, values] = [0, 1]
  for (let i = 0; i < text.length; i++) {
    const char = text.charCodeAt(i)
    if (inString) {
      if (char === 0x5c) i++
      else if (char === 0x22) inString = false
    } else if (char === 0x22) inString = true
    else if (char === 0x5b || char === 0x7b) {
      if (++depth > MAX_FRAME_DEPTH) {
        throw new IpcError('FRAME_TOO_DEEP', `a frame is nested deeper than ${MAX_FRAME_DEPTH} levels`)
      }
    } else if (char === 0x5d || char === 0x7d) depth--
    else if (char === 0x2c && ++values > maxValues) {
      throw new IpcError('FRAME_TOO_MANY_VALUES', `a frame has more than ${maxValues} members and elements`)
    }
  }
}

function decodeBytes(text: string): string {
  const decoded = decodeUtf8(Buffer.from(text, FRAME_ENCODING))
  if (decoded === null) throw new IpcError('FRAME_NOT_UTF8', 'a frame is not UTF-8')
  return decoded
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // Drop the cause: the parser's message quotes the text, which may hold a passphrase.
    throw new IpcError('FRAME_NOT_JSON', 'a frame is not JSON')
  }
}
