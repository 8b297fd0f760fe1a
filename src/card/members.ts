/** Reads the members of a payload, each in its one form. */
import { parseBase64url, parseHex } from '../core/encoding/bytes.ts'
import type { JsonObject, JsonValue } from '../core/encoding/canonical-json.ts'
import { isStrictPublicKey } from '../core/curve/ed25519.ts'
import { CardError } from './errors.ts'

/** The members of one object. Each is asked for once; what nobody asked for is refused. */
export class Members {
  readonly #object: JsonObject
  readonly #codes: 'CARD' | 'TOKEN'
  readonly #path: string
  readonly #asked = new Set<string>()

  constructor(value: JsonValue | undefined, codes: 'CARD' | 'TOKEN', path = '') {
    this.#codes = codes
    this.#path = path
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw this.#bad('')
    this.#object = value as JsonObject
  }

  /** @throws {CardError} CARD_MEMBER | TOKEN_MEMBER for a member that the form does not have */
  end(): void {
    const unknown = Object.keys(this.#object).find((name) => !this.#asked.has(name))
    if (unknown !== undefined) throw this.#bad(unknown)
  }

  has(name: string): boolean {
    return Object.hasOwn(this.#object, name)
  }

  /** An integer of at least `least`. */
  integer(name: string, least: number): number {
    const value = this.#take(name)
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < least) throw this.#bad(name)
    return value
  }

  text(name: string, isGood: (text: string) => boolean): string {
    const value = this.#take(name)
    if (typeof value !== 'string' || !isGood(value)) throw this.#bad(name)
    return value
  }

  /** Bytes in base64url. */
  bytes(name: string, lengthBytes: number): Uint8Array {
    const bytes = parseBase64url(this.text(name, () => true))
    if (bytes?.length !== lengthBytes) throw this.#bad(name)
    return bytes
  }

  /** A PersonaID in upper-case hex. */
  personaId(name: string): Uint8Array {
    const id = parseHex(this.text(name, (text) => text === text.toUpperCase()))
    if (id === null || !isStrictPublicKey(id)) throw this.#bad(name)
    return id
  }

  list<T>(name: string, most: number, read: (value: JsonValue, path: string) => T): T[] {
    const value = this.#take(name)
    if (!Array.isArray(value) || value.length > most) throw this.#bad(name)
    return (value as readonly JsonValue[]).map((each) => read(each, `${this.#path}${name}.`))
  }

  inside(name: string): Members {
    return new Members(this.#take(name), this.#codes, `${this.#path}${name}.`)
  }

  #take(name: string): JsonValue | undefined {
    this.#asked.add(name)
    return this.has(name) ? this.#object[name] : undefined
  }

  #bad(name: string): CardError {
    const member = `${this.#path}${name}`.replace(/\.$/, '')
    return new CardError(
      `${this.#codes}_MEMBER`,
      `the member ${JSON.stringify(member)} is missing, unknown or not as it must be`,
    )
  }
}
