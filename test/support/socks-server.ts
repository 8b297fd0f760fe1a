/** A small SOCKS5 proxy (RFC 1928) on loopback, without a password. It resolves names by a table of the test. */
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'

export class SocksServer {
  /** The wishes, as `kind host:port`. */
  readonly asked: string[] = []
  /** The port on loopback that stands for each host; another host is unreachable. */
  readonly hosts: ReadonlyMap<string, number>
  port = 0
  /** The method of authentication that it chooses. */
  method = 0

  private constructor(hosts: ReadonlyMap<string, number>) {
    this.hosts = hosts
  }

  static async start(hosts: ReadonlyMap<string, number>): Promise<SocksServer> {
    const proxy = new SocksServer(hosts)
    const server = createServer((socket) => {
      socket.on('error', () => {})
      proxy.#serve(socket).catch(() => socket.destroy())
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    proxy.port = (server.address() as AddressInfo).port
    onTestFinished(() => void server.close())
    return proxy
  }

  async #serve(socket: Socket): Promise<void> {
    const [, methods] = await take(socket, 2)
    await take(socket, methods!)
    socket.write(Uint8Array.of(5, this.method))
    if (this.method !== 0) return
    const [, , , kind] = await take(socket, 4)
    const host =
      kind === 1
        ? (await take(socket, 4)).join('.')
        : kind === 3
          ? (await take(socket, (await take(socket, 1))[0]!)).toString('latin1')
          : (await take(socket, 16)).toString('hex')
    const port = (await take(socket, 2)).readUInt16BE()
    this.asked.push(`${kind} ${host}:${port}`)
    const to = this.hosts.get(host)
    if (to === undefined) return void socket.end(Uint8Array.of(5, 4, 0, 1, 0, 0, 0, 0, 0, 0))
    const beyond = connect(to, '127.0.0.1')
    beyond.on('error', () => socket.destroy())
    await once(beyond, 'connect')
    // The bound address is a name, byte by byte, so that the client must not rely on one length or one packet.
    for (const byte of [5, 0, 0, 3, 2, 97, 98, 0, 80]) socket.write(Uint8Array.of(byte))
    socket.pipe(beyond).pipe(socket)
  }
}

/** Byte by byte: a short read must not leave bytes to a listener of its own. */
async function take(socket: Socket, length: number): Promise<Buffer> {
  const bytes: Buffer[] = []
  while (bytes.length < length) {
    const byte = socket.read(1) as Buffer | null
    if (byte !== null) bytes.push(byte)
    else if (socket.readableEnded) throw new Error('the client has ended')
    else await Promise.race([once(socket, 'readable'), once(socket, 'end')])
  }
  return Buffer.concat(bytes)
}
