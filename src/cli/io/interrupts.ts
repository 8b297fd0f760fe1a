/** Ends commands that run until somebody stops them. */

/** Sent by Ctrl-C, by a service manager, and when a terminal closes. */
export const INTERRUPTS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** Resolves at the first signal. */
export function interrupted(): Promise<null> {
  return new Promise((resolve) => {
    for (const signal of INTERRUPTS) process.once(signal, () => resolve(null))
  })
}
