/** The companion, its friends and their requests on the socket (docs/ipc.md, section 3, tox). */
import * as z from '../../schema/zod.ts'
import { count, keyHex, seconds } from './scalars.ts'

/** How a node reaches others: not at all, through relays, or directly. On a network of its own a node reports `tcp` when it has both. */
export type Connection = 'none' | 'tcp' | 'udp'
export const connection: z.ZodType<Connection> = z.enum(['none', 'tcp', 'udp'])

const STATES = [
  'none', // not created yet
  'unlisted', // the own table does not list it, so friends could not tell whose it is
  'down', // stopped by the owner
  'starting',
  'running',
  'waiting', // it failed and will start again after a while: see `problem`
] as const

/** The companion, the daemon's own Tox device. */
export interface ToxStatus {
  state: (typeof STATES)[number]
  /** ToxPk and Tox ID; null before there is one. */
  key: string | null
  toxId: string | null
  /** Nickname in the own table; null if it is not listed. */
  device: string | null
  connection: Connection
  /** Other nodes can bootstrap from these; null while it does not run. */
  dht: { port: number | null; key: string } | null
  counts: { peers: number; online: number; requests: number }
  /** Why it does not run. */
  problem: { code: string; message: string } | null
}

export const toxStatus: z.ZodType<ToxStatus> = z.strictObject({
  state: z.enum(STATES),
  key: keyHex.nullable(),
  toxId: z.string().nullable(),
  device: z.string().nullable(),
  connection,
  dht: z.strictObject({ port: z.int().nullable(), key: keyHex }).nullable(),
  counts: z.strictObject({ peers: count, online: count, requests: count }),
  problem: z.strictObject({ code: z.string(), message: z.string() }).nullable(),
})

const HOW = ['sibling', 'contact', 'named', 'request'] as const

/** A friend of the companion. */
export interface ToxPeer {
  key: string
  /** Why it is a friend: a device of the owner, of a contact, added by the owner, or accepted after a request. */
  how: (typeof HOW)[number]
  /** Name of the contact whose device it is, `me` for the owner's; null if it is nobody's. */
  contact: string | null
  /** Nickname in the table; null if no table lists it. */
  device: string | null
  /** It was somebody's device and no table lists it any more. It stays a friend. */
  left: boolean
  connection: Connection
  /** It receives changes at once by packets, not only as a status message. */
  instant: boolean
  seenAtSec: number | null
  /** The number of a TOX_ERR_FRIEND_ADD if libtoxcore refuses it as a friend; else null. */
  refused: number | null
}

export const toxPeer: z.ZodType<ToxPeer> = z.strictObject({
  key: keyHex,
  how: z.enum(HOW),
  contact: z.string().nullable(),
  device: z.string().nullable(),
  left: z.boolean(),
  connection,
  instant: z.boolean(),
  seenAtSec: seconds.nullable(),
  refused: z.int().nullable(),
})

/** A device asked to be a friend of the companion, and no table here lists it. */
export interface ToxRequest {
  key: string
  /** The persona whose table came with the request and lists the device; null without one. */
  personaId: string | null
  atSec: number
}

const toxRequest: z.ZodType<ToxRequest> = z.strictObject({
  key: keyHex,
  personaId: keyHex.nullable(),
  atSec: seconds,
})

export interface ToxPeers {
  status: ToxStatus
  peers: ToxPeer[]
  requests: ToxRequest[]
}

export const toxPeers: z.ZodType<ToxPeers> = z.strictObject({
  status: toxStatus,
  peers: z.array(toxPeer),
  requests: z.array(toxRequest),
})
