/** A carrier in memory that costs next to nothing, and holds its news back until they are asked for: so each side is measured alone. */
import type { Arrival, Line, OwnIntake, Watch, Watched } from '../src/channel/carriers/carrier.ts'
import { MemoryCarrier } from '../test/support/memory-carrier.ts'

export class HeldCarrier extends MemoryCarrier {
  /** By the URL of the intake. */
  readonly #watched = new Map<string, Watched>()
  #tell: (watched: Watched) => void = () => {}
  /** URLs with news; null while nothing is held. */
  #held: Set<string> | null = null

  override watch(lines: () => readonly Watched[], onNews: (watched: Watched) => void): Watch {
    this.#tell = onNews
    const changed = (): void => {
      for (const watched of lines()) {
        if (this.#watched.has(watched.own.url)) continue
        this.#watched.set(watched.own.url, watched)
        this.news(watched.own.url)
      }
    }
    changed()
    return { changed }
  }

  override news(url: string): void {
    const watched = this.#watched.get(url)
    if (watched === undefined) return
    if (this.#held === null) this.#tell(watched)
    else this.#held.add(url)
  }

  /** Drops what was read: the clock that would clear it away stands still. */
  override async receive(line: Line, own: OwnIntake, after: string): Promise<readonly Arrival[]> {
    await this.processed(line, own, after)
    return await super.receive(line, own, after)
  }

  hold(): void {
    this.#held ??= new Set()
  }

  release(): void {
    const held = this.#held ?? []
    this.#held = null
    for (const url of held) this.news(url)
  }
}
