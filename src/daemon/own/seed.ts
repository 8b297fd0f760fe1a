/** The seed of the recovery words on this device: whether it is here, and whether it is the own persona's. */
import { CustodyError } from '../custody/errors.ts'
import { equalBytes, parseHex } from '../../core/encoding/bytes.ts'
import type { ChainPosition } from '../../core/chain.ts'
import type { CryptoEngine } from '../../crypto/engine.ts'
import type { Custody } from '../custody/custody.ts'
import { chainOfSeed } from '../custody/seed-chain.ts'
import type { PersonaRecord } from '../state/persona-record.ts'
import type { Records } from '../state/records.ts'
import { ownOf } from '../state/view.ts'

/**
 * `locked`: it may be here. `here`: it is the own persona's. `foreign`: the file is another persona's. `erased`: the words were confirmed.
 * `lost`: it was here, and its file is gone before the words were confirmed. `elsewhere`: it never was here.
 */
export type SeedState = 'locked' | 'here' | 'foreign' | 'erased' | 'lost' | 'elsewhere'

/** The part of the keeper that this uses. */
export interface SeedKeeper {
  readonly custody: Custody
  readonly engine: CryptoEngine
  readonly onDisk: Records
}

/** @returns null without a persona */
export function seedState({ custody, engine, onDisk }: SeedKeeper): SeedState | null {
  const found = ownOf(onDisk)
  if (found === null) return null
  const { own, persona } = found
  if (custody.isLocked) return 'locked'
  const isOwn = custody.seed.lookAt((seed) => isChainOf(persona, chainOfSeed(seed, engine)))
  if (isOwn !== null) return isOwn ? 'here' : 'foreign'
  if (own.recoveryConfirmed) return 'erased'
  return own.hadSeed ? 'lost' : 'elsewhere'
}

/**
 * Refuses a seed file of another persona, before anything of it is shown, confirmed or used.
 * @throws {CustodyError} SECRETS_FOREIGN
 */
export function checkSeed(keeper: SeedKeeper): SeedState | null {
  const state = seedState(keeper)
  if (state === 'foreign') throw new CustodyError('SECRETS_FOREIGN', FOREIGN_SEED.message, FOREIGN_SEED.hint)
  return state
}

/** Whether the chain begins with the PersonaID and c_0 of this persona. */
export function isChainOf(
  persona: Pick<PersonaRecord, 'personaId' | 'root'>,
  chain: readonly ChainPosition[],
): boolean {
  const [first] = chain
  const [personaId, root] = [parseHex(persona.personaId), parseHex(persona.root)]
  if (first === undefined || personaId === null || root === null) return false
  return equalBytes(first.personaId, personaId) && equalBytes(first.next, root)
}

export const FOREIGN_SEED = {
  message: 'the file "seed" on this device holds the recovery words of another persona',
  hint: 'put back the file "seed" that belongs to this store',
}

export const LOST_SEED = {
  message: 'the file "seed" is gone from this device, and its recovery words were never confirmed',
  hint: 'put the file "seed" back from a copy of the state directory, then write down the words and confirm them',
}
