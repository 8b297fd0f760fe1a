/** Limits with room for every load of a benchmark, and the names of its boxes. */
import { concatBytes, formatBase64url, u32be } from '../src/core/encoding/bytes.ts'
import type { StoreLimits } from '../src/relayd/store/rules.ts'

export const MINUTE_US = 60_000_000

export const NO_LIMITS: StoreLimits = {
  maxMessages: 128,
  maxBytes: 1 << 20,
  maxUnchecked: 8,
  maxUncheckedBoxes: 1e9,
  maxRetired: 4,
  messageUs: 60 * MINUTE_US,
  boxUs: 30 * 24 * 60 * MINUTE_US,
  maxGuestCards: 1e9,
  maxApps: 16,
  cardUs: 30 * 24 * 60 * MINUTE_US,
  maxEntries: 1e9,
  maxStrangers: 1e9,
  maxOfStranger: 1e9,
  maxNamed: 1e9,
  entryUs: 31 * 24 * 60 * MINUTE_US,
  silentUs: 30 * 24 * 60 * MINUTE_US,
  maxPersonaBytes: 1e12,
  objectUs: 31 * 24 * 60 * MINUTE_US,
  maxDiskBytes: 1e12,
}

const REST = new Uint8Array(28).fill(9)

/** The canonical text of a key. Nobody has its secret. */
export function boxId(n: number): string {
  return formatBase64url(concatBytes(u32be(n), REST))
}
