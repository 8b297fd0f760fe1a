/** What the daemon and its Tox node say to each other, checked on both sides: neither trusts the other to be well. */
import { z } from 'zod'
import { LiveError } from './errors.ts'

/** A node of the Tox network to begin with. */
export interface BootstrapNode {
  /** An address in figures: a name would be asked for outside of any proxy. */
  readonly host: string
  readonly port: number
  /** 64 hex digits */
  readonly key: string
}

export interface NodeOptions {
  /** The secret key comes before the first frame, in {@link SECRET_BYTES} bytes, so that it is never text. */
  readonly nospam: number
  readonly name: string
  readonly text: string
  readonly bootstrap: readonly BootstrapNode[]
  /** SOCKS5 */
  readonly proxy: { readonly host: string; readonly port: number } | null
  readonly udp: boolean
  /** null for any that is free, from 33445 */
  readonly port: number | null
  readonly loopback: boolean
}

export type Connection = 'none' | 'tcp' | 'udp'

/** To the node. It ends when its stdin does. */
export type Order =
  | { readonly type: 'start'; readonly options: NodeOptions }
  /** Show this status message. */
  | { readonly type: 'show'; readonly text: string }
  /** `request`: with a friend request of this text to this Tox ID (76 hex digits); null where the other side has our key, or will. */
  | {
      readonly type: 'add'
      readonly key: string
      readonly request: { readonly toxId: string; readonly text: string } | null
    }
  /** A packet to a friend who is connected; otherwise it is lost, and the status message remains. */
  | { readonly type: 'send'; readonly key: string; readonly packet: 'support' | 'status'; readonly text: string }

/** From the node. */
export type Report =
  | {
      readonly type: 'ready'
      readonly key: string
      readonly dhtKey: string
      readonly port: number | null
      readonly version: string
    }
  /** The last report: it ends now. */
  | { readonly type: 'failed'; readonly code: string; readonly message: string }
  /** The node lives; once a second. */
  | { readonly type: 'beat' }
  | { readonly type: 'self'; readonly connection: Connection }
  | { readonly type: 'friend'; readonly key: string; readonly connection: Connection }
  | { readonly type: 'name'; readonly key: string; readonly text: string }
  | { readonly type: 'status'; readonly key: string; readonly text: string }
  | { readonly type: 'request'; readonly key: string; readonly text: string }
  | { readonly type: 'packet'; readonly key: string; readonly packet: 'support' | 'status'; readonly text: string }
  /** A friend that libtoxcore does not take, by the number of its error. */
  | { readonly type: 'refused'; readonly key: string; readonly error: number }

export const SECRET_BYTES = 32 // toxcore: TOX_SECRET_KEY_SIZE
export const BEAT_MS = 1000 // sanity: a fifteenth of what counts as a hang
export const MAX_BOOTSTRAP_NODES = 64 // sanity: a few that answer are enough

const MAX_TEXT = 1016 // toxcore: TOX_MAX_FRIEND_REQUEST_LENGTH, the longest text of all, in bytes
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
  z.strictObject({ type: z.literal('failed'), code: z.string().max(64), message: z.string().max(512) }),
  z.strictObject({ type: z.literal('beat') }),
  z.strictObject({ type: z.literal('self'), connection }),
  z.strictObject({ type: z.literal('friend'), key, connection }),
  z.strictObject({ type: z.literal('name'), key, text }),
  z.strictObject({ type: z.literal('status'), key, text }),
  z.strictObject({ type: z.literal('request'), key, text }),
  z.strictObject({ type: z.literal('packet'), key, packet, text }),
  z.strictObject({ type: z.literal('refused'), key, error: z.int().min(0).max(255) }),
])

/** @throws {LiveError} LIVE_FRAME_INVALID */
export function checkOrder(value: unknown): Order {
  return check(order, value)
}

/** @throws {LiveError} LIVE_FRAME_INVALID */
export function checkReport(value: unknown): Report {
  return check(report, value)
}

function check<T>(schema: z.ZodType<T>, value: unknown): T {
  const result = schema.safeParse(value)
  // Which message it was may be what somebody showed.
  if (!result.success) throw new LiveError('LIVE_FRAME_INVALID', 'a frame holds no message that is known')
  return result.data
}
