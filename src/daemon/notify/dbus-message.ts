/** Messages of D-Bus (D-Bus Specification, "Marshaling (Wire Format)" and "Message Protocol"): as much as one call and its answer need. */
import { concatBytes, decodeUtf8, encodeUtf8 } from '../../core/encoding/bytes.ts'

const LITTLE = 0x6c // 'l', the byte order of what we write
const VERSION = 1
const CALL = 1
export const METHOD_RETURN = 2
export const METHOD_ERROR = 3
const MAX_MESSAGE_BYTES = 65_536 // sanity: an answer of ours is below 300 bytes; the format allows 128 MiB
const HEAD_BYTES = 16 // byte order, type, flags, version, length of the body, serial, length of the fields

/** The codes of the header fields that we use. */
const FIELD = { path: 1, interface: 2, member: 3, errorName: 4, replySerial: 5, destination: 6, signature: 8 } as const

/** Writes values one after the other, each aligned as its type asks. Offsets count from the start of the message. */
export class DbusWriter {
  readonly #bytes: number[] = []

  get length(): number {
    return this.#bytes.length
  }

  align(to: number): this {
    while (this.#bytes.length % to !== 0) this.#bytes.push(0)
    return this
  }

  u8(value: number): this {
    this.#bytes.push(value)
    return this
  }

  u32(value: number): this {
    this.align(4)
    for (const shift of [0, 8, 16, 24]) this.#bytes.push((value >>> shift) & 0xff)
    return this
  }

  /** A text or an object path. NUL ends texts on the bus, so none may be inside. */
  text(value: string): this {
    const bytes = encodeUtf8(value.replaceAll('\0', ''))
    this.u32(bytes.length)
    this.#bytes.push(...bytes, 0)
    return this
  }

  signature(value: string): this {
    this.u8(value.length)
    this.#bytes.push(...encodeUtf8(value), 0)
    return this
  }

  /** An array: `elements` writes them. The length leaves out the padding before the first element. */
  array(elementAlign: number, elements: (writer: this) => void): this {
    this.u32(0)
    const lengthAt = this.#bytes.length - 4
    this.align(elementAlign)
    const start = this.#bytes.length
    elements(this)
    const length = this.#bytes.length - start
    for (const [i, shift] of [0, 8, 16, 24].entries()) this.#bytes[lengthAt + i] = (length >>> shift) & 0xff
    return this
  }

  bytes(): Uint8Array {
    return Uint8Array.from(this.#bytes)
  }
}

export interface Call {
  readonly destination: string
  readonly path: string
  readonly interface: string
  readonly member: string
  /** The types of the body; empty without one. */
  readonly signature: string
  readonly body: Uint8Array
}

/** @param serial from 1, different for each call of a connection */
export function encodeCall(call: Call, serial: number): Uint8Array {
  const fields: readonly (readonly [code: number, type: string, value: string])[] = [
    [FIELD.path, 'o', call.path],
    [FIELD.interface, 's', call.interface],
    [FIELD.member, 's', call.member],
    [FIELD.destination, 's', call.destination],
    ...(call.signature === '' ? [] : [[FIELD.signature, 'g', call.signature] as const]),
  ]
  const head = new DbusWriter().u8(LITTLE).u8(CALL).u8(0).u8(VERSION).u32(call.body.length).u32(serial)
  head.array(8, (writer) => {
    for (const [code, type, value] of fields) {
      writer.align(8).u8(code).signature(type)
      if (type === 'g') writer.signature(value)
      else writer.text(value)
    }
  })
  return concatBytes(head.align(8).bytes(), call.body)
}

/** The part of a message from the bus that matters to a caller. */
export interface Answer {
  readonly type: number
  /** The serial of the call; null in a signal. */
  readonly replyTo: number | null
  /** The name of the error; null if it is none. */
  readonly error: string | null
  readonly body: Uint8Array
}

/**
 * Takes the first message off the front of what was received.
 * @returns null if it has not arrived completely
 * @throws {RangeError} for bytes that are no message, or one of more than MAX_MESSAGE_BYTES
 */
export function takeMessage(bytes: Uint8Array): { readonly message: Answer; readonly rest: Uint8Array } | null {
  if (bytes.length < HEAD_BYTES) return null
  const isLittle = bytes[0] === LITTLE
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const fieldsEnd = HEAD_BYTES + view.getUint32(12, isLittle)
  const bodyAt = fieldsEnd + ((8 - (fieldsEnd % 8)) % 8)
  const end = bodyAt + view.getUint32(4, isLittle)
  if (end > MAX_MESSAGE_BYTES) throw new RangeError(`a message of ${end} bytes`)
  if (bytes.length < end) return null
  const fields = readFields(bytes.subarray(0, fieldsEnd), isLittle)
  const replyTo = fields.get(FIELD.replySerial)
  const error = fields.get(FIELD.errorName)
  const message = {
    type: bytes[1]!,
    replyTo: typeof replyTo === 'number' ? replyTo : null,
    error: typeof error === 'string' ? error : null,
    body: bytes.slice(bodyAt, end),
  }
  return { message, rest: bytes.subarray(end) }
}

/** Each field is a code and a variant of a simple type. */
function readFields(bytes: Uint8Array, isLittle: boolean): Map<number, string | number> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const fields = new Map<number, string | number>()
  for (let at = HEAD_BYTES; at < bytes.length;) {
    at += (8 - (at % 8)) % 8
    const code = view.getUint8(at)
    const type = String.fromCharCode(view.getUint8(at + 2))
    // The code, the length of the type, the type, and its NUL.
    at += 4
    if (type === 'u') {
      fields.set(code, view.getUint32(at, isLittle))
      at += 4
      continue
    }
    const length = type === 'g' ? view.getUint8(at) : view.getUint32(at, isLittle)
    at += type === 'g' ? 1 : 4
    fields.set(code, decodeUtf8(bytes.subarray(at, at + length)) ?? '')
    at += length + 1
  }
  return fields
}
