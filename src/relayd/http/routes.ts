/** Which route a request is for. */
import { parseCardPath, type CardPlace } from '../../relay/card-place.ts'
import type { Route } from './counters.ts'

const ROUTES: ReadonlyMap<string, { readonly route: Exclude<Route, 'card'>; readonly methods: readonly string[] }> =
  new Map([
    ['/', { route: 'page', methods: ['GET', 'HEAD', 'POST'] }],
    ['/wait', { route: 'wait', methods: ['POST'] }],
    ['/info', { route: 'info', methods: ['GET', 'HEAD'] }],
    ['/healthz', { route: 'healthz', methods: ['GET', 'HEAD'] }],
  ])

const CARD_METHODS = ['GET', 'HEAD', 'PUT']

export type Routed =
  | { readonly outcome: 'route'; readonly route: Exclude<Route, 'card'> }
  | { readonly outcome: 'card'; readonly place: CardPlace }
  | { readonly outcome: 'no such path' }
  | { readonly outcome: 'other method'; readonly allowed: string }

/**
 * Finds the route of a request.
 * @param target the request target: a path with or without a query
 * @param base the path of the relay's own URL, without a slash at its end. A proxy may cut it off or not, so both forms work.
 */
export function routeOf(method: string, target: string, base: string): Routed {
  if (method === 'OPTIONS') return { outcome: 'route', route: 'options' }
  const end = target.search(/[?#]/)
  const path = end < 0 ? target : target.slice(0, end)
  const below = base !== '' && (path === base || path.startsWith(`${base}/`)) ? path.slice(base.length) : path
  const place = below.startsWith('/card/') ? parseCardPath(below.slice(1)) : null
  if (place !== null) return CARD_METHODS.includes(method) ? { outcome: 'card', place } : otherMethod(CARD_METHODS)
  const found = ROUTES.get(below === '' ? '/' : below)
  if (found === undefined) return { outcome: 'no such path' }
  if (!found.methods.includes(method)) return otherMethod(found.methods)
  return { outcome: 'route', route: method === 'POST' && found.route === 'page' ? 'box' : found.route }
}

function otherMethod(methods: readonly string[]): Routed {
  return { outcome: 'other method', allowed: [...methods, 'OPTIONS'].join(', ') }
}
