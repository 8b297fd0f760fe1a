/** The operator's side of a running relay: the control socket for commands, and the place of /metrics. Both speak HTTP. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { isOwnError } from '../../process/describe-error.ts'
import { bindPath, checkSocketPath, claimSocket, releaseSocket, removeStaleSocket } from '../../ipc/socket-file.ts'
import { readBody } from '../http/body.ts'
import type { ListenAddress } from './relay-config.ts'

const MAX_BODY_BYTES = 4096 // sanity: a name or a key
const REQUEST_MS = 10_000 // sanity: a command of the same machine

/** Calls of the control socket. Each takes and gives JSON; an error of ours is the answer. */
export type Calls = Readonly<Record<string, (parameters: Readonly<Record<string, unknown>>) => Promise<unknown>>>

/** A place that a server listens on. */
export interface Place {
  close(): Promise<void>
}

/**
 * Answers `POST /NAME` by the call of that name.
 * @throws {IpcError} SOCKET_PATH_TOO_LONG | SOCKET_IN_USE | SOCKET_PATH_TAKEN | SOCKET_FAILED
 */
export async function serveCalls(path: string, calls: Calls): Promise<Place> {
  return await listenOn(path, async (request, response) => {
    const call = request.method === 'POST' ? calls[(request.url ?? '').slice(1)] : undefined
    const body = await readBody(request, MAX_BODY_BYTES)
    const parameters = body.outcome === 'read' ? body.value : null
    if (call === undefined || typeof parameters !== 'object' || parameters === null)
      return answer(response, 404, 'application/json', JSON.stringify({ error: 'no such call' }))
    try {
      const result = await call(parameters as Record<string, unknown>)
      answer(response, 200, 'application/json', JSON.stringify({ result }))
    } catch (error) {
      if (!isOwnError(error)) throw error
      const { code, message } = error
      answer(response, 200, 'application/json', JSON.stringify({ error: { code, message } }))
    }
  })
}

/** Answers `GET /metrics`. @throws as {@link serveCalls}, or the error of the system for an address */
export async function serveMetrics(where: string | ListenAddress, text: () => Promise<string>): Promise<Place> {
  return await listenOn(where, async (request, response) => {
    const isKnown = request.method === 'GET' && request.url === '/metrics'
    answer(response, isKnown ? 200 : 404, 'text/plain; version=0.0.4; charset=utf-8', isKnown ? await text() : '')
  })
}

function answer(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, { 'Content-Type': type, 'Content-Length': Buffer.byteLength(body) }).end(body)
}

async function listenOn(
  where: string | ListenAddress,
  serve: (request: IncomingMessage, response: ServerResponse) => Promise<void>,
): Promise<Place> {
  const server = createServer({ requestTimeout: REQUEST_MS, headersTimeout: REQUEST_MS }, (request, response) => {
    serve(request, response).catch(() => {
      // The store has stopped, and the relay is about to end.
      if (response.headersSent) response.destroy()
      else answer(response, 500, 'text/plain', 'failed\n')
    })
  })
  if (typeof where !== 'string') {
    await listening(server, where)
    return { close: () => closed(server) }
  }
  checkSocketPath(where)
  // The relay holds the lock of its directory: no other relay does this at the same time.
  await removeStaleSocket(where)
  await removeStaleSocket(bindPath(where))
  await listening(server, { path: bindPath(where) })
  const file = claimSocket(where)
  return {
    close: async () => {
      releaseSocket(file)
      await closed(server)
    },
  }
}

function listening(server: Server, where: ListenAddress | { readonly path: string }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(where, () => resolve())
  })
}

function closed(server: Server): Promise<void> {
  const ended = new Promise<void>((resolve) => void server.close(() => resolve()))
  server.closeAllConnections()
  return ended
}
