/** The changes since the last round of all proposals: those that they are about are worked on, and no others. */
import type { DaemonEvent } from '../../../ipc/methods/events.ts'

/** Where a proposal, or a contact that may be proposed, would feel a change. */
export interface Touched {
  /** Ids of channels. */
  readonly channels: readonly (string | null | undefined)[]
  /** PersonaID of the contact. */
  readonly persona: string
  /** They are not taken by themselves, since somebody else has their name: any contact may give it up. */
  readonly isHeld?: boolean
}

export type IsMeant = (about: Touched) => boolean

/** The personas of the contact that an event is about, none for a contact without one; null for another event. */
export function changedPersonas({ event, data }: DaemonEvent): readonly string[] | null {
  // A contact that the owner has named under one persona is provided under the next one.
  if (event === 'contact.replaced') return [data.personaId, data.successor]
  if (event !== 'contact.changed' && event !== 'contact.forgotten') return null
  const { personaId } = event === 'contact.changed' ? data.contact : data
  return personaId === null ? [] : [personaId]
}

export class Woken {
  /** Everything may have changed. */
  #isAll = true
  #channels = new Set<string>()
  #personas = new Set<string>()
  #isContact = false

  all(): void {
    this.#isAll = true
  }

  channel(id: string): void {
    this.#channels.add(id)
  }

  /** @param personas of one contact */
  contact(personas: readonly string[]): void {
    this.#isContact = true
    for (const persona of personas) this.#personas.add(persona)
  }

  get isNone(): boolean {
    return !this.#isAll && !this.#isContact && this.#channels.size === 0
  }

  /** Begins anew. @returns tells whom the changes until now are about */
  take(): IsMeant {
    const [isAll, channels, personas, isContact] = [this.#isAll, this.#channels, this.#personas, this.#isContact]
    this.#isAll = false
    this.#channels = new Set()
    this.#personas = new Set()
    this.#isContact = false
    return (about) =>
      isAll ||
      personas.has(about.persona) ||
      (isContact && about.isHeld === true) ||
      about.channels.some((id) => typeof id === 'string' && channels.has(id))
  }
}
