/**
 * Limits how many entries of the history one contact causes (docs/ipc.md, section 4, History). Subscribers get every event; what the
 * history leaves out, one entry makes good once the contact has room again: read the contact anew.
 */
import { Quota } from '../../process/quota.ts'
import type { NewEvent } from './new-event.ts'

// sanity: the first table of a contact makes one entry, and a later one an entry for each new device
const ENTRIES = { burst: 8, perSec: 1 / 60 } as const

/** The own persona, as a contact of {@link Noise}: its tables may come from a sibling in foreign hands. */
export const OWN_NOISE = 'own'

export class Noise {
  readonly #quota: Quota

  constructor(nowSec: () => number) {
    this.#quota = new Quota(ENTRIES, nowSec)
  }

  /** Whether the history has room for one more entry about this contact. It takes the room. */
  admits(id: string): boolean {
    return this.#quota.take(id)
  }

  /** Whether there is room, without taking it. */
  hasRoom(id: string): boolean {
    return this.#quota.waitSec(id) === 0
  }
}

/**
 * Whose doing an event is: the PersonaID, or the key of a friend without a persona, and for an alarm also its code, so that no other news
 * keeps an alarm out. Null for what only the owner, or this daemon itself, does.
 */
export function noiseOf(news: NewEvent): string | null {
  const { event, data } = news
  if (event === 'contact.changed') {
    const { personaId, devices, others } = data.contact
    return personaId ?? devices[0]?.key ?? others[0]?.key ?? null
  }
  if (event === 'device.added' || event === 'clock') return data.personaId
  if (event === 'pending.new') return data.key ?? data.personaId
  if (event === 'alarm') return `${data.code} ${data.personaId ?? ''}`
  if (event === 'own.changed') return data.cause === 'sibling' || data.cause === 'replay' ? OWN_NOISE : null
  return null
}
