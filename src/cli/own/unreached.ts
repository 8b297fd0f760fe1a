/** Channels and invites whose other side did not hear that the owner left or erased the persona. */
import type { Unreached } from '../../ipc/shapes/rotation.ts'
import { escapeText } from '../io/escape.ts'

export function formatUnreached(unreached: readonly Unreached[]): string[] {
  if (unreached.length === 0) return []
  const lines = unreached.map(({ kind, app, name }) => `  ${kind} ${escapeText(name)} (${escapeText(app)})`)
  return ['These did not answer, so the other side may still believe that you are there:', ...lines]
}
