/** The events for subscribers (docs/ipc.md, section 4): each name with its data. */
import type { Capability } from './capabilities.ts'
import type { PendingKind } from './pending.ts'
import type { ChangeKind } from './judged.ts'
import type { OwnTable } from './own.ts'
import type { Contact, TableDevice } from './contact.ts'

/** One change of a contact. */
export interface ContactChange {
  kind: ChangeKind
  key: string | null
  name: string | null
  /** Only for `renamed`: the old nickname. */
  was?: string
}

/** Why the own table or its standing here changed. */
export const OWN_CAUSES = [
  'init',
  'add',
  'rename',
  'activate',
  'remove',
  'rekey',
  'set', // a setting of the document
  'resign',
  'replay', // an own edit that a sibling's table lacked
  'sibling', // a sibling's table was accepted
  'approve',
  'rotate',
  'follow', // the key of a rotation made elsewhere came
  'import', // the persona came from another device, a backup or the words
  'copied', // this state is a copy: the daemon signs nothing until it has read a copy of the own table
  'succeed', // the new persona that follows the old one
  'succession-end', // the table no longer says that the persona follows another
  'succeeded', // another device made a successor, so this one signs nothing more
  'reconcile', // the daemon has read such a copy, or the owner went on without one
  'card', // another device, or a thief, changed the places in a card, or took this device out of it: the table is the same
] as const
export type OwnCause = (typeof OWN_CAUSES)[number]

/** The events that the daemon has without any wing. */
export interface BaseEventData {
  'contact.changed': { contact: Contact; changes: ContactChange[]; source: string }
  'contact.forgotten': { personaId: string | null; key: string | null; name: string }
  /** The contact is another persona from now on: the successor of the one that apps know under `personaId`. */
  'contact.replaced': { personaId: string; successor: string; name: string }
  'device.added': { personaId: string; contact: string; device: TableDevice }
  /** The device shows a short status that nothing here explains yet. A daemon with a network looks it up. */
  'device.short': { key: string }
  /** `unapproved`: devices that came only through a sibling's table. */
  'own.changed': {
    table: OwnTable
    cause: OwnCause
    unapproved: TableDevice[]
    /** Only for `card`: the app of the card. */
    app?: string
  }
  /** The table was last signed at `timeSec`. It cannot be signed again while the key is locked. */
  'own.unsigned': { timeSec: number; message: string }
  'own.intent-dropped': { intent: string; reason: string; command: string }
  /** The owner, a signal or a timeout locked the signing key, or the owner unlocked it. */
  locked: { locked: boolean; cause: 'request' | 'signal' | 'idle' | 'ttl' | 'unlock' }
  alarm: { code: string; personaId: string | null; key: string | null; message: string }
  'app.changed': {
    /** The app's name. */
    app: string
    what: 'allowed' | 'requested' | 'accepted' | 'rejected' | 'revoked'
    can: Capability[]
    asks: Capability[]
    expiresAtSec: number | null
  }
  clock: { personaId: string | null; message: string }
  'pending.new': {
    contact: string
    personaId: string
    key: string | null
    kind: PendingKind
    tableHash: string
    changes: ContactChange[]
    /** The source that reported it. */
    source: string
  }
  'pending.answered': { contact: string; personaId: string; key: string | null; kind: PendingKind; accepted: boolean }
  /** `pairing.cancel` ended the running pairing, so its carrier can stop. */
  'pairing.cancelled': Record<string, never>
}

/** Their data is in no answer to a call that needs only `read`, so their subscribers need `admin`. */
export const ADMIN_EVENTS: ReadonlySet<string> = new Set<keyof BaseEventData>([
  'alarm',
  'device.short',
  'app.changed', // but an app receives those about itself
  'own.intent-dropped',
  'pending.new',
  'pending.answered',
  'pairing.cancelled',
])

/** Passing events only say what to do now or who is online. The history does not keep them, and their `id` is 0. */
export const BASE_EVENTS: Readonly<Record<keyof BaseEventData, 'kept' | 'passing'>> = {
  'contact.changed': 'kept',
  'contact.forgotten': 'kept',
  'contact.replaced': 'kept',
  'device.added': 'kept',
  'device.short': 'passing',
  'own.changed': 'kept',
  'own.unsigned': 'kept',
  'own.intent-dropped': 'kept',
  locked: 'kept',
  alarm: 'kept',
  'app.changed': 'kept',
  clock: 'kept',
  'pending.new': 'kept',
  'pending.answered': 'kept',
  'pairing.cancelled': 'passing',
}
