/**
 * The messages between the daemon and its Tox node. Both sides check them: neither trusts the other to work
 * correctly.
 */
import * as z from '../schema/zod.ts'
import { BEAT, FAILED } from '../process/common-reports.ts'
import type { CommonReport, Protocol } from '../process/protocol.ts'

/** A node of the Tox network to bootstrap from. */
export interface BootstrapNode {
  /** A numeric address. Resolving a name would bypass any proxy. */
  readonly host: string
  readonly port: number
  /** 64 hex digits */
  readonly key: string
}

export interface NodeOptions {
  /**
   * An unsigned 32-bit number. The secret key is not here: it precedes the first frame as {@link SECRET_BYTES} raw
   * bytes, so that it never becomes text.
   */
  readonly nospam: number
  readonly name: string
  readonly text: string
  readonly bootstrap: readonly BootstrapNode[]
  /** A SOCKS5 proxy */
  readonly proxy: { readonly host: string; readonly port: number } | null
  readonly udp: boolean
  /** null for the first free port from 33445 to 33545 */
  readonly port: number | null
  readonly loopback: boolean
}

export type Connection = 'none' | 'tcp' | 'udp'

/** Messages to the node. The node ends when its stdin ends. */
export type Order =
  | { readonly type: 'start'; readonly options: NodeOptions }
  /** Shows this status message. */
  | { readonly type: 'show'; readonly text: string }
  /**
   * Adds a friend. `request`: sends a friend request with this text to this Tox ID (76 hex digits); null if the other
   * side has our key or will have it.
   */
  | {
      readonly type: 'add'
      readonly key: string
      readonly request: { readonly toxId: string; readonly text: string } | null
    }
  /** Sends a packet to a friend. If the friend is not connected, it is lost; the status message still reaches them. */
  | { readonly type: 'send'; readonly key: string; readonly packet: 'support' | 'status'; readonly text: string }

/** Messages from the node. */
export type Report =
  | {
      readonly type: 'ready'
      readonly key: string
      readonly dhtKey: string
      readonly port: number | null
      readonly version: string
    }
  | Exclude<CommonReport, { type: 'ready' }>
  | { readonly type: 'self'; readonly connection: Connection }
  | { readonly type: 'friend'; readonly key: string; readonly connection: Connection }
  | { readonly type: 'name'; readonly key: string; readonly text: string }
  | { readonly type: 'status'; readonly key: string; readonly text: string }
  | { readonly type: 'request'; readonly key: string; readonly text: string }
  | { readonly type: 'packet'; readonly key: string; readonly packet: 'support' | 'status'; readonly text: string }
  /** libtoxcore refused a friend; `error` is its error number. */
  | { readonly type: 'refused'; readonly key: string; readonly error: number }

export const SECRET_BYTES = 32 // toxcore: TOX_SECRET_KEY_SIZE
export const MAX_BOOTSTRAP_NODES = 64 // sanity: a few nodes that answer are enough

const MAX_TEXT = 1016 // toxcore: TOX_MAX_FRIEND_REQUEST_LENGTH, the longest of all texts, in bytes
const key = z.string().regex(/^[0-9A-F]{64}$/)
const toxId = z.string().regex(/^[0-9A-F]{76}$/)
const text = z.string().max(MAX_TEXT)
const connection = z.enum(['none', 'tcp', 'udp'])
const port = z.int().min(1).max(65_535)
const nospam = z.int().min(0).max(0xffff_ffff)
const packet = z.enum(['support', 'status'])
const host = z.string().max(64)

const options: z.ZodType<NodeOptions> = z.strictObject({
  nospam,
  name: text,
  text,
  bootstrap: z.array(z.strictObject({ host, port, key })).max(MAX_BOOTSTRAP_NODES),
  proxy: z.strictObject({ host, port }).nullable(),
  udp: z.boolean(),
  port: port.nullable(),
  loopback: z.boolean(),
})

const order: z.ZodType<Order> = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('start'), options }),
  z.strictObject({ type: z.literal('show'), text }),
  z.strictObject({ type: z.literal('add'), key, request: z.strictObject({ toxId, text }).nullable() }),
  z.strictObject({ type: z.literal('send'), key, packet, text }),
])

const report: z.ZodType<Report> = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('ready'), key, dhtKey: key, port: port.nullable(), version: z.string().max(32) }),
  FAILED,
  BEAT,
  z.strictObject({ type: z.literal('self'), connection }),
  z.strictObject({ type: z.literal('friend'), key, connection }),
  z.strictObject({ type: z.literal('name'), key, text }),
  z.strictObject({ type: z.literal('status'), key, text }),
  z.strictObject({ type: z.literal('request'), key, text }),
  z.strictObject({ type: z.literal('packet'), key, packet, text }),
  z.strictObject({ type: z.literal('refused'), key, error: z.int().min(0).max(255) }),
])

/** Without bodies. */
export const TOX_PROTOCOL: Protocol<Order, Report> = {
  orders: order,
  reports: report,
  // sanity: a packet of 1371 bytes, each as a \u escape of JSON, plus keys; nothing needs more
  limits: { maxHeadBytes: 16_384, maxBodyBytes: 0 },
}
