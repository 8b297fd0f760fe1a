/** How a command that runs until somebody ends it is ended. */

/** Ctrl-C, a service manager, and a terminal that is closed. */
export const INTERRUPTS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** Resolves at the first of them. */
export function interrupted(): Promise<null> {
  return new Promise((resolve) => {
    for (const signal of INTERRUPTS) process.once(signal, () => resolve(null))
  })
}
