/**
 * Succession: a new persona takes the place of the own one, named by the last key of the old chain. Only the recovery words of the old
 * persona give that key (docs/format.md, section 14). Crash order: the secrets file with the old key and the new seed, then the record and head of the new
 * persona, then the secrets of the new persona alone. {@link HeldKeys} finishes or undoes the rest at the next start.
 */
import { MAX_EPOCH } from '../../core/limits.ts'
import { makeStatement } from '../../core/succession/statement.ts'
import type { ChainPosition } from '../../core/chain.ts'
import { deriveSigningSeed } from '../../crypto/seed.ts'
import type { EditResult } from '../../ipc/shapes/own.ts'
import type { SuccessionWishes } from '../../ipc/shapes/rotation.ts'
import { StoreError } from '../../store/errors.ts'
import type { Keeper } from '../keeper/keeper.ts'
import { ownChain, withSeed } from './rotate.ts'

/**
 * Makes a new persona that follows the own one. On return the secrets of the old one are erased, and the new one has a seed whose words the
 * owner has to write down.
 * @param plan name of the plan that the owner has seen
 * @param words the 24 recovery words of the present persona; null if this device still has their seed. The caller must not keep them
 * @throws {KeeperError} NO_PERSONA | LOCKED {OwnPersonaError} PLAN_CHANGED | RESTORE_UNRECONCILED | PERSONA_SUCCEEDED | ROTATION_TOO_LARGE
 * @throws {RotationError} WORDS_NEEDED | WORDS_FOREIGN {CryptoError} WORDS_COUNT | WORDS_UNKNOWN | WORDS_CHECKSUM {StoreError}
 */
export async function succeed(
  keeper: Keeper,
  wishes: SuccessionWishes,
  plan: string,
  words: string | null,
): Promise<EditResult> {
  const { custody, keys } = keeper
  return await keys.inTurn(async () => {
    await keeper.changeKeys(() => keeper.own.succession.check(wishes, plan))
    return await withSeed(keeper, words, async (seed) => {
      const chain = ownChain(keeper, seed)
      await custody.successor.draw()
      // Crash here: the old key and the new seed are on disk, and the store has the old persona. The next start drops the new seed.
      const first = custody.successor.position()!
      const statement = statementOf(keeper, seed, chain, first)
      const result = await changeOrDrop(keeper, () =>
        keeper.own.succession.apply(wishes, plan, {
          first,
          statement,
          sign: (message) => custody.successor.sign(message),
        }),
      )
      // Crash here: the store has the new persona. The next start erases the secrets of the old one.
      await keys.endSuccessionNow()
      return result
    })
  })
}

/** Signed by the last key of the old persona, which exists only while this runs. */
function statementOf(
  { engine }: Keeper,
  seed: Uint8Array,
  chain: readonly ChainPosition[],
  first: ChainPosition,
): Uint8Array {
  const lastSeed = deriveSigningSeed(seed, MAX_EPOCH, engine)
  const { secretKey } = engine.signKeyPair(lastSeed)
  engine.wipe(lastSeed)
  try {
    const successor = { personaId: first.personaId, root: first.next }
    return makeStatement(chain[MAX_EPOCH]!, chain[0]!.next, successor, (message) => engine.sign(message, secretKey))
  } finally {
    engine.wipe(secretKey)
  }
}

/** Runs the change. If it throws, drops the new seed; after a failed write the next start decides. */
async function changeOrDrop<T>(keeper: Keeper, decide: () => T): Promise<T> {
  try {
    return await keeper.changeKeys(decide)
  } catch (error) {
    if (!(error instanceof StoreError)) await keeper.custody.successor.drop().catch(() => {})
    throw error
  }
}
