/** One connection to the session bus: authenticates as this user, calls, and closes (D-Bus Specification, "Authentication Protocol"). */
import { connect, type Socket } from 'node:net'
import { concatBytes, encodeUtf8 } from '../../core/encoding/bytes.ts'
import { PersonadError } from '../../errors/personad-error.ts'
import { DbusWriter, encodeCall, takeMessage, type Answer, type Call } from './dbus-message.ts'

const ANSWER_MS = 5000 // sanity: for all calls of a connection; the bus starts a notification service on demand, within a second or two
const MAX_RECEIVED_BYTES = 1 << 20 // sanity: for a whole connection; our answers are below 70 kB, and a bus may add signals

export type BusErrorCode =
  | 'BUS_NONE' // no session bus is known here
  | 'BUS_UNREACHABLE' // its socket does not answer
  | 'BUS_REFUSED' // it, or a service on it, answered with an error
  | 'BUS_TIMEOUT'

export class BusError extends PersonadError<BusErrorCode> {
  override readonly name = 'BusError'
}

const HELLO: Call = {
  destination: 'org.freedesktop.DBus',
  path: '/org/freedesktop/DBus',
  interface: 'org.freedesktop.DBus',
  member: 'Hello',
  signature: '',
  body: new Uint8Array(0),
}

/** Whether somebody owns, or could be started to own, this name on the bus. @throws {BusError} */
export async function hasService(sockets: readonly string[], name: string): Promise<boolean> {
  const asks = (member: string, signature: string, body: Uint8Array): Call => ({ ...HELLO, member, signature, body })
  return await withBus(sockets, async (call) => {
    const owned = await call(asks('NameHasOwner', 's', new DbusWriter().text(name).bytes()))
    if (owned.body[0] === 1 || owned.body[3] === 1) return true
    const { body } = await call(asks('ListActivatableNames', '', new Uint8Array(0)))
    return Buffer.from(body).includes(`${name}\0`)
  })
}

/**
 * Connects to the first socket that answers, and runs `work` with a function that calls and waits for the answer.
 * @throws {BusError} every code
 */
export async function withBus<T>(
  sockets: readonly string[],
  work: (call: (call: Call) => Promise<Answer>) => Promise<T>,
): Promise<T> {
  const bus = await Bus.connect(sockets)
  try {
    await bus.call(HELLO)
    return await work((call) => bus.call(call))
  } finally {
    bus.close()
  }
}

class Bus {
  readonly #socket: Socket
  readonly #deadline: NodeJS.Timeout
  #received: Uint8Array = new Uint8Array(0)
  #receivedBytes = 0
  #wake: () => void = () => {}
  #failure: BusError | null = null
  #serial = 0

  private constructor(socket: Socket) {
    this.#socket = socket
    // A bus that does not answer must not keep the daemon from stopping.
    socket.unref()
    // Not a time without data: a bus could send a byte now and then for ever.
    this.#deadline = setTimeout(
      () => this.#fail('BUS_TIMEOUT', `the session bus did not answer in ${ANSWER_MS} ms`),
      ANSWER_MS,
    ).unref()
    socket.on('data', (data) => {
      this.#receivedBytes += data.length
      if (this.#receivedBytes > MAX_RECEIVED_BYTES)
        return this.#fail('BUS_REFUSED', `the session bus sent more than ${MAX_RECEIVED_BYTES} bytes, and no answer`)
      this.#received = concatBytes(this.#received, data)
      this.#wake()
    })
    socket.on('error', (cause) => this.#fail('BUS_UNREACHABLE', `the session bus cannot be reached: ${cause.message}`))
    socket.on('close', () => this.#fail('BUS_UNREACHABLE', 'the session bus closed the connection'))
  }

  static async connect(sockets: readonly string[]): Promise<Bus> {
    let failure = new BusError('BUS_NONE', 'no session bus is known here')
    for (const path of sockets) {
      const bus = new Bus(connect({ path }))
      try {
        await bus.#authenticate()
        return bus
      } catch (error) {
        bus.close()
        if (!(error instanceof BusError)) throw error
        failure = error
      }
    }
    throw failure
  }

  async call(call: Call): Promise<Answer> {
    const serial = ++this.#serial
    this.#socket.write(encodeCall(call, serial))
    for (;;) {
      const taken = this.#take()
      if (taken?.replyTo === serial) {
        if (taken.error === null) return taken
        throw new BusError('BUS_REFUSED', `the session bus answered ${call.member} with ${taken.error}`)
      }
      // Signals, such as the name of this connection, are of no interest.
      if (taken === null) await this.#more()
    }
  }

  close(): void {
    clearTimeout(this.#deadline)
    this.#socket.destroy()
  }

  /** EXTERNAL: the kernel tells the bus which user this is; the number in the line must be the same. */
  async #authenticate(): Promise<void> {
    const uid = Buffer.from(String(process.getuid?.() ?? 0)).toString('hex')
    this.#socket.write(encodeUtf8(`\0AUTH EXTERNAL ${uid}\r\n`))
    let end = -1
    while ((end = this.#received.indexOf(0x0a)) < 0) await this.#more()
    const line = Buffer.from(this.#received.subarray(0, end)).toString('latin1').trim()
    if (!line.startsWith('OK ')) throw new BusError('BUS_REFUSED', `the session bus refused this user: ${line}`)
    this.#received = this.#received.slice(end + 1)
    this.#socket.write('BEGIN\r\n')
  }

  #take(): Answer | null {
    try {
      const taken = takeMessage(this.#received)
      if (taken === null) return null
      this.#received = taken.rest
      return taken.message
    } catch (cause) {
      throw new BusError('BUS_REFUSED', 'the session bus sent something that is no message', { cause })
    }
  }

  /** Waits until more was received. */
  async #more(): Promise<void> {
    if (this.#failure !== null) throw this.#failure
    await new Promise<void>((wake) => {
      this.#wake = wake
    })
    if (this.#failure !== null) throw this.#failure
  }

  #fail(code: BusErrorCode, message: string): void {
    clearTimeout(this.#deadline)
    this.#failure ??= new BusError(code, message)
    this.#socket.destroy()
    this.#wake()
  }
}
