/** The listening socket of a relay, with or without TLS. */
import { createServer, type Server } from 'node:http'
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { HttpLimits } from './http-limits.ts'

/** PEM texts. */
export interface TlsFiles {
  readonly cert: string
  readonly key: string
}

export interface Listener {
  readonly server: Server | TlsServer
  /** The system chose it if it was asked for 0. */
  readonly port: number
  readonly isTls: boolean
}

export interface ListenOptions {
  readonly host: string
  readonly port: number
  readonly http: HttpLimits
  /** Without it the server speaks plain HTTP. */
  readonly tls?: TlsFiles | undefined
}

/** @throws the error of the system, such as EADDRINUSE, or of TLS if the files do not fit together */
export function listenHttp({ host, port, http, tls }: ListenOptions): Promise<Listener> {
  const options = {
    maxHeaderSize: http.maxHeaderBytes,
    headersTimeout: http.headersMs,
    // Connections end a body that is slow: some may take longer than others.
    requestTimeout: 0,
    keepAliveTimeout: http.idleMs,
    connectionsCheckingInterval: http.lookMs,
  }
  // A handshake has the time of a header.
  const server =
    tls === undefined
      ? createServer(options)
      : createTlsServer({ ...options, ...tls, handshakeTimeout: http.headersMs })
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host, port }, () => {
      server.off('error', reject)
      resolve({ server, port: (server.address() as AddressInfo).port, isTls: tls !== undefined })
    })
  })
}
