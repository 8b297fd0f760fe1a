/** Counts what the server does, for the operator. No count names an address or a box. */

/** The routes that are counted; `other` is every path that does not exist. */
export type Route =
  'box' | 'wait' | 'card' | 'inbox' | 'object' | 'persona' | 'page' | 'info' | 'healthz' | 'options' | 'other'

export class Counters {
  readonly #counts = new Map<string, number>()

  /** @param outcome a word of the relay's own: never a text of a client */
  answered(route: Route, outcome: string): void {
    this.#add(`requests_total{route="${route}",outcome="${outcome}"}`)
  }

  /** A connection that the server ended, with the reason. */
  ended(
    reason: 'too many' | 'too many of one address' | 'pipelining' | 'slow sender' | 'slow reader' | 'unread answers',
  ): void {
    this.#add(`connections_ended_total{reason="${reason}"}`)
  }

  /** An event of a stream went out. */
  told(): void {
    this.#add('wait_events_total')
  }

  /** Every count in the order in which it first happened. */
  all(): readonly (readonly [name: string, count: number])[] {
    return [...this.#counts]
  }

  #add(name: string): void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1)
  }
}

const ACTIONS: ReadonlySet<unknown> = new Set(['send', 'check', 'receive', 'retire'])

/** The action of a request for a box, as a word for the counters, which hold no text of a client. */
export function actionOf(value: unknown): string {
  const action = typeof value === 'object' && value !== null && 'action' in value ? value.action : undefined
  return ACTIONS.has(action) ? String(action) : 'unknown'
}
