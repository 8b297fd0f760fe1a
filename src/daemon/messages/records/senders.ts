/** These may send: contacts, those whom the owner accepted for an app, and the own devices. All others ask first. */
import { OWN } from '../../state/own-record.ts'
import { currentId } from '../../state/view.ts'
import { onDisk, type MessagesMeans } from './means.ts'
import { hashed } from '../../sealed/hashed.ts'
import { REQUEST } from './kinds.ts'

export type Sender = 'own' | 'known' | 'blocked' | 'stranger'

export function senderKind(persona: string, app: string, means: MessagesMeans): Sender {
  const { keeper } = means
  const { onDisk: records } = keeper
  const now = currentId(persona, records)
  if (now === records.own.get(OWN)?.personaId) return 'own'
  const entry = records.personas.get(now)?.entry ?? null
  if (entry !== null) return entry.blocked ? 'blocked' : 'known'
  const answer = onDisk(means, REQUEST).get(hashed(app, persona, keeper.engine))?.state
  if (answer === 'accepted') return 'known'
  return answer === 'blocked' ? 'blocked' : 'stranger'
}

/** Whether somebody has sent while they were no contact, whatever the owner has answered. */
export function hasAsked(persona: string, app: string, means: MessagesMeans): boolean {
  return onDisk(means, REQUEST).get(hashed(app, persona, means.keeper.engine)) !== undefined
}

export function isBlocked(persona: string, app: string, means: MessagesMeans): boolean {
  return senderKind(persona, app, means) === 'blocked'
}
