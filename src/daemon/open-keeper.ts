/** The one way to a keeper: the state as it is on disk, and what a crash left half done finished, in this order. */
import { CustodyError } from './custody/errors.ts'
import { finishRevocations } from './apps/methods.ts'
import { noticeCopy } from './keeper/copy-check.ts'
import { Keeper, type KeeperOptions } from './keeper/keeper.ts'
import { clearArrivals, applyArrivals } from './snapshot/arrivals.ts'
import { IMPORT, type PlaceRecord } from './state/records.ts'

/**
 * @param place where the state lies; null asks nothing
 * @throws {CustodyError} SECRETS_MISSING | SECRETS_FOREIGN @throws {StoreError}
 */
export async function openKeeper(options: KeeperOptions, place: PlaceRecord | null): Promise<Keeper> {
  const keeper = await Keeper.load(options)
  const { state, own: persona, custody } = keeper
  await finishImport(keeper)
  if (state.own()?.recent !== undefined) await state.change(() => persona.separatePast())
  const own = state.own()
  // Crash in the middle of init: the keys were written, the persona was not, and nobody has seen its words.
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

/** What a crash has left of an import: all of it is taken, or nothing. */
async function finishImport({ state, own }: Keeper): Promise<void> {
  const record = state.records.imports.get(IMPORT)
  if (record === undefined) return
  if (record.state === 'arriving') await clearArrivals(state)
  else await applyArrivals(record, own, state, async (decide) => void (await state.change(decide)))
}
