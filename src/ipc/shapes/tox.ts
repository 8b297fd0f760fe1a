/** The companion, its friends and who asked to be one, as they travel over the socket (docs/ipc.md, section 4). */
import { z } from 'zod'
import { count, keyHex, seconds } from './scalars.ts'

/** How a node reaches others: not at all, through relays, or directly. On a network of its own a node says `tcp` where it means both. */
export type Connection = 'none' | 'tcp' | 'udp'
const connection = z.enum(['none', 'tcp', 'udp'])

const STATES = [
  'none', // none was made yet
  'unlisted', // the own table does not list it, so that it would be nobody
  'down', // by the owner's word
  'starting',
  'running',
  'waiting', // it ended, and is started again after a while: see `problem`
] as const

/** The daemon's own Tox node. */
export interface ToxStatus {
  state: (typeof STATES)[number]
  /** ToxPk and Tox ID; null before there is one. */
  key: string | null
  toxId: string | null
  /** Nickname in the own table; null when it is not listed. */
  device: string | null
  connection: Connection
  /** By which other nodes bootstrap from this one; null while it does not run. */
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
  /** Why it is one: a device of the owner, of a contact, named by the owner, or let in after a request. */
  how: (typeof HOW)[number]
  /** Whose device it is now, by name, `me` for the owner's; null while nobody's. */
  contact: string | null
  /** Nickname in the table; null when none lists it. */
  device: string | null
  /** It was somebody's device and is in nobody's table any more. It stays a friend until you say otherwise. */
  left: boolean
  connection: Connection
  /** It gets changes at once, and not only as a status message. */
  instant: boolean
  seenAtSec: number | null
  /** Why libtoxcore does not take it as a friend: a number of TOX_ERR_FRIEND_ADD; null when it does. */
  refused: number | null
}

const toxPeer: z.ZodType<ToxPeer> = z.strictObject({
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

/** Somebody asked the companion to be its friend, and nothing here says that he is one. */
export interface ToxRequest {
  key: string
  /** The persona whose table came with it and lists the device; null without one. */
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
