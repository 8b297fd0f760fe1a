/**
 * The open apps keys, and the values that they seal. A sealed value is the id of its key, a random nonce of 24 bytes, and a box
 * (XSalsa20-Poly1305). The name of the record is sealed with it, so that nobody can put the value of one record into another.
 *
 *     0   8  id of the key        8  24  nonce        32  box of: length of the name u16, name, value
 */
import { concatBytes, encodeUtf8, equalBytes } from '../../core/encoding/bytes.ts'
import type { CryptoEngine } from '../../crypto/engine.ts'
import { KEY_ID_BYTES, type Sealer, type StoredKey } from './key-file.ts'

const NONCE_BYTES = 24 // format: XSalsa20
const BOX_AT: number = KEY_ID_BYTES + NONCE_BYTES
const NOTHING = new Uint8Array()

/** A key, and where it lies in the file. */
export interface RingKey extends StoredKey {
  /** Its slot, 0 or 1. */
  readonly place: number
  readonly sealer: Sealer
}

export class KeyRing {
  readonly #engine: CryptoEngine
  #keys: readonly RingKey[]

  /** @param keys at least one; kept until {@link wipe} */
  constructor(keys: readonly RingKey[], engine: CryptoEngine) {
    this.#keys = keys
    this.#engine = engine
  }

  /** The key that seals. */
  get current(): RingKey {
    return this.#keys.reduce((a, b) => (b.number > a.number ? b : a))
  }

  get keys(): readonly RingKey[] {
    return this.#keys
  }

  /** The key that only opens; null outside of a change. */
  get old(): RingKey | null {
    const { current } = this
    return this.#keys.find((key) => key !== current) ?? null
  }

  /** Takes other keys. Keys that are not among them are wiped. */
  replace(keys: readonly RingKey[]): void {
    for (const { key } of this.#keys) if (!keys.some((kept) => kept.key === key)) this.#engine.wipe(key)
    this.#keys = keys
  }

  wipe(): void {
    this.replace([])
  }

  /** Seals a value under the name of its record. */
  seal(name: string, value: Uint8Array): Uint8Array {
    const { id, key } = this.current
    const nonce = this.#engine.randomBytes(NONCE_BYTES)
    return this.#engine.sealBox(named(name, value), nonce, key, id, nonce)
  }

  /** Opens the value of a record. @returns null if no key here opens it, or if it was sealed under another name */
  open(name: string, sealed: Uint8Array): Uint8Array | null {
    const key = this.keyOf(sealed)
    if (key === null) return null
    const content = this.#engine.openBox(sealed.slice(BOX_AT), sealed.slice(KEY_ID_BYTES, BOX_AT), key.key)
    if (content === null) return null
    const prefix = named(name, NOTHING)
    return equalBytes(content.subarray(0, prefix.length), prefix) ? content.subarray(prefix.length) : null
  }

  /** The key that sealed a value; null if it is not here. */
  keyOf(sealed: Uint8Array): RingKey | null {
    const id = sealed.subarray(0, KEY_ID_BYTES)
    return this.#keys.find((key) => equalBytes(key.id, id)) ?? null
  }
}

/** A value after the name of its record. */
function named(name: string, value: Uint8Array): Uint8Array {
  const bytes = encodeUtf8(name)
  return concatBytes(Uint8Array.of(bytes.length >> 8, bytes.length & 0xff), bytes, value)
}
