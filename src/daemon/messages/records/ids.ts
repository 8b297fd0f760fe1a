/** Ids of records: in the clear, in the order of numbers, with hashes in place of names. */
import { encodeUtf8, formatHex } from '../../../core/encoding/bytes.ts'
import type { Sha256 } from '../../../core/engine.ts'

const DIGITS = 14 // format: as many as the greatest safe integer has in hex, so that the order of ids is the order of numbers
const HASH_BYTES = 16 // sanity: two of one app never meet by chance

/** The id of a record of an app, under numbers. */
export function numbered(app: string, ...numbers: readonly number[]): string {
  return [app, ...numbers.map((number) => number.toString(16).padStart(DIGITS, '0'))].join('/')
}

/** The last number of such an id. */
export function lastNumberIn(id: string): number {
  return Number.parseInt(id.slice(id.lastIndexOf('/') + 1), 16)
}

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
