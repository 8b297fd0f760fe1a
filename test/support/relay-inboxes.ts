/** Inboxes of a relay's store for a test and the child that works with them. */
import { createHash } from 'node:crypto'
import { inboxIdOf, type OfferedEntry } from '../../src/relayd/store/inbox-store.ts'
import type { StoreLimits } from '../../src/relayd/store/rules.ts'

export const INBOX_DEVICES: readonly string[] = ['laptop', 'phone']
export const INBOX_OWNERS: readonly string[] = ['A1', 'B0', 'CA'].map((digits) => digits.repeat(32))
export const INBOX_IDS: readonly string[] = INBOX_OWNERS.map((persona) => inboxIdOf(persona, 'notes'))
export const MANY_ENTRIES: Pick<StoreLimits, 'maxEntries' | 'maxStrangers' | 'maxOfStranger'> = {
  maxEntries: 1e9,
  maxStrangers: 1e9,
  maxOfStranger: 1e9,
}

const SENDER = 'D5'.repeat(32)
const KEY = Buffer.alloc(32, 7).toString('base64url')
const PLACE = Buffer.alloc(16, 7).toString('base64url')
const SEALED = 'x'.repeat(460) // an id that is sealed to three devices

/** The entry of a number. No two have one body. */
export function inboxEntry(n: number): OfferedEntry {
  const encId = `${n}-${SEALED}`
  return { from: SENDER, kid: KEY, at: PLACE, bodyHash: createHash('sha256').update(encId).digest('base64url'), encId }
}
