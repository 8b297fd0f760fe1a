/** Names of contacts: each name belongs to one contact (docs/ipc.md, section 3). Use it only inside a change. */
import { joinEntries, type ContactEntry, type Policy } from '../../core/consent.ts'
import { foldName, tidyName } from './name-form.ts'
import { KeeperError } from './errors.ts'
import type { Write } from '../../store/store.ts'
import type { NameRecord } from './local-records.ts'
import type { Records } from './records.ts'

/** The part of the state that the names use. */
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

  /** Makes an entry under a client's name, made unique by `#2`, `#3`, ... From now on the name leads to the record. */
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

  // Searches by halving. Counting up would cost ten thousand reads for the ten-thousandth friend of one name.
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

  /** Refuses a name that leads to another contact. @throws {KeeperError} NAME_TAKEN */
  checkFree(name: string, leadsTo: NameRecord): void {
    if (this.#isFree(tidyName(name), leadsTo)) return
    throw new KeeperError('NAME_TAKEN', `the name "${tidyName(name)}" is another contact's`, 'choose another name')
  }

  /** Whether a name is unused, or leads to this record. */
  #isFree(name: string, leadsTo: NameRecord): boolean {
    const holder = this.#state.records.names.get(foldName(name))
    return holder === undefined || (holder.kind === leadsTo.kind && holder.id === leadsTo.id)
  }

  /** Renames an entry and frees its old name. @throws {KeeperError} NAME_TAKEN */
  rename(entry: ContactEntry, name: string, leadsTo: NameRecord): ContactEntry {
    this.checkFree(name, leadsTo)
    const tidy = tidyName(name)
    const aliases = entry.aliases.filter((alias) => foldName(alias) !== foldName(tidy))
    this.#unpoint(entry.name)
    this.#point(tidy, leadsTo)
    return { ...entry, name: tidy, aliases }
  }

  /** Points all names of an entry to another record. */
  move(entry: ContactEntry, leadsTo: NameRecord): ContactEntry {
    for (const name of [entry.name, ...entry.aliases]) this.#point(name, leadsTo)
    return entry
  }

  /** Joins two entries that turned out to be the same persona's. */
  join(kept: ContactEntry, other: ContactEntry, leadsTo: NameRecord): ContactEntry {
    const joined = joinEntries(kept, other)
    this.#dropNames([kept, other], joined)
    return this.move(joined, leadsTo)
  }

  /**
   * Imports an entry from another device. A name that another contact has here is made unique; such an alias is left out.
   * @param before the entry that it replaces here
   */
  import(entry: ContactEntry, leadsTo: NameRecord, before: ContactEntry | null = null): ContactEntry {
    const name = this.#isFree(entry.name, leadsTo) ? entry.name : this.#freeName(tidyName(entry.name))
    if (before !== null) this.#dropNames([before], entry)
    return this.move(
      { ...entry, name, aliases: entry.aliases.filter((alias) => this.#isFree(alias, leadsTo)) },
      leadsTo,
    )
  }

  /** Frees the names of an entry. */
  drop(entry: ContactEntry): void {
    for (const name of [entry.name, ...entry.aliases]) this.#unpoint(name)
  }

  /** Frees the names that did not fit into the new entry. */
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
