/** The relay's store on LevelDB, in a directory of its own: with the lock, the anchor and the checks of src/store. */
import { openLevelStore, type Intercept } from '../../store/level-store.ts'
import { lockStateDir } from '../../store/lock.ts'
import { createStateDir } from '../../store/state-dir.ts'
import { RecordRelayStore, type StoreOptions } from './record-relay-store.ts'
import type { RelayStore } from '../store/relay-store.ts'

/**
 * Opens the store of a directory, and makes both if there are none.
 * @param intercept for tests: see openLevelStore
 * @throws {StoreError} STORE_LOCKED | STORE_MISSING | STORE_CORRUPT | STORE_LOST_WRITES | STORE_SCHEMA_NEWER | STORE_DISK_FULL | STORE_IO,
 *   and the codes of createStateDir
 */
export async function openLevelRelayStore(
  directory: string,
  options: StoreOptions,
  intercept?: Intercept,
): Promise<RelayStore> {
  await createStateDir(directory, '--dir')
  const lock = await lockStateDir(directory)
  try {
    return new RecordRelayStore(await openLevelStore(lock, intercept), options, () => lock.release())
  } catch (cause) {
    await lock.release()
    throw cause
  }
}
