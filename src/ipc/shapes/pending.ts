/** What waits for the owner's answer, as it travels over the socket (docs/ipc.md, section 4, pending). */
import { z } from 'zod'
import { keyHex } from './scalars.ts'
import { changeKind, type ChangeKind } from './judged.ts'
import { tableDevice, type Policy, type TableDevice } from './contact.ts'

/**
 * - `update`: a newer table of a contact, which its policy holds back.
 * - `upgrade`: a friend without a persona shows one, which the policy of the entry holds back.
 * - `held`: a table too far ahead of the one before to be taken unasked.
 */
export type PendingKind = 'update' | 'upgrade' | 'held'
export const PENDING_KINDS: readonly PendingKind[] = ['update', 'upgrade', 'held']

export interface PendingUpdate {
  kind: PendingKind
  /** Name of the entry. */
  contact: string
  personaId: string
  /** The device that shows the persona; null but for `upgrade`. */
  key: string | null
  policy: Policy
  /** Since when it waits; of `held` the writer's time. */
  sinceSec: number
  epoch: number
  seq: number
  timeSec: number
  /** T, to say in the answer which table was looked at. */
  tableHash: string
  /** The whole table that would be taken. */
  devices: TableDevice[]
  /** How it differs from what apps see now. */
  changes: { kind: ChangeKind; key: string | null; name: string | null; was?: string }[]
}

export const pendingKind: z.ZodType<PendingKind> = z.enum(['update', 'upgrade', 'held'])

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
})
