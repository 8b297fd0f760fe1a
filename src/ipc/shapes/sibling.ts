/** What siblings tell each other by hand, as it travels over the socket (docs/ipc.md, section 4). */
import { z } from 'zod'
import { orderVerdict, type OrderVerdict } from './judged.ts'
import { statusMessage, type StatusMessage } from './own.ts'

export interface SyncResult {
  /** How the sibling's table stood against the own head; null when none was given. */
  verdict: OrderVerdict | null
  /** The head now, for the sibling. */
  status: StatusMessage
}

export const syncResult: z.ZodType<SyncResult> = z.strictObject({
  verdict: orderVerdict.nullable(),
  status: statusMessage,
})
