/** The events that one connection asked for, and how many of them it missed (docs/ipc.md, section 4). */
import { formatEvent, lagged } from '../wire/rpc.ts'

export class Subscription {
  #events: ReadonlySet<string> | null = null
  #missed = 0
  /** Number of the last event that was sent. */
  #lastEvent = 0

  get isActive(): boolean {
    return this.#events !== null
  }

  /** @param after number of the last event that the client knows */
  begin(events: readonly string[], after: number): void {
    this.#events = new Set(events)
    this.#lastEvent = after
  }

  end(): void {
    this.#events = null
    this.#missed = 0
  }

  /**
   * Counts a wanted event as sent if there is room and none was missed before it, else as missed.
   * @param number of the event; 0 if it has no number
   * @returns whether to send it
   */
  takes(name: string, number: number, hasRoom: boolean): boolean {
    if (!this.#wants(name) || (number !== 0 && number <= this.#lastEvent)) return false
    if (this.#missed > 0 || !hasRoom) {
      this.#missed++
      return false
    }
    this.#lastEvent = Math.max(number, this.#lastEvent)
    return true
  }

  /** Counts an event that cannot be sent as missed, if it is wanted. @returns whether it is */
  skip(name: string): boolean {
    if (!this.#wants(name)) return false
    this.#missed++
    return true
  }

  /** The event that reports how many were missed since the last report; null if none was. */
  takeLagged(): string | null {
    if (this.#missed === 0) return null
    const frame = formatEvent(lagged(this.#missed, this.#lastEvent))
    this.#missed = 0
    return frame
  }

  #wants(name: string): boolean {
    return this.#events?.has(name) === true
  }
}
