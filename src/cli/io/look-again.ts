/** Looks at something of the daemon again after each event, until it is as a command wants it. */
import type { Client, DaemonEvent, LaggedEvent } from '../../ipc/client.ts'
import type { EventName } from '../../ipc/methods/events.ts'
import { interrupted } from './interrupts.ts'

export interface Looking<T> {
  readonly events: readonly EventName[]
  /** Looks; null while there is nothing yet. */
  readonly look: () => Promise<T | null>
  /** Sees each event first. @returns false if it is none of ours */
  readonly see?: (event: DaemonEvent | LaggedEvent) => boolean
  /** Ends the looking, as Ctrl-C does. */
  readonly ended?: Promise<null>
}

const RUNG = Symbol('rung')

/**
 * Looks now, and after each event. An event during a look is not lost.
 * @returns what `look` found; null at Ctrl-C
 * @throws the reason if the daemon goes away @throws whatever `look` throws
 */
export async function lookAgain<T>(
  client: Client,
  { events, look, see = () => true, ended }: Looking<T>,
): Promise<T | null> {
  let ring = (): void => {}
  const subscription = await client.subscribe(events, (event) => {
    if (see(event)) ring()
  })
  try {
    const stopped = Promise.race([interrupted(), ...(ended === undefined ? [] : [ended])])
    for (;;) {
      const rung = new Promise<typeof RUNG>((resolve) => {
        ring = () => resolve(RUNG)
      })
      const found = await look()
      if (found !== null) return found
      const end = await Promise.race([rung, stopped, client.closed])
      if (end === null) return null
      if (end !== RUNG) throw end
    }
  } finally {
    await subscription.close().catch(() => {})
  }
}
