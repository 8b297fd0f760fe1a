/** An event before it has a number. */
import type { EventData, EventName } from '../../ipc/methods/events.ts'

/** An event that a change causes. It gets a number in the change, and is published once the change is on disk. */
export type NewEvent = { [Name in EventName]: { event: Name; data: EventData[Name] } }[EventName]
