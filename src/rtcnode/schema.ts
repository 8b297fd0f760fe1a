/** The schemas of the messages between the daemon and personad-rtc, for the daemon. personad-rtc has its own reader of orders. */
import * as z from '../schema/zod.ts'
import { BEAT, FAILED } from '../process/common-reports.ts'
import type { Protocol } from '../process/protocol.ts'
import { MAX_SDP_CHARS } from '../channel/rtc/connection.ts'
import { RTC_LIMITS, type Order, type Report } from './protocol.ts'
import { ADDRESS, ICE_URL, MAX_ICE_SERVERS } from './settings.ts'

const id = z.int().min(1)
const sdp = z.string().min(1).max(MAX_SDP_CHARS)

const order: z.ZodType<Order> = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('configure'),
    ice: z.array(z.string().regex(ICE_URL)).max(MAX_ICE_SERVERS),
    address: z.string().regex(ADDRESS).nullable(),
  }),
  z.strictObject({ type: z.literal('open'), id, sdp: sdp.nullable() }),
  z.strictObject({ type: z.literal('answer'), id, sdp }),
  z.strictObject({ type: z.literal('send'), id }),
  z.strictObject({ type: z.literal('close'), id }),
])

const report: z.ZodType<Report> = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('ready') }),
  FAILED,
  BEAT,
  z.strictObject({ type: z.literal('described'), id, sdp }),
  z.strictObject({ type: z.literal('connected'), id, fingerprint: z.string().regex(/^[0-9A-F]{64}$/) }),
  z.strictObject({ type: z.literal('message'), id }),
  z.strictObject({ type: z.literal('closed'), id }),
])

export const RTC_PROTOCOL: Protocol<Order, Report> = { orders: order, reports: report, limits: RTC_LIMITS }
