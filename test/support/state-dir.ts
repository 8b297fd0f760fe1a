/** A locked state directory with a store, as the daemon has, for tests. */
import { openLevelStore } from '../../src/store/level-store.ts'
import type { Intercept } from '../../src/store/level-store.ts'
import { lockStateDir } from '../../src/store/lock.ts'
import { createStateDir } from '../../src/store/state-dir.ts'
import type { Store } from '../../src/store/store.ts'

export interface OpenState {
  readonly store: Store
  /** Closes the store and releases the lock. */
  readonly close: () => Promise<void>
}

/** Opens the store of a directory; creates both if needed. */
export async function openState(stateDir: string, intercept?: Intercept): Promise<OpenState> {
  await createStateDir(stateDir)
  const lock = await lockStateDir(stateDir)
  try {
    const store = await openLevelStore(lock, intercept)
    return {
      store,
      close: async () => {
        await store.close()
        await lock.release()
      },
    }
  } catch (cause) {
    await lock.release()
    throw cause
  }
}
