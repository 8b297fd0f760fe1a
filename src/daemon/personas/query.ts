/** Which device a typed word means: its nickname, or the first digits of its key (docs/ipc.md, section 3). */
import { foldNickname } from '../../core/nickname.ts'
import type { Device } from '../../core/table.ts'

const MIN_PREFIX_DIGITS = 4 // sanity: fewer digits of a key are more likely a name
const KEY_DIGITS = 64

/** The word as the beginning of a key; null if it cannot be one. */
export function keyPrefix(query: string): string | null {
  const digits = query.toUpperCase()
  if (digits.length < MIN_PREFIX_DIGITS || digits.length > KEY_DIGITS) return null
  return /^[0-9A-F]+$/.test(digits) ? digits : null
}

export function isMeant(query: string, { name, key }: Pick<Device, 'name' | 'key'>): boolean {
  const prefix = keyPrefix(query)
  return foldNickname(name) === foldNickname(query) || (prefix !== null && key.startsWith(prefix))
}
