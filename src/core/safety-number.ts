/** The safety number. Two people compare it to check that they have the same persona and chain (docs/format.md, section 13). */
import { readU32 } from './encoding/bytes.ts'
import type { Engine } from './engine.ts'
import { LABEL_NUMBER } from './labels.ts'

const GROUPS = 12 // format: 60 digits, 199 bits
const GROUP_DIGITS = 5 // format: easy to read at a glance
const GROUP_BYTES = 5 // format: 2^40 is ten million times 10^5, so all digits are almost equally likely
export const SAFETY_NUMBER_DIGITS: number = GROUPS * GROUP_DIGITS

/**
 * The safety number of one persona. Its inputs never change, so it survives every rotation.
 * @param personaId K_0, 32 bytes
 * @param root c_0, 32 bytes
 * @returns 60 digits
 */
export function safetyNumber(personaId: Uint8Array, root: Uint8Array, engine: Engine): string {
  const hash = engine.sha512(LABEL_NUMBER, personaId, root)
  let digits = ''
  for (let at = 0; at < GROUPS * GROUP_BYTES; at += GROUP_BYTES) {
    const value = hash[at]! * 2 ** 32 + readU32(hash, at + 1)
    digits += String(value % 10 ** GROUP_DIGITS).padStart(GROUP_DIGITS, '0')
  }
  return digits
}

/** Splits the digits into groups of five, for reading aloud. */
export function groupSafetyNumber(digits: string): string[] {
  return digits.match(/.{5}/g) ?? []
}

/** The 60 digits of a typed or pasted number, without white space; null for anything else. */
export function parseSafetyNumber(text: string): string | null {
  const digits = text.replaceAll(/\s+/g, '')
  return /^[0-9]{60}$/.test(digits) ? digits : null
}
