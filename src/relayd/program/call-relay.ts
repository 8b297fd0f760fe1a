/** Asks a running relay, over the control socket in its data directory. */
import { request } from 'node:http'
import { PersonadError } from '../../errors/personad-error.ts'

const CALL_MS = 15_000 // sanity: a relay under load answers within a second

export type CallRelayErrorCode =
  | 'CONTROL_ABSENT'
  | 'CONTROL_DENIED' // the socket belongs to another user
  | 'CONTROL_SILENT' // it took too long, or gave no answer of ours
  | 'CONTROL_REFUSED' // the relay's own words

export class CallRelayError extends PersonadError<CallRelayErrorCode> {
  override readonly name = 'CallRelayError'
}

interface Reply {
  readonly result?: unknown
  readonly error?: { readonly message: string } | string
}

/** @throws {CallRelayError} any of its codes */
export async function callRelay(socketPath: string, name: string, parameters: object): Promise<unknown> {
  const text = await post(socketPath, `/${name}`, JSON.stringify(parameters))
  let reply: Reply
  try {
    reply = JSON.parse(text) as Reply
  } catch (cause) {
    throw silent(socketPath, cause)
  }
  if (reply.error === undefined) return reply.result
  const message = typeof reply.error === 'string' ? reply.error : reply.error.message
  throw new CallRelayError('CONTROL_REFUSED', message)
}

function post(socketPath: string, path: string, body: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(CALL_MS)
    const call = request({ socketPath, path, method: 'POST', signal }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (part: string) => (text += part))
      response.on('end', () => resolve(text))
      response.on('error', (cause) => reject(silent(socketPath, cause)))
    })
    call.on('error', (cause) => reject(failure(socketPath, cause)))
    call.end(body)
  })
}

function failure(socketPath: string, cause: Error): CallRelayError {
  const code = 'code' in cause ? cause.code : ''
  if (code === 'ENOENT' || code === 'ECONNREFUSED') {
    const message = `no relay runs with the socket ${socketPath}: start it, or name its data directory with --dir`
    return new CallRelayError('CONTROL_ABSENT', message, { cause })
  }
  if (code === 'EACCES' || code === 'EPERM') {
    const message = `the socket ${socketPath} belongs to another user: run this as that user, or as root`
    return new CallRelayError('CONTROL_DENIED', message, { cause })
  }
  return silent(socketPath, cause)
}

function silent(socketPath: string, cause: unknown): CallRelayError {
  const message = `the relay with the socket ${socketPath} does not answer: look at its log`
  return new CallRelayError('CONTROL_SILENT', message, { cause })
}
