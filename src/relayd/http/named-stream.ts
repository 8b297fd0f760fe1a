/** The stream that an owner names in a `receive`: once the answer was right, it gives the messages of that box (docs/relay.md, "Waiting"). */
import type { BoxAnswer } from '../../relay/wire.ts'
import type { Awaited } from '../boxes/box-service.ts'

/**
 * @param body of a `POST /` that has this answer
 * @returns null unless the answer proves that its client holds the key of the box, and a stream is named
 */
export function namedStream(
  body: unknown,
  answer: BoxAnswer,
): { readonly name: string; readonly from: Awaited } | null {
  if (!answer.ok || !('at' in answer)) return null
  const { stream, pub } = body as { readonly stream?: string; readonly pub: string }
  if (stream === undefined) return null
  return { name: stream, from: { pub, at: answer.messages?.at(-1)?.at ?? answer.at } }
}
