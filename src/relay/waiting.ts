/** Waits for messages for as long as the caller likes: by a stream where the relay has them, else by checks from time to time. */
import { RelayError } from './errors.ts'
import type { News, RelayClient, WaitingBox } from './client.ts'
import { pause } from './means.ts'
import { BackOff, isPassing } from './repeat.ts'

export interface WaitOptions {
  /** Between two rounds of checks, where the relay has no streams. */
  readonly checkMs?: number
  readonly signal?: AbortSignal
}

const CHECK_MS = 60_000 // format: the text's once a minute
const LASTING_MS = 60_000 // sanity: a stream that held for a minute shows that the relay works

/**
 * Gives news of boxes without an end, also over restarts of the relay and breaks of the network. It may tell of a box more than once.
 * @param boxes the boxes with their cursors, asked for at each new stream or round; 1..256
 * @throws {RelayError} what does not pass by waiting, such as RELAY_BAD_AT
 * @throws the reason of the signal
 */
export async function* waitForNews(
  client: RelayClient,
  boxes: () => readonly WaitingBox[],
  { checkMs = CHECK_MS, signal }: WaitOptions = {},
): AsyncGenerator<News, void, void> {
  const { clock, random } = client.means
  const backOff = new BackOff(random)
  for (;;) {
    const beganMs = clock.nowMs()
    try {
      for await (const news of client.wait(boxes(), { signal })) {
        yield news
      }
      // The relay ends a stream now and then. All its clients would come back at once without the pause.
      throw new RelayError('RELAY_UNREACHABLE', 'the relay ended the stream', { hint: 'wait again' })
    } catch (error) {
      if (hasNoStreams(error)) return yield* checkInRounds(client, boxes, checkMs, signal)
      if (!isPassing(error)) throw error
      if (clock.nowMs() - beganMs >= LASTING_MS) backOff.succeeded()
      await pause(clock, backOff.next(error), signal)
    }
  }
}

function hasNoStreams(error: unknown): boolean {
  return error instanceof RelayError && error.code === 'RELAY_STRANGE' && 'status' in error.details
}

async function* checkInRounds(
  client: RelayClient,
  boxes: () => readonly WaitingBox[],
  checkMs: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<News, void, void> {
  const { clock, random } = client.means
  const backOff = new BackOff(random)
  for (;;) {
    let waitMs = checkMs
    try {
      for (const { key, at } of boxes()) {
        const { found, question } = await client.check(key, at, { signal })
        if (found) yield { key, question, message: null }
      }
      backOff.succeeded()
    } catch (error) {
      if (!isPassing(error)) throw error
      waitMs = Math.max(checkMs, backOff.next(error))
    }
    await pause(clock, waitMs, signal)
  }
}
