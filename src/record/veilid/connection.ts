/**
 * One connection to veilid-server: a line of JSON for each request and each answer, matched by number, since answers come in any order. The
 * server ends a connection at the first line that it does not understand.
 */
import type { Duplex } from 'node:stream'
import { encodeUtf8 } from '../../core/encoding/bytes.ts'
import type { Clock } from '../../process/pulse.ts'
import { RecordError } from '../errors.ts'
import { parseMessage, type VeilidResponse, type VeilidUpdate } from './messages.ts'

const MAX_LINE_CHARS = 262_144 // sanity: as upstream's own client; a value of 32 KiB takes 44 KiB
const CALL_MS = 60_000 // sanity: the network answers a get within 10 s, and a set after it within 10 s more

export type Fields = Readonly<Record<string, unknown>>

export interface VeilidConnectionOptions {
  readonly stream: Duplex
  readonly clock: Clock
  readonly onUpdate: (update: VeilidUpdate) => void
  /** No call is answered any more. */
  readonly onEnd: () => void
}

interface Waiting {
  readonly resolve: (response: VeilidResponse) => void
  readonly reject: (error: RecordError) => void
}

export class VeilidConnection {
  readonly #options: VeilidConnectionOptions
  readonly #waiting = new Map<number, Waiting>()
  #lastId = 0
  #line = ''
  #isOver = false

  constructor(options: VeilidConnectionOptions) {
    this.#options = options
    const { stream } = options
    stream.setEncoding('utf8')
    stream.on('data', (text: string) => this.#take(text))
    stream.on('error', () => this.#end())
    stream.on('close', () => this.#end())
    stream.on('end', () => this.#end())
  }

  get isOver(): boolean {
    return this.#isOver
  }

  /**
   * Sends one request.
   * @returns the answer, which may be a refusal
   * @throws {RecordError} RECORD_AWAY
   */
  async call(request: Fields): Promise<VeilidResponse> {
    if (this.#isOver) throw ended()
    const id = ++this.#lastId
    const { promise, resolve, reject } = Promise.withResolvers<VeilidResponse>()
    const cancel = this.#options.clock.after(CALL_MS, () => reject(silent()))
    this.#waiting.set(id, { resolve, reject })
    try {
      this.#options.stream.write(encodeUtf8(`${JSON.stringify({ id, ...request })}\n`))
      return await promise
    } finally {
      cancel()
      this.#waiting.delete(id)
    }
  }

  close(): void {
    this.#end()
  }

  #take(text: string): void {
    const lines = (this.#line + text).split('\n')
    this.#line = lines.pop()!
    for (const line of lines) {
      if (this.#isOver) return
      if (line.trim() !== '') this.#takeLine(line)
    }
    if (this.#line.length > MAX_LINE_CHARS) this.#end()
  }

  #takeLine(line: string): void {
    const message = line.length > MAX_LINE_CHARS ? null : parseMessage(line)
    if (message === null) this.#end()
    else if (message.type === 'Update') this.#options.onUpdate(message)
    else this.#waiting.get(message.id)?.resolve(message)
  }

  #end(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#options.stream.destroy()
    for (const { reject } of this.#waiting.values()) reject(ended())
    this.#options.onEnd()
  }
}

function ended(): RecordError {
  return new RecordError('RECORD_AWAY', 'the connection to veilid-server ended', 'check that veilid-server runs')
}

function silent(): RecordError {
  return new RecordError(
    'RECORD_AWAY',
    `veilid-server did not answer within ${CALL_MS / 1000} s`,
    'its network may be slow; try again later',
  )
}
