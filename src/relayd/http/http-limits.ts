/** Limits of one connection, and of all together, on the server. The limits of boxes and of `/wait` stand in src/relay/limits.ts. */

export interface HttpLimits {
  readonly maxConnections: number
  /** Connections of one address. The addresses of `trust_proxy` have no such limit. */
  readonly maxConnectionsOfAddress: number
  readonly maxHeaderBytes: number
  /** Time for the header of a request, from its first byte or from the start of the connection. */
  readonly headersMs: number
  /** Time for the body of a request, and for each part of one that may be larger. */
  readonly requestMs: number
  /** Time that a connection stays open without a request. */
  readonly idleMs: number
  /** Time in which a reader takes a whole answer. */
  readonly answerMs: number
  /** Speed below which the sender or the reader of an object is cut off, beside the times above. */
  readonly minBytesPerSec: number
  /** Requests of one connection that are not answered yet. */
  readonly maxPipelined: number
  /** Bytes of all answers that their readers have not taken yet. */
  readonly maxUnreadBytes: number
  /** Bytes of a body that is too big which the server still reads, so that the sender reads the answer. */
  readonly maxDrainBytes: number
  /** How often the server looks for connections that are over their time. */
  readonly lookMs: number
  /** Life of a stream. The client then opens another one. */
  readonly streamMs: number
  /** Time for running requests at a stop. */
  readonly stopMs: number
}

export const HTTP_LIMITS: HttpLimits = {
  maxConnections: 8192, // sanity: twice the streams; each takes some 12 KiB
  maxConnectionsOfAddress: 256, // sanity: its streams, and browsers beside them, which open 6 each
  maxHeaderBytes: 8192, // sanity: a browser sends 1 KiB, and a proxy adds some lines
  headersMs: 10_000, // sanity: a header is one or two packets, also by radio
  requestMs: 30_000, // sanity: 64 KiB at 2 KiB/s
  idleMs: 65_000, // sanity: a client that checks every 60 s keeps its connection
  answerMs: 60_000, // sanity: 1.4 MiB, the largest answer, at 24 KiB/s
  minBytesPerSec: 16 << 10, // sanity: 128 kbit/s, so 21 minutes for the largest object
  maxPipelined: 16, // sanity: browsers do not pipeline, and a client gains nothing from more
  maxUnreadBytes: 64 << 20, // sanity: 45 of the largest answers
  maxDrainBytes: 1 << 20, // sanity: a file sent by mistake; a sender of more sees its connection end
  lookMs: 1000, // sanity: short beside the times above
  streamMs: 3_600_000, // sanity: a reader who vanished without a word is gone after that, whatever the network says
  stopMs: 10_000, // sanity: the service manager waits 20 s
}
