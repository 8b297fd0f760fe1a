/** The way in which each part of the store in the database reads and writes. */
import type { Parts } from './parts.ts'
import { WantsToWrite } from './snapshot.ts'
import type { Turns } from './turns.ts'

export interface Access {
  /** Changes records. @param keys and `run` as {@link Turns.take} has them */
  change<Result>(keys: readonly string[], run: (parts: Parts) => Promise<Result>): Promise<Result>
  /** Reads records without a lock, and changes them only if `run` turns out to write. */
  look<Result>(keys: readonly string[], run: (parts: Parts) => Promise<Result>): Promise<Result>
}

export function accessOf(looks: Turns, changes: Turns): Access {
  return {
    change: (keys, run) => changes.take(keys, run),
    look: async (keys, run) => {
      try {
        return await looks.take(keys, run)
      } catch (error) {
        if (!(error instanceof WantsToWrite)) throw error
        return await changes.take([...keys, 'total/all'], run)
      }
    },
  }
}
