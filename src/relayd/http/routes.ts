/** Which route a request is for. */
import { parseCardPath, type CardPlace } from '../../relay/paths/card-place.ts'
import { parseInboxPath, type InboxPath } from '../../relay/paths/inbox-path.ts'
import { parseObjectPath, parsePersonaPath, type ObjectTarget } from '../../relay/paths/object-path.ts'
import type { Route } from './counters.ts'

/** A route without a name in its path. */
export type PlainRoute = Exclude<Route, 'card' | 'inbox' | 'object' | 'persona'>

const ROUTES: ReadonlyMap<string, { readonly route: PlainRoute; readonly methods: readonly string[] }> = new Map([
  ['/', { route: 'page', methods: ['GET', 'HEAD', 'POST'] }],
  ['/wait', { route: 'wait', methods: ['POST'] }],
  ['/info', { route: 'info', methods: ['GET', 'HEAD'] }],
  ['/healthz', { route: 'healthz', methods: ['GET', 'HEAD'] }],
])

const CARD_METHODS = ['GET', 'HEAD', 'PUT']
const OBJECT_METHODS = ['GET', 'HEAD', 'PUT', 'DELETE']
const PERSONA_METHODS = ['DELETE']
const INBOX_METHODS: Readonly<Record<InboxPath['part'], readonly string[]>> = {
  entries: ['GET', 'POST'],
  ack: ['POST'],
  events: ['GET'],
  senders: ['POST'],
}

/** A route with a name in its path. `path`: below the address of the relay, with the query, as sent. */
type NamedRoute =
  | { readonly outcome: 'card'; readonly place: CardPlace }
  | { readonly outcome: 'inbox'; readonly inbox: InboxPath; readonly path: string }
  | { readonly outcome: 'object'; readonly target: ObjectTarget; readonly path: string }
  | { readonly outcome: 'persona'; readonly persona: string; readonly path: string }

export type Routed =
  | { readonly outcome: 'route'; readonly route: PlainRoute }
  | NamedRoute
  | { readonly outcome: 'no such path' }
  | { readonly outcome: 'other method'; readonly allowed: string }

/**
 * Finds the route of a request.
 * @param target the request target: a path with or without a query
 * @param base the path of the relay's own URL, without a slash at its end. A proxy may cut it off or not, so both forms work.
 */
export function routeOf(method: string, target: string, base: string): Routed {
  if (method === 'OPTIONS') return { outcome: 'route', route: 'options' }
  const isBelow = base !== '' && target.startsWith(base) && /^(?:$|[/?#])/.test(target.slice(base.length))
  const path = isBelow ? target.slice(base.length) : target
  const end = path.search(/[?#]/)
  const name = end < 0 ? path : path.slice(0, end)
  const found = ROUTES.get(name === '' ? '/' : name)
  if (found === undefined) return namedRouteOf(method, name.slice(1), path)
  if (!found.methods.includes(method)) return otherMethod(found.methods)
  return { outcome: 'route', route: method === 'POST' && found.route === 'page' ? 'box' : found.route }
}

function namedRouteOf(method: string, name: string, path: string): Routed {
  const place = parseCardPath(name)
  if (place !== null) return allow(CARD_METHODS, method, { outcome: 'card', place })
  const inbox = parseInboxPath(name)
  if (inbox !== null) return allow(INBOX_METHODS[inbox.part], method, { outcome: 'inbox', inbox, path })
  const target = parseObjectPath(name)
  if (target !== null) return allow(OBJECT_METHODS, method, { outcome: 'object', target, path })
  const persona = parsePersonaPath(name)
  if (persona !== null) return allow(PERSONA_METHODS, method, { outcome: 'persona', persona, path })
  return { outcome: 'no such path' }
}

function allow(methods: readonly string[], method: string, route: NamedRoute): Routed {
  return methods.includes(method) ? route : otherMethod(methods)
}

function otherMethod(methods: readonly string[]): Routed {
  return { outcome: 'other method', allowed: [...methods, 'OPTIONS'].join(', ') }
}
