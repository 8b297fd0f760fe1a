/** The requests for objects: bodies go between the connection and a file, and no more of them is in memory than a part. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { pipeline } from 'node:stream/promises'
import type { Clock } from '../../process/pulse.ts'
import type { ObjectTarget } from '../../relay/paths/object-path.ts'
import type { FoundObject, ObjectCaller, ObjectService } from '../objects/object-service.ts'
import { beginBytes, type Answer } from './answers.ts'
import { bearerOf } from './bearer.ts'
import { hasRest } from './body.ts'
import { readRange } from './byte-range.ts'
import type { Connections } from './connections.ts'
import type { HttpLimits } from './http-limits.ts'
import { answerToMissing, answerToPutObject, answerToRemoveObject, etagOf, noSuchRange } from './object-answers.ts'

export interface ObjectRouteOptions {
  readonly objects: ObjectService
  readonly connections: Connections
  readonly http: HttpLimits
  readonly maxObjectBytes: number
  readonly clock: Clock
  /** Writes an answer whose body is a text. */
  readonly write: (request: IncomingMessage, response: ServerResponse, outcome: string, answer: Answer) => void
  /** Counts an answer whose body is a file. */
  readonly count: (outcome: string) => void
}

/** One request for one object. */
export interface ObjectRequest {
  readonly target: ObjectTarget
  /** Path and query below the address of the relay, as sent. */
  readonly path: string
  readonly caller: ObjectCaller
}

export class ObjectRoute {
  readonly #options: ObjectRouteOptions

  constructor(options: ObjectRouteOptions) {
    this.#options = options
  }

  async answer(object: ObjectRequest, request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method === 'PUT') return await this.#put(object, request, response)
    if (request.method === 'DELETE') return await this.#remove(object, request, response)
    return await this.#get(object, request, response)
  }

  async #put(
    { target, path, caller }: ObjectRequest,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const { objects, maxObjectBytes, write } = this.#options
    const length = request.headers['content-length']
    const announcedBytes = length === undefined ? null : Number(length)
    const parts = this.#parts(request, Math.min(announcedBytes ?? maxObjectBytes, maxObjectBytes))
    const put = await objects.put(
      target,
      {
        path,
        bearer: bearerOf(request.headers.authorization),
        announcedBytes,
        parts: parts(),
        cut: () => request.socket.destroy(),
      },
      caller,
    )
    if (put.outcome === 'gone') return
    // A sender reads no answer before its whole body is out, and a connection that ends before that takes the answer with it.
    if (put.outcome !== 'too big' && !(await this.#readRest(request, parts()))) return
    write(request, response, `put: ${put.outcome}`, answerToPutObject(put, maxObjectBytes))
  }

  /** @returns parts of the body, each within its time and all together within theirs */
  #parts(request: IncomingMessage, maxBytes: number): () => AsyncGenerator<Uint8Array, void, void> {
    const { clock, connections, http } = this.#options
    const endsAtMs = clock.nowMs() + this.#transferMs(maxBytes)
    return async function* () {
      // A short body has come whole by now, and waits in memory.
      if (hasRest(request)) connections.expectBody(request, http.requestMs)
      for await (const part of request.iterator({ destroyOnReturn: false })) {
        if (hasRest(request)) connections.expectBody(request, Math.min(http.requestMs, endsAtMs - clock.nowMs()))
        yield part as Uint8Array
      }
    }
  }

  /** @returns false if the sender has left */
  async #readRest(request: IncomingMessage, parts: AsyncIterable<Uint8Array>): Promise<boolean> {
    let left = this.#options.maxObjectBytes
    try {
      for await (const { length } of parts) if ((left -= length) < 0) return true
      return true
    } catch {
      return !request.socket.destroyed
    }
  }

  async #get({ target, caller }: ObjectRequest, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { objects, write, count } = this.#options
    const isHead = request.method === 'HEAD'
    const action = isHead ? 'head' : 'get'
    const found = await objects.find(target, caller)
    if (found.outcome !== 'found')
      return write(request, response, `${action}: ${found.outcome}`, answerToMissing(found))
    const { bytes } = found.object
    const range = isHead ? 'whole' : readRange(request.headers.range, bytes)
    if (range === 'none') return write(request, response, 'get: range', noSuchRange(bytes))
    const { first, last } = range === 'whole' ? { first: 0, last: bytes - 1 } : range
    const begin = (): void => {
      count(`${action}: found`)
      const part = range === 'whole' ? [] : ['Content-Range', `bytes ${first}-${last}/${bytes}`]
      beginBytes(response, part.length === 0 ? 200 : 206, [...headersOf(found.object, last - first + 1), ...part])
    }
    if (isHead) {
      begin()
      return void response.end()
    }
    const read = await objects.read(target, found.object, { first, last }, caller)
    if (read.outcome !== 'reading') return write(request, response, `get: ${read.outcome}`, answerToMissing(read))
    begin()
    this.#options.connections.expectReader(request.socket, response, this.#transferMs(last - first + 1))
    await pipeline(read.bytes, response).catch((error: unknown) => {
      // A reader may leave at any time. Whatever else ends a file is a fault of this machine.
      if (!read.bytes.errored || isLeft(error)) return
      throw error
    })
  }

  async #remove(
    { target, path, caller }: ObjectRequest,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const { objects, write } = this.#options
    const removed = await objects.remove(target, { path, bearer: bearerOf(request.headers.authorization) }, caller)
    write(request, response, `delete: ${removed.outcome}`, answerToRemoveObject(removed))
  }

  #transferMs(bytes: number): number {
    const { requestMs, minBytesPerSec } = this.#options.http
    return requestMs + (bytes / minBytesPerSec) * 1000
  }
}

function headersOf(object: FoundObject, bytes: number): readonly string[] {
  return [
    'Content-Length',
    String(bytes),
    'ETag',
    etagOf(object),
    'Accept-Ranges',
    'bytes',
    // It never changes, and may be deleted.
    'Cache-Control',
    'no-store',
  ]
}

function isLeft(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_STREAM_PREMATURE_CLOSE'
}
