/** Leaving the persona: this device signs a last table without itself, then erases its secrets (docs/ipc.md, section 3, persona.leave). */
import { RotationError } from './errors.ts'
import type { Keeper } from '../keeper/keeper.ts'
import type { LeaveAnswer, Unreached } from '../../ipc/shapes/rotation.ts'

/** Lets others know that the owner leaves, as far as they can be reached. It must not throw. @returns the rest */
export type Farewell = () => Promise<Unreached[]>

/** The wings say it first: relays take nothing from a device that no card lists. */
export function farewellOf(
  wings: readonly { farewell?(): Promise<readonly Unreached[]> }[],
  cards: { farewell(): Promise<readonly Unreached[]> },
): Farewell {
  return async () => {
    const ofWings = await Promise.all(wings.map(async (wing) => (await wing.farewell?.()) ?? []))
    return [...ofWings.flat(), ...(await cards.farewell())]
  }
}

/**
 * Removes this device from the table and erases the secrets here. The table is on disk before any secret is erased.
 * @throws {KeeperError} NO_PERSONA {CustodyError} LOCKED {RotationError} RECOVERY_UNCONFIRMED @throws {StoreError}
 */
export async function leave(keeper: Keeper, farewell: Farewell): Promise<LeaveAnswer> {
  const left = await keeper.keys.inTurn(async () => {
    keeper.table()
    if (keeper.custody.hasSeed) {
      const message = 'the recovery words were never confirmed, so this device may hold the only copy'
      throw new RotationError('RECOVERY_UNCONFIRMED', message, 'write them down and confirm them first')
    }
    // The records of apps belong to this device, not to the persona, and must open without its secrets. Crash here: the next start seals them again.
    await keeper.custody.apps.release()
    const result = await keeper.changeKeys(() => keeper.own.leave())
    // Crash here: the next start finds secrets without a persona in the store, and discards them.
    await keeper.custody.discard()
    return result
  })
  // Channels do not need the persona's key. Crash here: peers find that nobody answers, as when a device is lost.
  return { ...left, unreached: await farewell() }
}
