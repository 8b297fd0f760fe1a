/** The way in which each part of the store in the database reads and writes. */
import type { Parts } from './parts.ts'
import { WantsToWrite } from './snapshot.ts'
import type { KeyRange } from './tables.ts'
import { TOTALS } from './totals.ts'
import type { Turns } from './turns.ts'

type Run<Result> = (parts: Parts) => Promise<Result>

export interface Access {
  /** Changes records. @param keys and the others as {@link Turns.take} has them */
  change<Result>(keys: readonly string[], run: Run<Result>, likely?: readonly KeyRange[]): Promise<Result>
  /** Reads records without a lock, and changes them only if `run` turns out to write. */
  look<Result>(keys: readonly string[], run: Run<Result>, likely?: readonly KeyRange[]): Promise<Result>
  /** Reads records without a lock. @returns null if `run` turned out to write: nothing is changed */
  onlyLook<Result>(
    keys: readonly string[],
    run: Run<Result>,
    likely?: readonly KeyRange[],
  ): Promise<{ readonly result: Result } | null>
}

export function accessOf(looks: Turns, changes: Turns): Access {
  const access: Access = {
    change: (keys, run, likely) => changes.take(keys, run, likely),
    look: async (keys, run, likely) => {
      const looked = await access.onlyLook(keys, run, likely)
      return looked === null ? await access.change([...keys, TOTALS], run, likely) : looked.result
    },
    onlyLook: async (keys, run, likely) => {
      try {
        return { result: await looks.take(keys, run, likely) }
      } catch (error) {
        if (error instanceof WantsToWrite) return null
        throw error
      }
    },
  }
  return access
}
