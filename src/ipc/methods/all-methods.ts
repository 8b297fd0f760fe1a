/** The one table of methods (docs/ipc.md, section 3): name, permission, params, result. docs/openrpc.json is generated from it. */
import { generalMethods, type GeneralMethods } from './general.ts'
import { CONTACTS_METHODS, type ContactsMethods } from './contacts.ts'
import { OWN_METHODS, type OwnMethods } from './own.ts'
import { CUSTODY_METHODS, type CustodyMethods } from './custody.ts'
import { CARDS_METHODS, type CardsMethods } from './cards.ts'
import { appsMethods, type AppsMethods } from './apps.ts'
import type { Permission } from './method.ts'
import { RELAY_METHODS, type RelayMethods } from './relays.ts'
import { eventPermissions, eventsOf, type EventName } from './events.ts'
import type { All, WingSchema } from './wing.ts'
import { WING_SCHEMAS, type AnyWing } from './wing-schemas.ts'
import { BASE_CAPABILITIES, type Capability } from '../shapes/capabilities.ts'

type MethodsOf<Wing> = Wing extends WingSchema<infer M, infer _E, infer _S> ? M : never

/** The methods that the wings answer. */
export type WingMethods = All<MethodsOf<AnyWing>>

/** All methods of the daemon. A key is `noun.verb`, or one word for a method of the daemon itself or of any status message. */
export interface Methods
  extends
    GeneralMethods,
    ContactsMethods,
    OwnMethods,
    CustodyMethods,
    AppsMethods,
    RelayMethods,
    CardsMethods,
    WingMethods {}

/** Everything that can travel over the socket of a daemon with certain wings. */
export interface Protocol {
  readonly methods: Methods
  /** Every event, and whether the history keeps it. */
  readonly events: ReadonlyMap<string, boolean>
  /** The permission that a subscriber of each event needs. */
  readonly eventPermissions: ReadonlyMap<string, Permission>
  /** In the order in which they are always shown. */
  readonly capabilities: readonly Capability[]
}

export function protocolOf(schemas: readonly WingSchema[]): Protocol {
  const capabilities: readonly Capability[] = [
    ...BASE_CAPABILITIES,
    ...schemas.flatMap((schema) => schema.capabilities),
  ]
  const events = eventsOf(schemas)
  const methods: Methods = {
    ...generalMethods(schemas, [...events.keys()] as EventName[]),
    ...CONTACTS_METHODS,
    ...OWN_METHODS,
    ...CUSTODY_METHODS,
    ...appsMethods(capabilities),
    ...RELAY_METHODS,
    ...CARDS_METHODS,
    ...(Object.assign({}, ...schemas.map((schema) => schema.methods)) as WingMethods),
  }
  const permissions: ReadonlySet<Permission> = new Set(['open', 'admin', ...capabilities])
  for (const [name, { permission }] of Object.entries(methods))
    if (!permissions.has(permission)) throw new Error(`${name} needs "${permission}", which no wing brings`)
  return { methods, events, eventPermissions: eventPermissions(schemas), capabilities }
}

/** The protocol of a daemon with all wings. docs/openrpc.json describes it. */
export const PROTOCOL: Protocol = protocolOf(WING_SCHEMAS)

export const METHODS: Methods = PROTOCOL.methods
