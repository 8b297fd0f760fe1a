/** Carries the messages of a pairing over TCP: two bytes of length, then the message. One peer at a time (docs/pairing.md, section 4). */
import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { formatHostPort } from '../../core/encoding/host-port.ts'
import type { Address } from '../../pairing/address.ts'
import { MAX_NOISE_BYTES } from '../../pairing/session.ts'
import { CliError } from '../io/errors.ts'

const LENGTH_BYTES = 2 // format: big-endian; enough for the longest Noise message
const DIAL_MS = 4000 // sanity: a device on the same network answers in milliseconds; the next address may be the right one
export const HANDSHAKE_MS = 10_000 // sanity: a silent stranger keeps the owner's own device out for at most this long
export const MESSAGE_MS = 30_000 // sanity: between two messages of the transfer

/** Carries the messages of one pairing. */
export interface Line {
  /** @param message 1..MAX_NOISE_BYTES bytes @throws {CliError} PAIRING_PEER_GONE | PAIRING_PEER_SILENT */
  send(message: Uint8Array): Promise<void>
  /** Ends this turn: the other side answers next. @throws {DurableError} */
  flush(): Promise<void>
  /**
   * Returns the next whole message within `timeoutMs`, however it trickles in.
   * @throws {CliError} PAIRING_PEER_GONE | PAIRING_PEER_SILENT | PAIRING_FRAME | PAIRING_FILE
   */
  receive(timeoutMs: number): Promise<Uint8Array>
  /** True once the other side has hung up. */
  readonly isGone: boolean
  close(): void
}

export interface Listener {
  readonly port: number
  /** Waits for the next peer after the last one is closed. Returns null if the listener was closed or `signal` aborts. */
  next(signal: AbortSignal): Promise<Line | null>
  close(): void
}

/**
 * Listens until it is closed. It hangs up on others while one peer is connected.
 * @param host null for every interface
 * @throws {CliError} PAIRING_CONNECTION
 */
export async function listen(host: string | null, port: number): Promise<Listener> {
  const server = createServer({ pauseOnConnect: true })
  server.maxConnections = 1
  const waiting: Socket[] = []
  server.on('connection', (socket) => {
    // Needed before anybody reads the socket: an error without a listener would end the process.
    socket.on('error', () => {})
    waiting.push(socket)
    server.emit('peer')
  })
  try {
    server.listen({ port, ...(host === null ? {} : { host }) })
    await once(server, 'listening')
  } catch (cause) {
    throw cannot(
      `listen on ${host === null ? `port ${port}` : formatHostPort({ host, port })}`,
      cause,
      'choose another address with --listen HOST:PORT',
    )
  }
  const { port: bound } = server.address() as { port: number }
  return {
    port: bound,
    next: (signal) => nextPeer(server, waiting, signal),
    close: () => {
      server.close()
      for (const socket of waiting.splice(0)) socket.destroy()
    },
  }
}

async function nextPeer(server: Server, waiting: Socket[], signal: AbortSignal): Promise<Line | null> {
  for (;;) {
    if (signal.aborted) return null
    const socket = waiting.shift()
    if (socket !== undefined) return new TcpLine(socket)
    await once(server, 'peer', { signal }).catch(() => {})
  }
}

/** @throws {CliError} PAIRING_CONNECTION */
export async function dial(address: Address, timeoutMs: number = DIAL_MS): Promise<Line> {
  const socket = connect({ host: address.host, port: address.port })
  try {
    await once(socket, 'connect', { signal: AbortSignal.timeout(timeoutMs) })
  } catch (cause) {
    socket.destroy()
    throw cannot(`connect to ${formatHostPort(address)}`, cause, 'check the address on the other screen')
  }
  socket.on('error', () => {})
  return new TcpLine(socket)
}

class TcpLine implements Line {
  readonly #socket: Socket
  #unread: Buffer = Buffer.alloc(0)
  #isEnded = false
  /** Called on every event of the socket. */
  #wake: () => void = () => {}

  constructor(socket: Socket) {
    this.#socket = socket
    socket.setNoDelay(true)
    socket.on('data', (bytes) => {
      this.#unread = Buffer.concat([this.#unread, bytes])
      // Buffers one message and a little. A peer that sends more waits until we read on.
      if (this.#unread.length > MAX_NOISE_BYTES) socket.pause()
      this.#wake()
    })
    const end = (): void => {
      this.#isEnded = true
      this.#wake()
    }
    socket.on('end', end)
    socket.on('close', end)
    socket.on('drain', () => this.#wake())
    socket.resume()
  }

  get isGone(): boolean {
    return this.#isEnded
  }

  async send(message: Uint8Array): Promise<void> {
    if (message.length === 0 || message.length > MAX_NOISE_BYTES) throw new Error('a message cannot have this length')
    if (this.#isEnded) throw gone()
    const frame = Buffer.alloc(LENGTH_BYTES + message.length)
    frame.writeUInt16BE(message.length)
    frame.set(message, LENGTH_BYTES)
    this.#socket.write(frame)
    const deadlineMs = performance.now() + MESSAGE_MS
    while (this.#socket.writableNeedDrain) {
      if (this.#isEnded) throw gone()
      await this.#nextEvent(deadlineMs)
    }
  }

  flush(): Promise<void> {
    return Promise.resolve()
  }

  async receive(timeoutMs: number): Promise<Uint8Array> {
    const deadlineMs = performance.now() + timeoutMs
    const length = (await this.#take(LENGTH_BYTES, deadlineMs)).readUInt16BE()
    if (length > 0) return await this.#take(length, deadlineMs)
    this.close()
    throw new CliError('PAIRING_FRAME', 'the other side does not speak the pairing protocol')
  }

  close(): void {
    this.#socket.destroySoon()
  }

  async #take(length: number, deadlineMs: number): Promise<Buffer> {
    while (this.#unread.length < length) {
      if (this.#isEnded) throw gone()
      this.#socket.resume()
      await this.#nextEvent(deadlineMs)
    }
    const bytes = this.#unread.subarray(0, length)
    this.#unread = this.#unread.subarray(length)
    return bytes
  }

  /** @throws {CliError} PAIRING_PEER_SILENT */
  async #nextEvent(deadlineMs: number): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const silence = new CliError('PAIRING_PEER_SILENT', 'the other device does not answer')
      const timer = setTimeout(() => reject(silence), Math.max(deadlineMs - performance.now(), 0))
      this.#wake = (): void => {
        clearTimeout(timer)
        resolve()
      }
    })
  }
}

function gone(): CliError {
  const hint = 'read the message on the other screen, then start the pairing again'
  return new CliError('PAIRING_PEER_GONE', 'the other device closed the connection', { hint })
}

function cannot(what: string, cause: unknown, hint: string): CliError {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown error'
  const why = code === 'ABORT_ERR' ? 'no answer' : code
  return new CliError('PAIRING_CONNECTION', `cannot ${what} (${why})`, { cause, hint })
}
