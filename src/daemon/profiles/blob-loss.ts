/** Reports an own profile whose client replaced or cut the status message with the table. */
import type { Log } from '../../process/log.ts'
import type { KnownProfile, ProfileKeeper } from './known.ts'
import { describeLoss } from './shown.ts'

export interface BlobLossOptions {
  readonly keeper: ProfileKeeper
  readonly log: Log
  /** Whether the daemon writes the table back. */
  readonly repair: boolean
  /** Whether this process can see which clients run. */
  readonly seesClients: boolean
}

/** Emits a loss once for each status message, even if the client saves it again and again. */
export async function reportBlobLoss(
  known: KnownProfile,
  { keeper, log, repair, seesClients }: BlobLossOptions,
): Promise<void> {
  const { path, key, device } = known.view
  const state = known.shown?.state
  if (state !== 'none' && state !== 'damaged') {
    known.toldLoss = null
    return
  }
  if (key === null || device === null || known.toldLoss === known.text) return
  // A profile that never showed the table has lost nothing.
  if (state === 'none' && !keeper.hasShown(key)) return
  known.toldLoss = known.text
  const message = describeLoss(path, known.text, state, repair, seesClients)
  await keeper.emit({ event: 'profile.blob-lost', data: { path, key, device, state, message } })
  log.warn('profile.blob-lost', { message, path })
}
