/** Device tokens are signed for the clock of the relay: a call that it refuses for its time is made once more by the time that it names. */
import type { RelayClient } from './client.ts'
import { RelayError } from './errors.ts'
import type { RefusedBy } from './read-answer.ts'

/** The details of a refusal's error: `retryAfterSec`, and `relaySec`, the relay's time, where the relay named them. */
export function detailsOf({ retryAfter, now }: RefusedBy<string>): Readonly<Record<string, number>> {
  return {
    ...(retryAfter === undefined ? {} : { retryAfterSec: retryAfter }),
    ...(now === undefined ? {} : { relaySec: now }),
  }
}

/** Makes a call with a token for this second by the relay's clock. @throws {RelayError} whatever the call throws */
export async function withTokenClock<Result>(
  client: RelayClient,
  call: (nowSec: number) => Promise<Result>,
): Promise<Result> {
  try {
    return await call(client.relaySec())
  } catch (error) {
    const relaySec = error instanceof RelayError ? error.details['relaySec'] : undefined
    if (typeof relaySec !== 'number') throw error
    // The relay's clock counts, for this relay only.
    client.noteTime(relaySec * 1000)
    return await call(relaySec)
  }
}
