/** When the apps key is open: `custody.apps` in the configuration. */
import type { SealMode } from '../../crypto/seal.ts'

export const APPS_SETTINGS = ['start', 'unlock', 'locked'] as const

/**
 * start: from the start of the daemon on, so its file opens without a passphrase. unlock: from the first unlock until the daemon ends.
 * locked: while the signing key is open. Without a passphrase the three are the same.
 */
export type AppsSetting = (typeof APPS_SETTINGS)[number]

/**
 * @param chosen null if the owner chose none
 * @param mode how the secrets are sealed; null without secrets
 */
export function settingFor(chosen: AppsSetting | null, mode: SealMode | null): AppsSetting {
  return chosen ?? (mode === 'passphrase' ? 'unlock' : 'start')
}

/** Whether the apps key opens only with the passphrase. */
export function needsPassphrase(chosen: AppsSetting | null, mode: SealMode | null): boolean {
  return mode === 'passphrase' && settingFor(chosen, mode) !== 'start'
}
