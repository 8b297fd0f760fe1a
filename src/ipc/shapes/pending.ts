/** Pending changes on the socket (docs/ipc.md, section 3, pending). */
import * as z from '../../schema/zod.ts'
import { keyHex } from './scalars.ts'
import { changeKind, type ChangeKind } from './judged.ts'
import { elsewhereReport, tableDevice, type ElsewhereReport, type Policy, type TableDevice } from './contact.ts'

/**
 * - `update`: a newer table of a contact. The contact's policy holds it back.
 * - `upgrade`: a friend without a persona shows one. The entry's policy holds it back.
 * - `held`: a table too far ahead of the head to be accepted without asking.
 * - `elsewhere`: what the owner decided about the contact on another device, as that device reports it.
 * - `successor`: another persona shows a statement that it follows the contact.
 */
export type PendingKind = 'update' | 'upgrade' | 'held' | 'elsewhere' | 'successor'
export const PENDING_KINDS: readonly PendingKind[] = ['update', 'upgrade', 'held', 'elsewhere', 'successor']

export interface PendingUpdate {
  kind: PendingKind
  /** Name of the entry. */
  contact: string
  /** The persona of the table; for `successor` and `upgrade` not that of the contact. */
  personaId: string
  /** Only for `upgrade`: the device that shows the persona; else null. */
  key: string | null
  policy: Policy
  /** When it began to wait; for `held` the writer's time. */
  sinceSec: number
  epoch: number
  seq: number
  timeSec: number
  /** T; for `elsewhere` a hash of the report. The answer repeats it to say what the owner looked at. */
  tableHash: string
  /** The whole table that the owner would accept. */
  devices: TableDevice[]
  /** Its differences from what apps see now. */
  changes: { kind: ChangeKind; key: string | null; name: string | null; was?: string }[]
  /** Only for `elsewhere`. */
  elsewhere?: ElsewhereReport
  /** Only for `successor`: only the recovery words can have signed the statement, or also a thief of a device that had the last key. */
  signedBy?: 'words' | 'words-or-thief'
}

export const pendingKind: z.ZodType<PendingKind> = z.enum(['update', 'upgrade', 'held', 'elsewhere', 'successor'])

export const pendingUpdate: z.ZodType<PendingUpdate> = z.strictObject({
  kind: pendingKind,
  contact: z.string(),
  personaId: keyHex,
  key: keyHex.nullable(),
  policy: z.enum(['auto', 'ask', 'pin']),
  sinceSec: z.int().min(0),
  epoch: z.int().min(0),
  seq: z.int().min(0),
  timeSec: z.int().min(0),
  tableHash: keyHex,
  devices: z.array(tableDevice),
  changes: z.array(
    z.strictObject({
      kind: changeKind,
      key: keyHex.nullable(),
      name: z.string().nullable(),
      was: z.string().exactOptional(),
    }),
  ),
  elsewhere: elsewhereReport.exactOptional(),
  signedBy: z.enum(['words', 'words-or-thief']).exactOptional(),
})
