/** Channels and invites whose other side did not hear that the owner left or erased the persona, and cards that still list this device. */
import type { Unreached } from '../../ipc/shapes/rotation.ts'
import { escapeText } from '../io/escape.ts'

export function formatUnreached(unreached: readonly Unreached[]): string[] {
  if (unreached.length === 0) return []
  const lines = unreached.map(({ kind, app, name }) => `  ${subjectOf(kind, name)} (${escapeText(app)})`)
  return ['These did not answer, so the other side may still believe that you are there:', ...lines]
}

function subjectOf(kind: Unreached['kind'], name: string): string {
  if (kind !== 'card') return `${kind} ${escapeText(name)}`
  return name === '' ? 'your card, which could not be signed' : `your card at ${escapeText(name)}`
}
