/** Reads a box to its end, message by message, with a cursor that moves only over what was processed. */
import type { BoxKeyPair } from '../seal/key-pair.ts'
import type { RelayClient } from './client.ts'
import type { Received } from './read-answer.ts'

export interface ReadBoxOptions {
  /** A question that came with the news; it serves the first call. */
  readonly question?: string | null
  readonly signal?: AbortSignal
}

/**
 * Hands each message after `at` to `take`, the oldest first. Where `take` has returned, the message counts as processed: the next call lets
 * the relay delete it. A crash before that brings it again.
 * @param take keeps what it needs, and `message.at` as the new cursor, before it returns
 * @returns the cursor after the last message
 * @throws {RelayError} as {@link RelayClient.receive}; whatever `take` throws ends the reading
 */
export async function readBox(
  client: RelayClient,
  pair: BoxKeyPair,
  at: number,
  take: (message: Received) => Promise<void> | void,
  { question = null, signal }: ReadBoxOptions = {},
): Promise<number> {
  let cursor = at
  let fresh = question
  for (;;) {
    const messages = await client.receive(pair, cursor, { question: fresh, signal })
    fresh = null
    for (const message of messages) {
      signal?.throwIfAborted()
      await take(message)
      cursor = message.at
    }
    // The last call finds nothing, and so the relay has deleted all that was processed.
    if (messages.length === 0) return cursor
  }
}
