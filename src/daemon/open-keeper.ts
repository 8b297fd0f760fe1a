/** Opens the keeper: loads the state from disk, then finishes everything that a crash interrupted. This is the only way to a keeper. */
import { CustodyError } from './custody/errors.ts'
import { finishRevocations } from './apps/methods.ts'
import type { Place } from './keeper/copy-check.ts'
import { Keeper, type KeeperOptions } from './keeper/keeper.ts'
import { clearArrivals, applyArrivals } from './snapshot/arrivals.ts'
import { seedState } from './own/seed.ts'
import { IMPORT } from './state/local-records.ts'
import { rebuildSalvaged } from './state/rebuild.ts'
import * as salvaged from '../store/salvage/mark.ts'

/**
 * @param place the place of the state, to notice a copy; null skips that check
 * @throws {CustodyError} SECRETS_MISSING | SECRETS_FOREIGN @throws {StoreError}
 */
export async function openKeeper(options: KeeperOptions, place: Place | null): Promise<Keeper> {
  const isSalvaged = salvaged.isSalvaged(options.store)
  if (isSalvaged) await rebuildSalvaged(options.store, options.engine)
  const keeper = await Keeper.load(options)
  const { state, own: persona, custody } = keeper
  await finishImport(keeper)
  if (state.own()?.recent !== undefined) await state.change(() => persona.separatePast())
  const own = state.own()
  const isCopied = isSalvaged || (await place?.isCopied(keeper)) === true
  if (own === undefined && custody.hasSecrets) {
    if (isCopied) throw secretsOfLater()
    // Crash in the middle of init: the keys are on disk but the persona is not, and nobody has seen its recovery words.
    await custody.discard()
  }
  if (own !== undefined && !custody.hasSecrets) {
    const hint = 'put the file "secrets" back from a backup'
    throw new CustodyError(
      'SECRETS_MISSING',
      'the store has a persona, but the file with its signing key is gone',
      hint,
    )
  }
  await keeper.keys.inTurn(() => keeper.keys.endSuccessionNow())
  if (own !== undefined) custody.checkKey(own.epoch, own.signingKey)
  if (own?.recoveryConfirmed === true) await custody.seed.erase()
  else if (own?.hadSeed === false && seedState(keeper) === 'here') {
    await state.change(() => persona.noteSeed())
  }
  await finishRevocations(keeper)
  await place?.begin(keeper, isCopied)
  await keeper.keys.eraseSpentKeys()
  return keeper
}

/** Finishes or discards an import that a crash interrupted. */
async function finishImport({ state, own }: Keeper): Promise<void> {
  const record = state.records.imports.get(IMPORT)
  if (record === undefined) return
  if (record.state === 'arriving') await clearArrivals(state)
  else await applyArrivals(record, own, state, async (decide) => void (await state.change(decide)))
}

/** An older store was put back beside the keys of a persona that it does not have yet: these keys may be the only ones. */
function secretsOfLater(): CustodyError {
  const hint = 'put store and secrets back from one backup; to begin without that persona, move the file "secrets" away'
  return new CustodyError(
    'SECRETS_FOREIGN',
    'the store was put back from a copy without the persona that the secrets file belongs to',
    hint,
  )
}
