/** All events (docs/ipc.md, section 4): those of the daemon itself, and those of its wings. */
import { ADMIN_EVENTS, BASE_EVENTS, type BaseEventData } from '../shapes/events.ts'
import type { Permission } from './method.ts'
import type { All, EventSpec, WingSchema } from './wing.ts'
import { WING_SCHEMAS, type AnyWing } from './wing-schemas.ts'

type EventsOf<Wing> = Wing extends WingSchema<infer _M, infer E, infer _S> ? E : never
type DataOf<E> = { [Name in keyof E]: E[Name] extends EventSpec<infer D> ? D : never }

export type EventData = BaseEventData & All<DataOf<EventsOf<AnyWing>>>

export type EventName = keyof EventData

/** One event frame's data. */
export type DaemonEvent = {
  [Name in EventName]: { event: Name; id: number; atSec: number; data: EventData[Name] }
}[EventName]

/** Whether the history keeps each event, by its name. */
export function eventsOf(schemas: readonly WingSchema[]): ReadonlyMap<string, boolean> {
  const ofWings = schemas.flatMap(({ events }) => Object.entries(events) as [string, EventSpec<unknown>][])
  return new Map([
    ...Object.entries(BASE_EVENTS).map(([name, kept]) => [name, kept === 'kept'] as const),
    ...ofWings.map(([name, { isKept }]) => [name, isKept] as const),
  ])
}

/** The permission that a subscriber needs for each event: that of a call whose answer shows the same. */
export function eventPermissions(schemas: readonly WingSchema[]): ReadonlyMap<string, Permission> {
  const ofWings = schemas.flatMap(({ events }) => Object.entries(events) as [string, EventSpec<unknown>][])
  return new Map([
    ...Object.keys(BASE_EVENTS).map((name) => [name, ADMIN_EVENTS.has(name) ? 'admin' : 'read'] as const),
    ...ofWings.map(([name, { permission }]) => [name, permission] as const),
  ])
}

export const EVENTS: ReadonlyMap<string, boolean> = eventsOf(WING_SCHEMAS)

export const EVENT_NAMES: readonly EventName[] = [...EVENTS.keys()] as EventName[]

/** Their `id` is 0. */
export const UNKEPT_EVENTS: ReadonlySet<string> = new Set(EVENT_NAMES.filter((name) => EVENTS.get(name) === false))
