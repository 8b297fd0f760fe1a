/** The history: a numbered list of changes. Each entry's hash covers the hash of the entry before (docs/ipc.md, section 4, history). */
import { encodeUtf8, equalBytes, parseHex } from './encoding/bytes.ts'
import type { Engine } from './engine.ts'
import { LABEL_HISTORY } from './labels.ts'

export const HISTORY_HASH_BYTES = 32 // format: first bytes of SHA-512

/** One stored entry. `text` is the JSON of number, time and event; the hash covers exactly these bytes. */
export interface HistoryEntry {
  readonly text: string
  /** Hash of the previous hash and this text, 64 hex digits. */
  readonly hash: string
}

/** The hash before the first entry. */
export const HISTORY_START: Uint8Array = new Uint8Array(HISTORY_HASH_BYTES)

/**
 * First 32 bytes of SHA-512 over LABEL_HISTORY, the hash of the entry before, and the text in UTF-8.
 * @param before hash of the entry before, 32 bytes; zeros for the first entry
 */
export function hashEntry(before: Uint8Array, text: string, engine: Engine): Uint8Array {
  return engine.sha512(LABEL_HISTORY, before, encodeUtf8(text)).subarray(0, HISTORY_HASH_BYTES)
}

/**
 * Checks that an entry follows the one before.
 * @param before hash of the entry before, 32 bytes
 * @returns the entry's hash, for checking the next one; null when text or hash was altered or an entry is missing
 */
export function checkEntry(before: Uint8Array, entry: HistoryEntry, engine: Engine): Uint8Array | null {
  const hash = hashEntry(before, entry.text, engine)
  const kept = parseHex(entry.hash)
  return kept !== null && equalBytes(kept, hash) ? hash : null
}
