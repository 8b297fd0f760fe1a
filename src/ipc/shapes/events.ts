/** The events for subscribers (docs/ipc.md, section 4): each name with its data. */
import type { Capability } from './apps.ts'
import type { PendingKind } from './pending.ts'
import type { Connection } from './tox.ts'
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
  'resign',
  'replay', // an own edit that a sibling's table lacked
  'sibling', // a sibling's table was accepted
  'approve',
  'rotate',
  'follow', // the key of a rotation made elsewhere came
  'import', // the persona came from another device, a backup or the words
  'copied', // this state is a copy: the daemon signs nothing until it has read a copy of the own table
  'reconcile', // the daemon has read such a copy, or the owner went on without one
] as const
export type OwnCause = (typeof OWN_CAUSES)[number]

export interface EventData {
  'contact.changed': { contact: Contact; changes: ContactChange[]; source: string }
  'contact.forgotten': { personaId: string | null; key: string | null; name: string }
  'device.added': { personaId: string; contact: string; device: TableDevice }
  /** `unapproved`: devices that came only through a sibling's table. */
  'own.changed': { table: OwnTable; cause: OwnCause; unapproved: TableDevice[] }
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
    /** Who reported it. */
    source: string
  }
  'pending.answered': { contact: string; personaId: string; key: string | null; kind: PendingKind; accepted: boolean }
  /** `pairing.cancel` ended the running pairing, so its carrier can stop. */
  'pairing.cancelled': Record<string, never>
  'profile.blob-lost': {
    path: string
    key: string
    device: string
    /** A client replaced the token by a text without one, or cut it. */
    state: 'none' | 'damaged'
    /** What happened, and what to do about it. */
    message: string
  }
  /** An own profile does not show the present table; sent at each reading. */
  'profile.due': { path: string; key: string; device: string }
  /** How the companion reaches the Tox network now. */
  'tox.connected': { connection: Connection }
  'tox.peer': {
    key: string
    /** Name of the contact whose device it is, `me` for the owner's; null if it is nobody's. */
    contact: string | null
    /** `left`: no table lists it any more; it stays a friend. */
    change: 'added' | 'online' | 'offline' | 'left'
  }
  /** A device asks to be a friend of the companion; `tox.add` with the key accepts it. */
  'tox.request': { key: string; personaId: string | null }
  'profile.repaired': { path: string; key: string; device: string; epoch: number; seq: number; backup: string }
}

export type EventName = keyof EventData
export const EVENT_NAMES: readonly EventName[] = [
  'contact.changed',
  'contact.forgotten',
  'device.added',
  'own.changed',
  'own.unsigned',
  'own.intent-dropped',
  'locked',
  'alarm',
  'app.changed',
  'clock',
  'pending.new',
  'pending.answered',
  'pairing.cancelled',
  'profile.blob-lost',
  'profile.due',
  'profile.repaired',
  'tox.connected',
  'tox.peer',
  'tox.request',
]

/** Events that only say what to do now or who is online. The history does not keep them, and their `id` is 0. */
export const UNKEPT_EVENTS: ReadonlySet<EventName> = new Set<EventName>([
  'pairing.cancelled',
  'profile.due',
  'tox.connected',
  'tox.peer',
  'tox.request',
])

/** One event frame's data. */
export type DaemonEvent = {
  [Name in EventName]: { event: Name; id: number; atSec: number; data: EventData[Name] }
}[EventName]
