/** Which route a request is for. */
import { parseCardPath, type CardPlace } from '../../relay/paths/card-place.ts'
import { parseInboxPath, type InboxPath } from '../../relay/paths/inbox-path.ts'
import type { Route } from './counters.ts'

const ROUTES: ReadonlyMap<string, { readonly route: PlainRoute; readonly methods: readonly string[] }> = new Map([
  ['/', { route: 'page', methods: ['GET', 'HEAD', 'POST'] }],
  ['/wait', { route: 'wait', methods: ['POST'] }],
  ['/info', { route: 'info', methods: ['GET', 'HEAD'] }],
  ['/healthz', { route: 'healthz', methods: ['GET', 'HEAD'] }],
])

const CARD_METHODS = ['GET', 'HEAD', 'PUT']
const INBOX_METHODS: Readonly<Record<InboxPath['part'], readonly string[]>> = {
  entries: ['GET', 'POST'],
  ack: ['POST'],
  events: ['GET'],
  senders: ['POST'],
}

/** The routes without a name in their path. */
export type PlainRoute = Exclude<Route, 'card' | 'inbox'>

export type Routed =
  | { readonly outcome: 'route'; readonly route: PlainRoute }
  | { readonly outcome: 'card'; readonly place: CardPlace }
  /** `path`: below the address of the relay, with the query, as sent. */
  | { readonly outcome: 'inbox'; readonly inbox: InboxPath; readonly path: string }
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
  const inbox = below.startsWith('/inbox/') ? parseInboxPath(below.slice(1)) : null
  if (inbox !== null) {
    const methods = INBOX_METHODS[inbox.part]
    return methods.includes(method)
      ? { outcome: 'inbox', inbox, path: below + target.slice(path.length) }
      : otherMethod(methods)
  }
  const found = ROUTES.get(below === '' ? '/' : below)
  if (found === undefined) return { outcome: 'no such path' }
  if (!found.methods.includes(method)) return otherMethod(found.methods)
  return { outcome: 'route', route: method === 'POST' && found.route === 'page' ? 'box' : found.route }
}

function otherMethod(methods: readonly string[]): Routed {
  return { outcome: 'other method', allowed: [...methods, 'OPTIONS'].join(', ') }
}
