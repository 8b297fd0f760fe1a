/** The names of sources. Revocation and quotas go by them. */

export const ANONYMOUS_SOURCE = 'app' // every app without a token

export const OWNER_SOURCE = 'owner'

export function sourceOfApp(name: string): string {
  return `app:${name}`
}
