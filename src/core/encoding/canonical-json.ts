/** JSON in its one canonical form (RFC 8785), so that hashes and signatures cover one text. */

export type JsonValue = string | number | boolean | null | readonly JsonValue[] | JsonObject
export interface JsonObject {
  readonly [member: string]: JsonValue
}

const MAX_DEPTH = 16 // sanity: our documents have four levels; a text of brackets alone must not fill the stack

/**
 * Writes a value: members sorted by UTF-16 code units, no white space, numbers as ECMAScript writes them.
 * @throws {RangeError} for what the form does not have: a lone surrogate, a number that is not finite, more than 16 levels
 */
export function formatCanonicalJson(value: JsonValue, depth = 0): string {
  if (depth > MAX_DEPTH) throw new RangeError(`the value has more than ${MAX_DEPTH} levels`)
  if (typeof value === 'string') return formatText(value)
  if (typeof value === 'number' && !Number.isFinite(value)) throw new RangeError('the number is not finite')
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  if (isList(value)) return `[${value.map((each) => formatCanonicalJson(each, depth + 1)).join(',')}]`
  const members = Object.keys(value).toSorted((a, b) => (a < b ? -1 : 1))
  return `{${members.map((name) => `${formatText(name)}:${formatCanonicalJson(value[name]!, depth + 1)}`).join(',')}}`
}

function isList(value: readonly JsonValue[] | JsonObject): value is readonly JsonValue[] {
  return Array.isArray(value)
}

function formatText(text: string): string {
  if (!text.isWellFormed()) throw new RangeError('the text has a lone surrogate')
  return JSON.stringify(text)
}

/**
 * Reads exactly the texts that {@link formatCanonicalJson} writes. Null for any other: white space, another order, a doubled member, another
 * spelling of a number or a character.
 */
export function parseCanonicalJson(text: string): JsonValue | null {
  try {
    const value = JSON.parse(text) as JsonValue
    return formatCanonicalJson(value) === text ? value : null
  } catch {
    return null
  }
}

/** As {@link parseCanonicalJson}, for a text that must be an object. */
export function parseCanonicalObject(text: string): JsonObject | null {
  const value = parseCanonicalJson(text)
  return value === null || typeof value !== 'object' || isList(value) ? null : value
}
