/**
 * Limits how many entries of the history one contact causes (docs/ipc.md, section 4, History). Subscribers get every event; what the
 * history leaves out, one entry makes good once the contact has room again: read the contact anew.
 */
import { Quota } from '../../process/quota.ts'
import type { Write } from '../../store/store.ts'
import { isByOwner } from './kept-entries.ts'
import type { NewEvent } from './new-event.ts'
import type { NoisyRecord } from './local-records.ts'
import type { Records } from './records.ts'

// sanity: the first table of a contact makes one entry, and a later one an entry for each new device
const ENTRIES = { burst: 8, perSec: 1 / 60 } as const

/** The own persona, as a contact: its tables may come from a sibling in foreign hands. */
export const OWN_NOISE = 'own'

/** The part of the state that the limits use. */
export interface NoiseHost {
  readonly records: Pick<Records, 'noisy'>
  readonly nowSec: number
  stage(write: Write): void
}

export class Noise {
  readonly #state: NoiseHost
  readonly #events: ReadonlyMap<string, boolean>
  readonly #quota: Quota

  /** @param events every event, and whether the history keeps it */
  constructor(state: NoiseHost, events: ReadonlyMap<string, boolean>) {
    this.#state = state
    this.#events = events
    this.#quota = new Quota(ENTRIES, () => state.nowSec)
  }

  /**
   * The events that the history keeps. Where there is little room, `contact.changed` goes first: it has the other news of the contact too.
   * Inside of a change.
   */
  keptOf(events: readonly NewEvent[]): ReadonlySet<NewEvent> {
    const isWhole = ({ event }: NewEvent): boolean => event === 'contact.changed'
    const ordered = [...events.filter(isWhole), ...events.filter((event) => !isWhole(event))]
    return new Set(ordered.filter((event) => this.#keeps(event)))
  }

  /** If a contact is too noisy, it notes that the contact must be read anew. */
  #keeps(event: NewEvent): boolean {
    if (this.#events.get(event.event) === false) return false
    const id = noiseOf(event)
    if (id === null || this.#quota.take(id)) return true
    if (event.event === 'alarm') return false
    const { noisy } = this.#state.records
    const source = 'source' in event.data ? event.data.source : ''
    if (noisy.get(id)?.source !== source) this.#state.stage(noisy.put(id, { source }))
    return false
  }

  /** The note about a noisy contact, if there is room for an entry again; it is removed. Inside of a change. */
  end(id: string): NoisyRecord | null {
    const { noisy } = this.#state.records
    const record = noisy.get(id)
    if (record === undefined || this.#quota.waitSec(id) > 0) return null
    this.#state.stage(noisy.remove(id))
    return record
  }
}

/**
 * The cause of an event: the PersonaID, or the key of a friend without a persona, and for an alarm also its code, so that no other news
 * keeps an alarm out. Null for what only the owner, or this daemon itself, does.
 */
export function noiseOf(news: NewEvent): string | null {
  const { event, data } = news
  if (event === 'contact.changed') {
    if (isByOwner(data.changes)) return null
    const { personaId, devices, others } = data.contact
    return personaId ?? devices[0]?.key ?? others[0]?.key ?? null
  }
  if (event === 'device.added' || event === 'clock') return data.personaId
  if (event === 'pending.new') return data.key ?? data.personaId
  if (event === 'alarm') return `${data.code} ${data.personaId ?? ''}`
  if (event === 'own.changed')
    return data.cause === 'sibling' || data.cause === 'replay' || data.cause === 'card' ? OWN_NOISE : null
  return null
}
