/** `persona blob`: prints the status message for all devices of the owner. */
import { MAX_STATUS_BYTES } from '../../core/limits.ts'
import { withDaemon } from '../io/connect.ts'
import { printText, remark, type Context } from '../io/context.ts'
import { EXIT_DONE } from '../io/errors.ts'

export interface BlobOptions {
  readonly text?: string
  /** Print a short status, which leads to the announced table. */
  readonly short?: true
}

/** Prints only the text, ready to paste into a client. */
export async function blob(context: Context, options: BlobOptions): Promise<number> {
  const params = { words: options.text ?? '', ...(options.short === true ? { short: true } : {}) }
  const status = await withDaemon(context, (client) => client.call('blob.get', params))
  printText(context, status, status.text)
  remark(context, `(${status.bytes} of ${MAX_STATUS_BYTES} bytes)`)
  return EXIT_DONE
}
