/** By whose report something is known: the names of sources, which revoking and counting go by. */

export const ANONYMOUS_SOURCE = 'app' // every app that did not say a token

export const OWNER_SOURCE = 'owner'

export function sourceOfApp(name: string): string {
  return `app:${name}`
}
