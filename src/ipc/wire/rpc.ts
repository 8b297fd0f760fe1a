/** JSON-RPC 2.0 objects in `rpc` frames, and `event` frames (docs/ipc.md, section 2). Without zod, since the client loads this too. */
import { PersonadError } from '../../errors/personad-error.ts'
import { IpcError } from './errors.ts'
import { formatFrame } from './frame.ts'

/** A text of at most MAX_ID_CHARS, or an integer that JSON carries exactly. */
export type RequestId = string | number

export interface Request {
  readonly id: RequestId
  readonly method: string
  readonly params: unknown
}

export type Reply =
  { readonly id: RequestId; readonly result: unknown } | { readonly id: RequestId | null; readonly error: RpcError }

/** Codes of the socket itself; handlers add their own. */
export type RpcErrorCode =
  | 'BAD_REQUEST'
  | 'BATCH_UNSUPPORTED'
  | 'NOTIFICATION_UNSUPPORTED'
  | 'METHOD_UNKNOWN'
  | 'BAD_PARAMS'
  | 'PERMISSION_DENIED'
  | 'RESULT_TOO_LARGE'
  | 'TOO_MANY_CONNECTIONS'
  | 'IDLE' // another client needed the place
  | 'OUT_OF_ROOM' // all clients together left too much unread, and this one for longest
  | 'INTERNAL'

/** The failure of one call, on both sides of the socket. `code` is stable; branch on nothing else. */
export class RpcError extends PersonadError {
  override readonly name = 'RpcError'
}

const MAX_ID_CHARS = 128 // sanity: a UUID has 36; the daemon keeps an id as long as its call runs
const REQUEST_MEMBERS = new Set(['jsonrpc', 'id', 'method', 'params'])

// JSON-RPC 2.0, section 5.1: its numbers for the errors that it defines, -32000 for all others.
const OTHER_ERROR = -32_000
const JSONRPC_NUMBERS = new Map<string, number>([
  ['FRAME_NOT_UTF8', -32_700],
  ['FRAME_NOT_JSON', -32_700],
  ['FRAME_NOT_ENVELOPE', -32_600],
  ['FRAME_TYPE_UNKNOWN', -32_600],
  ['BAD_REQUEST', -32_600],
  ['BATCH_UNSUPPORTED', -32_600],
  ['NOTIFICATION_UNSUPPORTED', -32_600],
  ['METHOD_UNKNOWN', -32_601],
  ['BAD_PARAMS', -32_602],
  ['INTERNAL', -32_603],
])

/** The id for the answer, or null if there is no valid one. */
export function requestId(data: unknown): RequestId | null {
  if (!isObject(data)) return null
  const { id } = data
  return isRequestId(id) ? id : null
}

/**
 * Checks that the data of an `rpc` frame is one request.
 * @throws {RpcError} BAD_REQUEST | BATCH_UNSUPPORTED | NOTIFICATION_UNSUPPORTED
 */
export function readRequest(data: unknown): Request {
  if (Array.isArray(data)) {
    throw new RpcError(
      'BATCH_UNSUPPORTED',
      'batches are not supported; send one frame for each call, without waiting between them',
    )
  }
  if (!isObject(data)) throw new RpcError('BAD_REQUEST', '"data" must be a JSON-RPC 2.0 request object')
  const { id, method, params } = data
  if (data['jsonrpc'] !== '2.0') throw new RpcError('BAD_REQUEST', '"jsonrpc" must be "2.0"')
  if (typeof method !== 'string') throw new RpcError('BAD_REQUEST', '"method" must be a text')
  // Every call here can fail in a way that matters, and silence would hide a client's mistake.
  if (id === undefined)
    throw new RpcError('NOTIFICATION_UNSUPPORTED', 'a call needs an "id": notifications are not supported')
  if (!isRequestId(id)) {
    throw new RpcError('BAD_REQUEST', `"id" must be a text of at most ${MAX_ID_CHARS} characters or an integer`)
  }
  // Otherwise a misspelt "params" would be a call without params.
  for (const member of Object.keys(data)) {
    if (!REQUEST_MEMBERS.has(member))
      throw new RpcError('BAD_REQUEST', 'a request has only jsonrpc, id, method and params')
  }
  return { id, method, params: params === undefined ? {} : params }
}

/** The frame of a call. */
export function formatRequest(id: RequestId, method: string, params: unknown): string {
  return formatFrame('rpc', { jsonrpc: '2.0', id, method, params })
}

/** The frame of a result; a handler that returns nothing answers null. */
export function formatResult(id: RequestId, result: unknown): string {
  return formatFrame('rpc', { jsonrpc: '2.0', id, result: result ?? null })
}

/** The frame of a failure. */
export function formatError(id: RequestId | null, error: RpcError | IpcError): string {
  const details = error instanceof RpcError ? error.details : {}
  const data = { ...details, code: error.code, ...(error.hint === null ? {} : { hint: error.hint }) }
  const number = JSONRPC_NUMBERS.get(error.code) ?? OTHER_ERROR
  return formatFrame('rpc', { jsonrpc: '2.0', id, error: { code: number, message: error.message, data } })
}

/** The frame of an event: its data is the whole message, with its name under `event`. */
export function formatEvent(message: { readonly event: string }): string {
  return formatFrame('event', message)
}

/**
 * The event in the place of events that were not sent to a slow reader, whose knowledge of the state may be old.
 * @param after number of the last event before the gap; a reader that subscribes again with it gets the missing events that are still kept
 */
export function lagged(missed: number, after: number): { event: 'lagged'; data: { missed: number; after: number } } {
  return { event: 'lagged', data: { missed, after } }
}

/**
 * Reads an answer, on the client's side.
 * @throws {IpcError} PROTOCOL
 */
export function readReply(data: unknown): Reply {
  if (!isObject(data) || data['jsonrpc'] !== '2.0')
    throw new IpcError('PROTOCOL', 'the daemon sent something else than a JSON-RPC 2.0 answer')
  const { id, error } = data
  if (error === undefined && isRequestId(id) && 'result' in data) return { id, result: data['result'] }
  if (!isObject(error) || (id !== null && !isRequestId(id))) {
    throw new IpcError('PROTOCOL', 'the daemon sent an answer that is neither a result nor an error')
  }
  return { id, error: readError(error) }
}

function readError(error: Readonly<Record<string, unknown>>): RpcError {
  const { code, hint, ...details } = isObject(error['data']) ? error['data'] : {}
  return new RpcError(
    typeof code === 'string' ? code : 'INTERNAL',
    typeof error['message'] === 'string' ? error['message'] : 'the daemon gave no reason',
    { details, ...(typeof hint === 'string' ? { hint } : {}) },
  )
}

function isRequestId(id: unknown): id is RequestId {
  return typeof id === 'string' ? id.length <= MAX_ID_CHARS : Number.isSafeInteger(id)
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
