/**
 * Rotation: a later key of the chain signs the next table. Only the recovery words give that key, so a thief of the present key is shut
 * out (docs/format.md, section 4). Crash order: the secrets file with both keys, then the head, then the secrets file without the old
 * key. {@link HeldKeys} finishes or discards the rest at the next start.
 */
import { RotationError } from './errors.ts'
import { equalBytes } from '../../core/encoding/bytes.ts'
import type { ChainPosition } from '../../core/chain.ts'
import type { CryptoEngine } from '../../crypto/engine.ts'
import { deriveSigningSeed, parseWords } from '../../crypto/seed.ts'
import { chainOfSeed } from '../custody/seed-chain.ts'
import type { Keeper } from '../keeper/keeper.ts'
import { checkSeed, isChainOf } from '../own/seed.ts'
import type { EditResult, OwnTable } from '../../ipc/shapes/own.ts'
import type { RotationWishes } from '../../ipc/shapes/rotation.ts'
import { StoreError } from '../../store/errors.ts'

/**
 * Rotates the key of the own persona, which shuts out everybody who has the present key. On return the old key is erased. After `recover`
 * it works too: it needs the owner's record, a head of any epoch, and open secrets to add the key to, but no key.
 * @param plan name of the plan that the owner has seen
 * @param words the 24 recovery words; null if this device still has the seed. A string cannot be wiped, so the caller must not keep it
 * @throws {KeeperError} NO_PERSONA | LOCKED | PLAN_CHANGED | WORDS_NEEDED | WORDS_FOREIGN, and those of planRotation
 * @throws {CryptoError} WORDS_COUNT | WORDS_UNKNOWN | WORDS_CHECKSUM @throws {StoreError}
 */
export async function rotate(
  keeper: Keeper,
  wishes: RotationWishes,
  plan: string,
  words: string | null,
): Promise<EditResult> {
  return await keeper.keys.inTurn(async () => {
    const { epoch } = await keeper.changeKeys(() => keeper.own.checkPlan(wishes, plan))
    return await withSeed(keeper, words, async (seed) => {
      const position = ownChain(keeper, seed)[epoch]!
      await addKeyOf(keeper, seed, epoch)
      // Crash here: both keys are on disk and the head is old. The next start erases the new one.
      const result = await changeOrDropKey(keeper, () => keeper.own.rotate(wishes, plan, position))
      await signForwards(keeper, seed, epoch)
      // Crash here: both keys and the new head. The next start erases the old one.
      await keeper.keys.eraseSpentKeysNow()
      return result
    })
  })
}

/**
 * Gets the key of the head from the recovery words, after a rotation elsewhere. From then on this device signs again, and replays the
 * edits made meanwhile.
 * @throws {KeeperError} NO_PERSONA {CustodyError} LOCKED {RotationError} NOTHING_TO_FOLLOW | WORDS_NEEDED | WORDS_FOREIGN @throws {CryptoError} WORDS_*
 */
export async function follow(keeper: Keeper, words: string | null): Promise<OwnTable> {
  return await keeper.keys.inTurn(async () => {
    const { epoch, personaId } = keeper.table()
    if (keeper.custody.publicKey(epoch) !== null) {
      const message = 'this device already holds the newest signing key that it knows of'
      throw new RotationError('NOTHING_TO_FOLLOW', message, 'show it a newer table first')
    }
    await withSeed(keeper, words, async (seed) => {
      const { signingKey } = ownChain(keeper, seed)[epoch]!
      const head = await keeper.changeKeys(() => keeper.own.headKey())
      if (!equalBytes(signingKey, head)) throw foreignWords(personaId)
      await addKeyOf(keeper, seed, epoch)
      // Crash here: the key is on disk, and the next start installs it.
      await keeper.keys.eraseSpentKeysNow()
    })
    return keeper.table()
  })
}

/**
 * Whether these words belong to the own persona. Changes nothing.
 * @throws {KeeperError} NO_PERSONA @throws {CryptoError} WORDS_COUNT | WORDS_UNKNOWN | WORDS_CHECKSUM
 */
export function checkWords(keeper: Keeper, words: string): boolean {
  const seed = seedOf(words, keeper.engine)
  try {
    return isChainOf(keeper.ownPersona(), chainOfSeed(seed, keeper.engine))
  } finally {
    keeper.engine.wipe(seed)
  }
}

/** Holds the seed in secret memory while `use` runs. */
export async function withSeed<T>(
  keeper: Keeper,
  words: string | null,
  use: (seed: Uint8Array) => Promise<T>,
): Promise<T> {
  if (words === null) checkSeed(keeper)
  const seed = words === null ? keeper.custody.seed.copy() : seedOf(words, keeper.engine)
  if (seed === null) {
    const hint = 'give the 24 words that you wrote down'
    throw new RotationError('WORDS_NEEDED', 'this needs the recovery words, and this device does not hold them', hint)
  }
  try {
    return await use(seed)
  } finally {
    keeper.engine.wipe(seed)
  }
}

/** @returns 32 bytes in secret memory; the caller wipes them */
export function seedOf(words: string, engine: CryptoEngine): Uint8Array {
  return parseWords(words, engine)
}

/** The chain of the seed, if it is the own persona's. @throws {RotationError} WORDS_FOREIGN */
export function ownChain(keeper: Keeper, seed: Uint8Array): ChainPosition[] {
  const persona = keeper.ownPersona()
  const chain = chainOfSeed(seed, keeper.engine)
  if (!isChainOf(persona, chain)) throw foreignWords(persona.personaId)
  return chain
}

function foreignWords(personaId: string): RotationError {
  const message = `these are the recovery words of another persona, not of ${personaId}`
  return new RotationError('WORDS_FOREIGN', message, 'look for the words of this persona')
}

/** The words give the keys of all earlier epochs for a moment. Each key may lead friends who stayed at its epoch to the new table. */
async function signForwards(keeper: Keeper, seed: Uint8Array, before: number): Promise<void> {
  const { engine } = keeper
  await keeper.changeKeys(() => {
    for (let epoch = 0; epoch < before; epoch++) {
      const signingSeed = deriveSigningSeed(seed, epoch, engine)
      const { publicKey, secretKey } = engine.signKeyPair(signingSeed)
      try {
        keeper.keys.spent({ epoch, publicKey, sign: (message) => engine.sign(message, secretKey) })
      } finally {
        engine.wipe(signingSeed)
        engine.wipe(secretKey)
      }
    }
  })
}

async function addKeyOf(keeper: Keeper, seed: Uint8Array, epoch: number): Promise<void> {
  const signingSeed = deriveSigningSeed(seed, epoch, keeper.engine)
  try {
    await keeper.custody.addKey(epoch, signingSeed)
  } finally {
    keeper.engine.wipe(signingSeed)
  }
}

/** Runs the change. If it throws, erases the key that was added for it; after a failed write the next start decides. */
async function changeOrDropKey<T>(keeper: Keeper, decide: () => T): Promise<T> {
  try {
    return await keeper.changeKeys(decide)
  } catch (error) {
    if (!(error instanceof StoreError)) await keeper.custody.keepOnly(keeper.table().epoch).catch(() => {})
    throw error
  }
}
