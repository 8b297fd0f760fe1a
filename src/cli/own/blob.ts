/** `persona blob`: prints the status message for all devices of the owner. */
import { MAX_STATUS_BYTES } from '../../core/limits.ts'
import { withDaemon } from '../io/connect.ts'
import { printText, remark, type Context } from '../io/context.ts'
import { EXIT_DONE } from '../io/errors.ts'

/** Prints only the text, ready to paste into a client. */
export async function blob(context: Context, options: { readonly text?: string }): Promise<number> {
  const words = options.text ?? ''
  const status = await withDaemon(context, (client) => client.call('blob.get', { words }))
  printText(context, status, status.text)
  remark(context, `(${status.bytes} of ${MAX_STATUS_BYTES} bytes)`)
  return EXIT_DONE
}
