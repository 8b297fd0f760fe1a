/** The seam between the relay's HTTP server and all that it has of one persona. */
import type { DeviceRefusal } from '../cards/devices.ts'
import type { Busy, DeviceCall, ObjectCaller } from '../objects/object-service.ts'

/** `full`: the disk has no room to note it, and a part is still there. The caller asks again. */
export type RemovePersona = { readonly outcome: 'removed' | 'full' } | DeviceRefusal | Busy

export interface PersonaService {
  /** Deletes the cards, the inboxes and the objects of a persona, by the token of a device. @param persona PersonaID in upper-case hex */
  remove(persona: string, call: DeviceCall, caller: ObjectCaller): Promise<RemovePersona>
}
