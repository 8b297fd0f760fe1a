/** Answers the data of one `rpc` frame with a frame: permission, params, handler, result (docs/ipc.md, section 2). */
import { firstFault, type Fault, type Look } from './first-fault.ts'
import { errorText } from '../wire/errors.ts'
import { isFrameTooLarge } from '../wire/frame.ts'
import type { Caller, Handlers, MethodSpec, MethodTable, Permission } from '../methods/method.ts'
import { formatError, formatResult, readRequest, requestId, RpcError, type RequestId } from '../wire/rpc.ts'

export type Log = (
  level: 'debug' | 'info' | 'warn' | 'error',
  message: string,
  fields?: Readonly<Record<string, unknown>>,
) => void

export interface DispatchOptions<M extends MethodTable<M>> {
  readonly methods: M
  readonly handlers: Handlers<M>
  readonly authorize: (caller: Caller, permission: Permission) => boolean
  /** Turns an error of a handler into the one that the caller sees; null for INTERNAL, whose details only the log has. */
  readonly toRpcError?: (error: unknown) => RpcError | null
  readonly log: Log
}

/**
 * Answers one request with one frame, at once if the handler answers at once. Never throws, never rejects.
 * @param onLarge called before a handler with a large result runs
 */
export type Dispatch = (data: unknown, caller: Caller, onLarge?: OnLarge) => string | Promise<string>

/** @returns for a long call a promise of its turn, and then the function that ends it */
export type OnLarge = (isLong: boolean) => Promise<() => void> | undefined

type Handler = (params: unknown, caller: Caller) => unknown

interface Entry {
  readonly spec: MethodSpec<unknown, unknown>
  /** Prepared at the first call: most methods are never called in the life of a daemon. */
  look: Look | null | undefined
  readonly handler: Handler
}

const MAX_ISSUE_CHARS = 200 // sanity: the path of a fault holds names of the caller's choosing

export function createDispatch<M extends MethodTable<M>>(options: DispatchOptions<M>): Dispatch {
  // A Map, since an object would have a method "constructor".
  const table = new Map<string, Entry>()
  for (const name of Object.keys(options.methods)) {
    const key = name as keyof M
    const spec = options.methods[key]
    table.set(name, { spec, look: undefined, handler: options.handlers[key] as Handler })
  }

  function fail(id: RequestId | null, method: string, error: unknown): string {
    if (error instanceof RpcError) return formatError(id, error)
    const known = options.toRpcError?.(error) ?? null
    if (known !== null) return formatError(id, known)
    options.log('error', 'a method failed', { method, error: errorText(error), stack: stackOf(error) })
    return formatError(id, new RpcError('INTERNAL', `the daemon failed in ${method}`, { hint: 'see its log' }))
  }

  function finish(id: RequestId, method: string, result: unknown): string {
    try {
      const frame = formatResult(id, result)
      if (!isFrameTooLarge(frame)) return frame
      const hint = 'ask for less at a time'
      return formatError(id, new RpcError('RESULT_TOO_LARGE', `the result of ${method} does not fit a frame`, { hint }))
    } catch (error) {
      return fail(id, method, error)
    }
  }

  async function runLong(
    id: RequestId,
    method: string,
    { handler }: Entry,
    params: unknown,
    caller: Caller,
  ): Promise<string> {
    try {
      if (!caller.isOpen) throw new RpcError('INTERNAL', 'the connection is over')
      return finish(id, method, await handler(params, caller))
    } catch (error) {
      return fail(id, method, error)
    }
  }

  return (data, caller, onLarge) => {
    let name = 'a request'
    try {
      const { id, method, params } = readRequest(data)
      const entry = table.get(method)
      if (entry === undefined) throw new RpcError('METHOD_UNKNOWN', 'there is no such method')
      name = method
      if (!options.authorize(caller, entry.spec.permission)) throw denied(method, entry.spec.permission)
      const checked = checkParams(entry, params)
      const turn = entry.spec.isLarge === true ? onLarge?.(entry.spec.isLong === true) : undefined
      if (turn !== undefined) return turn.then((leave) => runLong(id, method, entry, checked, caller).finally(leave))
      const result = entry.handler(checked, caller)
      if (!(result instanceof Promise)) return finish(id, method, result)
      return result.then(
        (value) => finish(id, method, value),
        (error: unknown) => fail(id, method, error),
      )
    } catch (error) {
      return fail(requestId(data), name, error)
    }
  }
}

function denied(method: string, permission: Permission): RpcError {
  return new RpcError('PERMISSION_DENIED', `${method} needs the permission "${permission}"`, {
    hint: permission === 'admin' ? "use the owner's admin socket" : 'the owner can grant it',
    details: { permission },
  })
}

function checkParams(entry: Entry, params: unknown): unknown {
  const { spec } = entry
  if (entry.look === undefined) entry.look = firstFault(spec.params)
  const fault = entry.look?.(params) ?? null
  if (fault !== null) throw badParams(fault)
  const parsed = spec.params.safeParse(params)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  throw badParams(issue ?? { path: [], message: 'they do not match the method table' })
}

function badParams(fault: Fault): RpcError {
  const path = pathOf(fault)
  const text = `params${path}: ${fault.message}`.slice(0, MAX_ISSUE_CHARS).toWellFormed()
  const { maximum, minimum, origin = '' } = fault
  const unit = origin === 'string' ? 'characters' : origin === 'array' ? 'entries' : null
  return new RpcError('BAD_PARAMS', text, {
    hint: 'docs/ipc.md lists the params of each method',
    details: {
      ...(path === '' ? {} : { param: path.replace(/^\./, '').slice(0, MAX_ISSUE_CHARS).toWellFormed() }),
      ...(maximum === undefined ? {} : { most: Number(maximum), unit }),
      ...(minimum === undefined ? {} : { least: Number(minimum), unit }),
    },
  })
}

function pathOf({ path }: Fault): string {
  return path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`)).join('')
}

function stackOf(error: unknown): string | undefined {
  return error instanceof Error ? error.stack : undefined
}
