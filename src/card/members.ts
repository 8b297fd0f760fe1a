/** Reads the members of a signed object, each in its one form: of cards, device tokens and headers of messages. */
import { isStrictPublicKey } from '../core/curve/ed25519.ts'
import { parseBase64url, parseHex } from '../core/encoding/bytes.ts'
import type { JsonObject, JsonValue } from '../core/encoding/canonical-json.ts'

/** The refusal of a member that is missing, unknown or not as it must be. @param member its path, such as `chain.next` */
export type BadMember = (member: string) => Error

/** The members of one object. Each is asked for once; what nobody asked for is refused. */
export class Members {
  readonly #object: JsonObject
  readonly #bad: BadMember
  readonly #path: string
  readonly #asked = new Set<string>()

  constructor(value: JsonValue | undefined, bad: BadMember, path = '') {
    this.#bad = bad
    this.#path = path
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw this.#refusal('')
    this.#object = value as JsonObject
  }

  /** @throws the refusal, for a member that nobody asked for */
  end(): void {
    const unknown = Object.keys(this.#object).find((name) => !this.#asked.has(name))
    if (unknown !== undefined) throw this.#refusal(unknown)
  }

  has(name: string): boolean {
    return Object.hasOwn(this.#object, name)
  }

  /** An integer of at least `least`. */
  integer(name: string, least: number): number {
    const value = this.#take(name)
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < least) throw this.#refusal(name)
    return value
  }

  text(name: string, isGood: (text: string) => boolean): string {
    const value = this.#take(name)
    if (typeof value !== 'string' || !isGood(value)) throw this.#refusal(name)
    return value
  }

  /** Bytes in base64url. */
  bytes(name: string, lengthBytes: number): Uint8Array {
    const bytes = parseBase64url(this.text(name, () => true))
    if (bytes?.length !== lengthBytes) throw this.#refusal(name)
    return bytes
  }

  /** A PersonaID in upper-case hex. */
  personaId(name: string): Uint8Array {
    const id = parseHex(this.text(name, (text) => text === text.toUpperCase()))
    if (id === null || !isStrictPublicKey(id)) throw this.#refusal(name)
    return id
  }

  list<T>(name: string, most: number, read: (value: JsonValue, path: string) => T): T[] {
    const value = this.#take(name)
    if (!Array.isArray(value) || value.length > most) throw this.#refusal(name)
    return (value as readonly JsonValue[]).map((each) => read(each, `${this.#path}${name}.`))
  }

  inside(name: string): Members {
    return new Members(this.#take(name), this.#bad, `${this.#path}${name}.`)
  }

  #take(name: string): JsonValue | undefined {
    this.#asked.add(name)
    return this.has(name) ? this.#object[name] : undefined
  }

  #refusal(name: string): Error {
    return this.#bad(`${this.#path}${name}`.replace(/\.$/, ''))
  }
}
