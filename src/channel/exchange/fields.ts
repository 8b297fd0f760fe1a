/** Fields of a stored state, one after another: numbers of 8 bytes, bytes and lists with their length before them. */
import { decodeUtf8, encodeUtf8 } from '../../core/encoding/bytes.ts'

const MAX_ASCII = 0x7f
const FIRST_BYTES = 4096 // sanity: a channel without a greeting fits

/** Bytes to write into, and a view of them for numbers. */
interface Space {
  readonly bytes: Uint8Array
  readonly view: DataView
}

function spaceOf(length: number): Space {
  const bytes = new Uint8Array(length)
  return { bytes, view: new DataView(bytes.buffer) }
}

/** For a writer that is done. */
const NO_SPACE: Space = spaceOf(0)
/** The space of a writer that is done, wiped. An end is written at each of its turns, and a new one takes longer than its fields. */
let spare: Space | null = null

export class Writer {
  #space = spare ?? spaceOf(FIRST_BYTES)
  #at = 0

  constructor() {
    spare = null
  }

  u8(value: number): void {
    this.#room(1)
    this.#space.bytes[this.#at++] = value
  }

  #u32(value: number): void {
    this.#room(4)
    this.#space.view.setUint32(this.#at, value)
    this.#at += 4
  }

  /** A safe integer or any other finite number. */
  number(value: number): void {
    this.#room(8)
    this.#space.view.setFloat64(this.#at, value)
    this.#at += 8
  }

  numbers(values: readonly number[]): void {
    this.list(values, (value) => this.number(value))
  }

  bytes(...parts: readonly Uint8Array[]): void {
    for (const part of parts) {
      this.#u32(part.length)
      this.#room(part.length)
      this.#space.bytes.set(part, this.#at)
      this.#at += part.length
    }
  }

  texts(values: readonly string[]): void {
    this.list(values, (value) => this.#text(value))
  }

  /** Nearly all texts are addresses. Their characters are bytes, and to copy them takes a fraction of the time of an encoder. */
  #text(value: string): void {
    const at = this.#at
    this.#u32(value.length)
    this.#room(value.length)
    const { bytes } = this.#space
    for (let i = 0; i < value.length; i++) {
      const code = value.charCodeAt(i)
      if (code > MAX_ASCII) {
        this.#at = at
        return this.bytes(encodeUtf8(value))
      }
      bytes[this.#at + i] = code
    }
    this.#at += value.length
  }

  list<Value>(values: readonly Value[], write: (value: Value) => void): void {
    this.#u32(values.length)
    for (const value of values) write(value)
  }

  optional<Value>(value: Value | null, write: (value: Value) => void): void {
    this.u8(value === null ? 0 : 1)
    if (value !== null) write(value)
  }

  /** All that was written. The writer begins anew afterwards: keys that it had are wiped. */
  whole(): Uint8Array {
    const { bytes } = this.#space
    const isFull = this.#at === bytes.length && this.#at > FIRST_BYTES
    const whole = isFull ? bytes : bytes.slice(0, this.#at)
    if (!isFull) bytes.fill(0, 0, this.#at)
    if (bytes.length === FIRST_BYTES) spare = this.#space
    this.#space = NO_SPACE
    this.#at = 0
    return whole
  }

  #room(count: number): void {
    const { bytes } = this.#space
    if (this.#at + count <= bytes.length) return
    // A field that is larger than all before it is mostly the last one: its buffer then fits, and needs no copy.
    const larger = spaceOf(Math.max(2 * bytes.length, this.#at + count))
    larger.bytes.set(bytes)
    bytes.fill(0)
    this.#space = larger
  }
}

/** Reads the fields in the same order. Each method throws RangeError beyond the end. */
export class Reader {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  #at: number

  constructor(bytes: Uint8Array, at: number) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#at = at
  }

  u8(): number {
    return this.#view.getUint8(this.#at++)
  }

  #u32(): number {
    this.#at += 4
    return this.#view.getUint32(this.#at - 4)
  }

  number(): number {
    this.#at += 8
    return this.#view.getFloat64(this.#at - 8)
  }

  numbers(): number[] {
    return this.list(() => this.number())
  }

  bytes(): Uint8Array {
    const length = this.#u32()
    const end = this.#at + length
    if (end > this.#bytes.length) throw new RangeError('a field is longer than the whole')
    const bytes = this.#bytes.slice(this.#at, end)
    this.#at = end
    return bytes
  }

  texts(): string[] {
    return this.list(() => {
      const text = decodeUtf8(this.bytes())
      if (text === null) throw new RangeError('a text is not UTF-8')
      return text
    })
  }

  list<Value>(read: () => Value): Value[] {
    const values: Value[] = []
    for (let left = this.#u32(); left > 0; left--) values.push(read())
    return values
  }

  optional<Value>(read: () => Value): Value | null {
    const isThere = this.u8()
    if (isThere > 1) throw new RangeError('a field is neither there nor absent')
    return isThere === 1 ? read() : null
  }

  oneOf<Value>(values: readonly Value[]): Value {
    const value = values[this.u8()]
    if (value === undefined) throw new RangeError('a value is not known')
    return value
  }

  end(): void {
    if (this.#at !== this.#bytes.length) throw new RangeError('bytes follow the last field')
  }
}
