/** Opens the keeper: loads the state from disk, then finishes everything that a crash interrupted. This is the only way to a keeper. */
import { CustodyError } from './custody/errors.ts'
import { finishRevocations } from './apps/methods.ts'
import { noticeCopy } from './keeper/copy-check.ts'
import { Keeper, type KeeperOptions } from './keeper/keeper.ts'
import { clearArrivals, applyArrivals } from './snapshot/arrivals.ts'
import { IMPORT, type PlaceRecord } from './state/records.ts'

/**
 * @param place the place of the state, to notice a copy; null skips that check
 * @throws {CustodyError} SECRETS_MISSING | SECRETS_FOREIGN @throws {StoreError}
 */
export async function openKeeper(options: KeeperOptions, place: PlaceRecord | null): Promise<Keeper> {
  const keeper = await Keeper.load(options)
  const { state, own: persona, custody } = keeper
  await finishImport(keeper)
  if (state.own()?.recent !== undefined) await state.change(() => persona.separatePast())
  const own = state.own()
  // Crash in the middle of init: the keys are on disk but the persona is not, and nobody has seen its recovery words.
  if (own === undefined && custody.hasSecrets) await custody.discard()
  if (own !== undefined && !custody.hasSecrets) {
    const hint = 'put the file "secrets" back from a backup'
    throw new CustodyError(
      'SECRETS_MISSING',
      'the store has a persona, but the file with its signing key is gone',
      hint,
    )
  }
  if (own !== undefined) custody.checkKey(own.epoch, own.signingKey)
  if (own?.recoveryConfirmed === true) await custody.eraseSeed()
  await finishRevocations(keeper)
  if (place !== null) await keeper.changeKeys(() => noticeCopy(place, persona, state))
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
