/**
 * A stand-in for veilid-server 0.5 on a unix socket or a port of loopback: its JSON API with records, as far as carriers use it. It does the
 * same in all that a client may trip over: a bad line ends the connection, handles belong to it, open records and watches belong to the node, own writes raise
 * no update, updates go to every client, a restart closes records, and an offline node keeps what it cannot send.
 */
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { once } from 'node:events'
import { VeilidConnection, type VeilidManners } from './connection.ts'
import type { VeilidNetwork } from './network.ts'
import { VeilidNode } from './node.ts'

export class VeilidServer {
  readonly node: VeilidNode
  readonly manners: VeilidManners = {
    version: { major: 0, minor: 5, patch: 2 },
    beforeAnswer: async () => await Promise.resolve(),
  }
  readonly #sockets = new Set<Socket>()
  #server: Server | null = null
  readonly #listenAt: string | number

  /** @param listenAt the path of a unix socket, or a port of 127.0.0.1; 0 for any */
  constructor(network: VeilidNetwork, listenAt: string | number) {
    this.node = new VeilidNode(network)
    this.#listenAt = listenAt
  }

  /** Where it listens, if it does so at a port. */
  get port(): number {
    return (this.#server!.address() as AddressInfo).port
  }

  async start(): Promise<void> {
    const server = createServer((socket) => {
      this.#sockets.add(socket)
      // A client that leaves gets no answer.
      socket.on('error', () => {})
      socket.on('close', () => this.#sockets.delete(socket))
      VeilidConnection.serve(this.node, this.manners, socket)
    })
    const listening = once(server, 'listening')
    if (typeof this.#listenAt === 'string') server.listen(this.#listenAt)
    else server.listen(this.#listenAt, '127.0.0.1')
    await listening
    this.#server = server
  }

  /** Ends all connections. The node keeps its records. */
  async stop(): Promise<void> {
    const server = this.#server
    if (server === null) return
    this.#server = null
    for (const socket of this.#sockets) socket.destroy()
    const closed = once(server, 'close')
    server.close()
    await closed
    this.node.restart()
  }

  async restart(): Promise<void> {
    await this.stop()
    await this.start()
  }
}
