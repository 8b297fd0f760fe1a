/** The history: a numbered list of what changed, in which each entry names the hash of the one before (docs/ipc.md, section 4, history). */
import { encodeUtf8, equalBytes, parseHex } from './encoding/bytes.ts'
import type { Engine } from './engine.ts'
import { LABEL_HISTORY } from './labels.ts'

export const HISTORY_HASH_BYTES = 32 // format: of SHA-512

/** One entry as it is kept: `text` is the JSON of number, time and event, and the hash covers just these bytes. */
export interface HistoryEntry {
  readonly text: string
  /** 64 hex digits, of this text behind the hash of the entry before. */
  readonly hash: string
}

/** The hash in front of the first entry. */
export const HISTORY_START: Uint8Array = new Uint8Array(HISTORY_HASH_BYTES)

/**
 * First 32 bytes of SHA-512 over LABEL_HISTORY, the hash of the entry before, and the text in UTF-8.
 * @param before 32 bytes; zeros in front of the first entry
 */
export function hashEntry(before: Uint8Array, text: string, engine: Engine): Uint8Array {
  return engine.sha512(LABEL_HISTORY, before, encodeUtf8(text)).subarray(0, HISTORY_HASH_BYTES)
}

/**
 * Whether an entry follows on the one before.
 * @param before 32 bytes
 * @returns its hash, to go on with; null when text or hash was altered, or an entry left out
 */
export function checkEntry(before: Uint8Array, entry: HistoryEntry, engine: Engine): Uint8Array | null {
  const hash = hashEntry(before, entry.text, engine)
  const kept = parseHex(entry.hash)
  return kept !== null && equalBytes(kept, hash) ? hash : null
}
