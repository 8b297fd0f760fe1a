/** A server on loopback that does what a test wants, over HTTP or TLS. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { onTestFinished } from 'vitest'

export type Answer = (request: IncomingMessage, response: ServerResponse, body: string) => void

export class WebServer {
  readonly #server: Server
  readonly #scheme: 'http' | 'https'
  readonly sockets: Set<Socket> = new Set()
  /** How many connections were made. */
  connections = 0
  /** `METHOD /path body` of each request. */
  readonly asked: string[] = []

  private constructor(server: Server, scheme: 'http' | 'https') {
    this.#server = server
    this.#scheme = scheme
  }

  static async start(
    answer: Answer,
    tls: { readonly key: string; readonly cert: string } | null = null,
  ): Promise<WebServer> {
    const take = (request: IncomingMessage, response: ServerResponse): void => {
      let body = ''
      request.setEncoding('utf8')
      request.on('data', (part: string) => (body += part))
      request.on('end', () => {
        made.asked.push(`${request.method} ${request.url} ${body}`)
        answer(request, response, body)
      })
    }
    const server = tls === null ? createServer(take) : createTlsServer(tls, take)
    const made = new WebServer(server, tls === null ? 'http' : 'https')
    server.on('connection', (socket: Socket) => {
      made.connections++
      made.sockets.add(socket)
      socket.on('close', () => made.sockets.delete(socket))
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    onTestFinished(() => made.stop())
    return made
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  get url(): string {
    return `${this.#scheme}://127.0.0.1:${this.port}/`
  }

  stop(): void {
    this.#server.close()
    for (const socket of this.sockets) socket.destroy()
  }
}
