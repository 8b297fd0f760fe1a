/** Syncing with a sibling on the socket (docs/ipc.md, section 3, sibling). */
import * as z from '../../schema/zod.ts'
import { orderVerdict, type OrderVerdict } from './judged.ts'
import { statusMessage, type StatusMessage } from './own.ts'

export interface SyncResult {
  /** The sibling's table against the own head; null if none was given. */
  verdict: OrderVerdict | null
  /** The head now, for the sibling. */
  status: StatusMessage
}

export const syncResult: z.ZodType<SyncResult> = z.strictObject({
  verdict: orderVerdict.nullable(),
  status: statusMessage,
})
