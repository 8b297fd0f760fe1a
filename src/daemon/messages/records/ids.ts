/** Ids of records, which are in the clear: hashes stand in place of names. */
import { encodeUtf8, formatHex } from '../../../core/encoding/bytes.ts'
import type { Sha256 } from '../../../core/engine.ts'

const HASH_BYTES = 16 // sanity: two of one app never meet by chance

/** The id of a record of an app, by a text that must not stand on the disk. */
export function hashed(app: string, text: string, engine: Sha256): string {
  return `${app}/${formatHex(engine.sha256(encodeUtf8(`${app} ${text}`)).subarray(0, HASH_BYTES)).toLowerCase()}`
}

/**
 * Names the object that an entry leads to. The sender and the hash are part of it: whoever learns an id, such as the operator of a store, keeps
 * nobody from the true object by an entry of their own.
 */
export function objectName({
  from,
  id,
  hash,
}: {
  readonly from: string
  readonly id: string
  readonly hash: string
}): string {
  return `${from} ${id} ${hash}`
}

export function appIn(id: string): string {
  return id.slice(0, id.indexOf('/'))
}
