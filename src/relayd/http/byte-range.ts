/** The header Range (RFC 9110, section 14), as a relay reads it: one range of bytes. */
import type { ByteRange } from '../objects/object-bytes.ts'

const DIGITS = '\\d{1,15}' // sanity: below 2^53
const FORM = new RegExp(`^bytes=(?:(${DIGITS})-(${DIGITS})?|-(${DIGITS}))$`)

/**
 * @param bytes of the whole, 1 or more
 * @returns whole: without a range that this relay reads, as the RFC has it; none: no byte of the range is there
 */
export function readRange(header: string | undefined, bytes: number): ByteRange | 'whole' | 'none' {
  const form = FORM.exec(header ?? '')
  if (form === null) return 'whole'
  const [, from, to, last] = form
  if (last !== undefined)
    return Number(last) === 0 ? 'none' : { first: Math.max(0, bytes - Number(last)), last: bytes - 1 }
  const range = { first: Number(from), last: Math.min(bytes - 1, to === undefined ? bytes - 1 : Number(to)) }
  // A range whose end lies before its begin is no range.
  if (to !== undefined && Number(to) < range.first) return 'whole'
  return range.first >= bytes ? 'none' : range
}
