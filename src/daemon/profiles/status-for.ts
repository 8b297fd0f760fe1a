/** The status message that an own profile should show: in the form that it shows now, with its words if they fit. */
import type { StatusMessage } from '../../ipc/shapes/own.ts'
import { statusWith } from '../../tox/save/status-message.ts'
import type { KnownProfile, ProfileKeeper } from './known.ts'
import { formOf } from './shown.ts'
import { wordsOf } from './words.ts'

export async function statusFor(
  known: KnownProfile,
  keeper: ProfileKeeper,
): Promise<{ status: StatusMessage; wordsDropped: boolean }> {
  const words = wordsOf(known, keeper)
  try {
    return await statusWith(words, (some) => keeper.statusMessage(some, formOf(known.text)))
  } catch (error) {
    // Once nothing is announced any more, a short status would lead nowhere.
    if (!(error instanceof Error && 'code' in error && error.code === 'NOT_ANNOUNCED')) throw error
    return await statusWith(words, (some) => keeper.statusMessage(some))
  }
}
