/** Connects through a SOCKS5 proxy (RFC 1928), without a password. The proxy gets the name and resolves it: nothing is resolved here. */
import { once } from 'node:events'
import { connect, isIPv4, isIPv6, type Socket } from 'node:net'
import { NetError } from './errors.ts'
import type { HostPort } from './settings.ts'

const VERSION = 5
const NO_AUTHENTICATION = 0
const CONNECT = 1
const [IPV4, NAME, IPV6] = [1, 3, 4] as const
const REPLY_HEAD_BYTES = 4 // version, reply, a zero, kind of address
const PORT_BYTES = 2
/** The replies of section 6, by their number. */
const REPLIES = [
  '',
  'it failed',
  'its rules forbid it',
  'the network is unreachable',
  'the host is unreachable',
  'the connection was refused',
  'it took too long',
  'it knows no connections of this kind',
  'it knows no addresses of this kind',
]

/**
 * Opens a connection to a host through the proxy. It has no time limit: the caller ends it by the signal.
 * @returns a socket that nothing was read from beyond the reply of the proxy
 * @throws {NetError} NET_UNREACHABLE
 */
export async function connectBySocks(proxy: HostPort, target: HostPort, signal: AbortSignal): Promise<Socket> {
  const socket = connect({ ...proxy, signal })
  const reader = new ExactReader(socket)
  try {
    await once(socket, 'connect', { signal })
    socket.write(Uint8Array.of(VERSION, 1, NO_AUTHENTICATION))
    const [version, method] = await reader.read(2)
    if (version !== VERSION) throw failure('it speaks no SOCKS5')
    if (method !== NO_AUTHENTICATION) throw failure('it asks for a password')
    socket.write(Buffer.concat([Uint8Array.of(VERSION, CONNECT, 0), addressOf(target)]))
    const head = await reader.read(REPLY_HEAD_BYTES)
    if (head[0] !== VERSION) throw failure('it speaks no SOCKS5')
    if (head[1] !== 0) throw failure(`it does not reach ${target.host}: ${REPLIES[head[1]!] ?? `reply ${head[1]}`}`)
    await reader.read((await boundLength(reader, head[3]!)) + PORT_BYTES)
    reader.release()
    return socket
  } catch (cause) {
    socket.destroy()
    if (cause instanceof NetError) throw cause
    throw new NetError('NET_UNREACHABLE', `the proxy ${proxy.host}:${proxy.port} cannot be reached`, { cause })
  }
}

/** The kind of the address, the address and the port, in the order of the wire. */
function addressOf({ host, port }: HostPort): Uint8Array {
  const ending = Uint8Array.of(port >> 8, port & 0xff)
  if (isIPv4(host)) return Buffer.concat([Uint8Array.of(IPV4, ...host.split('.').map(Number)), ending])
  if (isIPv6(host)) return Buffer.concat([Uint8Array.of(IPV6), ipv6Bytes(host), ending])
  const name = Buffer.from(host, 'latin1')
  return Buffer.concat([Uint8Array.of(NAME, name.length), name, ending])
}

/** `URL` has written it: lower case, without a zone, and with no IPv4 part. */
function ipv6Bytes(text: string): Uint8Array {
  const [before, after] = text.split('::').map((half) => half.split(':').filter((group) => group !== ''))
  const zeros = after === undefined ? 0 : 8 - before!.length - after.length
  const groups = [...before!, ...Array.from({ length: zeros }, () => '0'), ...(after ?? [])]
  return Uint8Array.from(groups.flatMap((group) => [parseInt(group, 16) >> 8, parseInt(group, 16) & 0xff]))
}

/** The length of the address that the proxy has bound, which nobody needs. */
async function boundLength(reader: ExactReader, kind: number): Promise<number> {
  if (kind === IPV4) return 4
  if (kind === IPV6) return 16
  if (kind === NAME) return (await reader.read(1))[0]!
  throw failure('it speaks no SOCKS5')
}

/** Reads exact lengths from a socket. All bytes after them stay there. */
class ExactReader {
  readonly #socket: Socket
  #wake: () => void = () => {}
  readonly #onNews = (): void => this.#wake()

  constructor(socket: Socket) {
    this.#socket = socket
    // One listener for all reads: a new one is called at once while there is a byte, also if it is too few.
    socket.on('readable', this.#onNews)
    socket.on('close', this.#onNews)
    // Its end shows in what is read.
    socket.on('error', () => {})
  }

  async read(length: number): Promise<Uint8Array> {
    for (;;) {
      const bytes = this.#socket.read(length) as Buffer | null
      if (bytes?.length === length) return bytes
      if (bytes !== null || this.#socket.readableEnded || this.#socket.destroyed)
        throw failure('it closed the connection')
      await new Promise<void>((done) => (this.#wake = done))
    }
  }

  release(): void {
    this.#socket.off('readable', this.#onNews)
    this.#socket.off('close', this.#onNews)
  }
}

function failure(reason: string): NetError {
  return new NetError('NET_UNREACHABLE', `the proxy made no connection: ${reason}`)
}
