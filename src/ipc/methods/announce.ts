/** The part of announcements in the protocol: methods, values, and their part of the status (docs/ipc.md, section 3). */
import * as z from '../../schema/zod.ts'
import { ANNOUNCE_KINDS, type AnnounceKind } from '../../core/announce/settings.ts'
import { count, seconds } from '../shapes/scalars.ts'
import type { MethodSpec } from './method.ts'
import { contactName, method, noParams, type Empty } from './params.ts'
import type { WingSchema } from './wing.ts'

export interface AnnouncedItem {
  epoch: number
  /** It leads friends of an earlier epoch to the present table. */
  forward: boolean
  /** When it was put the last time; null if it was not put since the daemon runs. */
  putSec: number | null
  /** Nodes that gave exactly this item when they were asked for it afterwards; null if putting it failed. */
  nodes: number | null
  /** Why it could not be put, or why no node keeps it. */
  problem: string | null
}

export interface AnnounceStatus {
  /** null while announcements are off. */
  kind: AnnounceKind | null
  /** The table has a reading key, so that only friends find its announcements. */
  readingKey: boolean
  /** The configuration names bootstrap nodes and no proxy, so this daemon puts and looks up. */
  network: boolean
  /** A new table waits for the signing key, which is locked. The announcement before it stays on the DHT. */
  waitsForKey: boolean
  items: AnnouncedItem[]
  /** Devices of the table whose keys do not open the announcement of the kind `devices`, because it has no room for them: the last ones. */
  devicesLeftOut: number
  /** Contacts that announce, and when one was looked up the last time. */
  following: number
  lookedUpSec: number | null
  /** Devices that show a short status that nothing here explains yet. */
  shortsUnknown: number
  /** This daemon looks contacts and short statuses up. */
  lookups: boolean
  /** Bytes sent and received, by day of UTC, since the daemon runs. */
  bytesToday: number
  bytesYesterday: number
}

export const announceStatus: z.ZodType<AnnounceStatus> = z.strictObject({
  kind: z.enum(ANNOUNCE_KINDS).nullable(),
  readingKey: z.boolean(),
  network: z.boolean(),
  waitsForKey: z.boolean(),
  items: z.array(
    z.strictObject({
      epoch: count,
      forward: z.boolean(),
      putSec: seconds.nullable(),
      nodes: count.nullable(),
      problem: z.string().nullable(),
    }),
  ),
  devicesLeftOut: count,
  following: count,
  lookedUpSec: seconds.nullable(),
  shortsUnknown: count,
  lookups: z.boolean(),
  bytesToday: count,
  bytesYesterday: count,
})

export interface Refreshed {
  /** The contacts that were looked up, by name. */
  contacts: {
    name: string
    /** Items that nodes gave; null if the lookup failed. */
    items: number | null
    changed: boolean
    /** The newest table of the contact that is known here says that it is announced. */
    announced: boolean
    problem: string | null
  }[]
}

export const refreshed: z.ZodType<Refreshed> = z.strictObject({
  contacts: z.array(
    z.strictObject({
      name: z.string(),
      items: count.nullable(),
      changed: z.boolean(),
      announced: z.boolean(),
      problem: z.string().nullable(),
    }),
  ),
})

export interface AnnounceMethods {
  'announce.status': MethodSpec<Empty, AnnounceStatus>
  'announce.on': MethodSpec<{ kind?: AnnounceKind }, AnnounceStatus>
  'announce.off': MethodSpec<Empty, AnnounceStatus>
  'announce.now': MethodSpec<Empty, AnnounceStatus>
  'announce.reread': MethodSpec<Empty, AnnounceStatus>
  'contact.refresh': MethodSpec<{ contact?: string }, Refreshed>
}

const ANNOUNCE_METHODS: AnnounceMethods = {
  'announce.status': method('admin', 'Tell how the announcements of the own table are', noParams, announceStatus),
  'announce.on': method(
    'admin',
    'Announce the own table on the DHT; for contacts unless another kind is named',
    z.strictObject({ kind: z.enum(ANNOUNCE_KINDS).exactOptional() }),
    announceStatus,
  ),
  'announce.off': method('admin', 'Stop announcing the own table', noParams, announceStatus),
  'announce.now': method('admin', 'Put the announcements on the DHT now, and read them back', noParams, announceStatus),
  'announce.reread': method(
    'admin',
    'Draw a new reading key, which former contacts do not get',
    noParams,
    announceStatus,
  ),
  'contact.refresh': method(
    'admin',
    'Look one contact up on the DHT now, or all that announce',
    z.strictObject({ contact: contactName.exactOptional() }),
    refreshed,
  ),
}

interface AnnouncePart {
  announce: AnnounceStatus
}

export const ANNOUNCE: WingSchema<AnnounceMethods, object, AnnouncePart> = {
  methods: ANNOUNCE_METHODS,
  events: {},
  status: { announce: announceStatus },
  capabilities: [],
}
