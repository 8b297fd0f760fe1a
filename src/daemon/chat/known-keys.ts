/** Keys of other people, by the names that the owner gave them: invites between two keys need them. */
import type { KnownKey } from '../../ipc/methods/chat.ts'
import type { Keeper } from '../keeper/keeper.ts'
import { hashed } from '../sealed/hashed.ts'
import type { SealedRecords } from '../sealed/records.ts'
import { KNOWN_KEY } from './kinds.ts'

const SCOPE = 'key'

/** Notes a key. An earlier one under the same name is replaced. */
export async function noteKey(known: KnownKey, keeper: Keeper, sealed: SealedRecords): Promise<void> {
  const id = hashed(SCOPE, known.name.normalize('NFC').toLowerCase(), keeper.engine)
  await keeper.change(() => sealed.inChange(KNOWN_KEY).put(id, known))
}

export async function knownKeys(sealed: SealedRecords): Promise<KnownKey[]> {
  return (await Array.fromAsync(sealed.onDisk(KNOWN_KEY).iterate())).map(([, known]) => known)
}
