/** A box whose owner reads it at several relays: what is sent goes to all of them, so that one may be down. */
import type { BoxKey } from '../seal/box-key.ts'
import type { RelayClient } from './client.ts'
import { RelayError } from './errors.ts'

export interface Place {
  readonly client: RelayClient
  /** The right to send there, or null. */
  readonly ext: string | null
}

export interface Posted {
  readonly place: Place
  /** Null where the relay has the message. */
  readonly error: RelayError | null
}

/**
 * Leaves the same bytes at each relay, at once. The reader sees them once for each, and knows them by their content.
 * @returns what came of each, in the order of the places: the caller repeats those whose error passes
 * @throws the reason of the signal
 */
export async function postToAll(
  places: readonly Place[],
  key: BoxKey,
  data: Uint8Array,
  signal?: AbortSignal,
): Promise<Posted[]> {
  return await Promise.all(
    places.map(async (place) => {
      try {
        await place.client.post(key, data, { ext: place.ext, signal })
        return { place, error: null }
      } catch (error) {
        if (error instanceof RelayError) return { place, error }
        throw error
      }
    }),
  )
}
