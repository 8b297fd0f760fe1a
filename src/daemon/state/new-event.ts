/** An event that a change brings about, before it has a number; told once the change is on disk. */
import type { EventData, EventName } from '../../ipc/methods/events.ts'

/** An event that a change brings about; told once the change is on disk. */
export type NewEvent = { [Name in EventName]: { event: Name; data: EventData[Name] } }[EventName]
