/** Entries and their names: each name leads to one contact, whoever made it (docs/ipc.md, section 4). Inside of a change. */
import { joinEntries, type ContactEntry, type Policy } from '../../core/trust.ts'
import { foldName, tidyName } from './name-form.ts'
import { KeeperError } from './errors.ts'
import type { Write } from '../../store/store.ts'
import type { NameRecord, Records } from './records.ts'

/** What the names need of the state that they are part of. */
export interface NameHost {
  readonly records: Pick<Records, 'names'>
  readonly defaultPolicy: Policy
  readonly nowSec: number
  stage(write: Write): void
}

export class Names {
  readonly #state: NameHost

  constructor(state: NameHost) {
    this.#state = state
  }

  /** A new entry under the name a client knows, made unique by `#2`, `#3`, ...; the name leads to the record from now on. */
  make(name: string, leadsTo: NameRecord): ContactEntry {
    const unique = this.#freeName(tidyName(name))
    this.#point(unique, leadsTo)
    return {
      name: unique,
      aliases: [],
      policy: this.#state.defaultPolicy,
      blocked: false,
      createdSec: this.#state.nowSec,
    }
  }

  // Not one number after the other: the ten-thousandth friend of one name would cost ten thousand reads.
  #freeName(base: string): string {
    const nth = (n: number): string => (n === 1 ? base : `${base}#${n}`)
    const isTaken = (n: number): boolean => this.#state.records.names.get(foldName(nth(n))) !== undefined
    if (!isTaken(1)) return base
    let [taken, free] = [1, 2]
    while (isTaken(free)) [taken, free] = [free, 2 * free]
    while (free - taken > 1) {
      const middle = Math.floor((taken + free) / 2)
      if (isTaken(middle)) taken = middle
      else free = middle
    }
    return nth(free)
  }

  /** Refuses a name that the owner wants for one contact and that leads to another. @throws {KeeperError} NAME_TAKEN */
  checkFree(name: string, leadsTo: NameRecord): void {
    if (this.#isFree(tidyName(name), leadsTo)) return
    throw new KeeperError('NAME_TAKEN', `the name "${tidyName(name)}" is another contact's`, 'choose another name')
  }

  /** Whether a name leads nowhere yet, or to this record. */
  #isFree(name: string, leadsTo: NameRecord): boolean {
    const holder = this.#state.records.names.get(foldName(name))
    return holder === undefined || (holder.kind === leadsTo.kind && holder.id === leadsTo.id)
  }

  /** The owner calls an entry otherwise; the name that it had leads nowhere any more. @throws {KeeperError} NAME_TAKEN */
  rename(entry: ContactEntry, name: string, leadsTo: NameRecord): ContactEntry {
    this.checkFree(name, leadsTo)
    const tidy = tidyName(name)
    const aliases = entry.aliases.filter((alias) => foldName(alias) !== foldName(tidy))
    this.#unpoint(entry.name)
    this.#point(tidy, leadsTo)
    return { ...entry, name: tidy, aliases }
  }

  /** The entry moves to another record, with all its names. */
  move(entry: ContactEntry, leadsTo: NameRecord): ContactEntry {
    for (const name of [entry.name, ...entry.aliases]) this.#point(name, leadsTo)
    return entry
  }

  /** Two entries turn out to be one persona's. */
  join(kept: ContactEntry, other: ContactEntry, leadsTo: NameRecord): ContactEntry {
    const joined = joinEntries(kept, other)
    this.#dropNames([kept, other], joined)
    return this.move(joined, leadsTo)
  }

  /**
   * An entry as another device has it: a name that is somebody else's here is made unique, such an alias is left out.
   * @param before what it takes the place of here
   */
  adopt(entry: ContactEntry, leadsTo: NameRecord, before: ContactEntry | null = null): ContactEntry {
    const name = this.#isFree(entry.name, leadsTo) ? entry.name : this.#freeName(tidyName(entry.name))
    if (before !== null) this.#dropNames([before], entry)
    return this.move(
      { ...entry, name, aliases: entry.aliases.filter((alias) => this.#isFree(alias, leadsTo)) },
      leadsTo,
    )
  }

  /** The names of an entry lead nowhere any more. */
  drop(entry: ContactEntry): void {
    for (const name of [entry.name, ...entry.aliases]) this.#unpoint(name)
  }

  /** Names for which there was no room lead nowhere any more. */
  #dropNames(before: readonly ContactEntry[], after: ContactEntry): void {
    const stay = new Set([after.name, ...after.aliases].map(foldName))
    for (const name of before.flatMap((entry) => [entry.name, ...entry.aliases])) {
      if (!stay.has(foldName(name))) this.#unpoint(name)
    }
  }

  #unpoint(name: string): void {
    this.#state.stage(this.#state.records.names.remove(foldName(name)))
  }

  #point(name: string, leadsTo: NameRecord): void {
    this.#state.stage(this.#state.records.names.put(foldName(name), leadsTo))
  }
}
