/** The objects that are on their way here: each once, and how many of a sender an inbox has announced. */

/** @param at address of the inbox */
function sourceOf(app: string, at: string, from: string): string {
  return `${app} ${at} ${from}`
}

export class Fetched {
  /** The source, by app and name. */
  readonly #sources = new Map<string, string>()
  readonly #counts = new Map<string, number>()

  has(app: string, name: string): boolean {
    return this.#sources.has(`${app}/${name}`)
  }

  count(app: string, at: string, from: string): number {
    return this.#counts.get(sourceOf(app, at, from)) ?? 0
  }

  add(app: string, name: string, at: string, from: string): void {
    if (this.has(app, name)) return
    const source = sourceOf(app, at, from)
    this.#sources.set(`${app}/${name}`, source)
    this.#counts.set(source, (this.#counts.get(source) ?? 0) + 1)
  }

  delete(app: string, name: string): void {
    const source = this.#sources.get(`${app}/${name}`)
    if (source === undefined) return
    this.#sources.delete(`${app}/${name}`)
    const left = this.#counts.get(source)! - 1
    if (left === 0) this.#counts.delete(source)
    else this.#counts.set(source, left)
  }

  clear(): void {
    this.#sources.clear()
    this.#counts.clear()
  }
}
