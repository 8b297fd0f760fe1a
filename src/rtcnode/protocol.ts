/** The messages between the daemon and personad-rtc (process/protocol.ts). A connection has the id that the daemon gives it. */
import { MAX_MESSAGE_BYTES } from '../channel/rtc/connection.ts'
import type { FrameLimits } from '../process/frame.ts'
import type { CommonReport } from '../process/protocol.ts'
import type { RtcSettings } from './settings.ts'

export type Order =
  /** The first order. */
  | ({ readonly type: 'configure' } & RtcSettings)
  /** Makes a connection: an answer to this description of the peer, or an offer. */
  | { readonly type: 'open'; readonly id: number; readonly sdp: string | null }
  /** The answer of the peer to an offer. */
  | { readonly type: 'answer'; readonly id: number; readonly sdp: string }
  /** Sends the body as one message. */
  | { readonly type: 'send'; readonly id: number }
  | { readonly type: 'close'; readonly id: number }

export type Report =
  | CommonReport
  /** The own description, with all candidates that were found in time. */
  | { readonly type: 'described'; readonly id: number; readonly sdp: string }
  /** The data channel is open. The peer has shown the certificate with this fingerprint, in hex. */
  | { readonly type: 'connected'; readonly id: number; readonly fingerprint: string }
  /** The body is a message of the peer. */
  | { readonly type: 'message'; readonly id: number }
  /** It is closed, or could not be made. It is the last report with this id, also after an order to close. */
  | { readonly type: 'closed'; readonly id: number }

export const MAX_CONNECTIONS = 32 // sanity: people who are there at one time; each takes about a megabyte

export const RTC_LIMITS: FrameLimits = { maxHeadBytes: 32_768, maxBodyBytes: MAX_MESSAGE_BYTES }
