/** Types of the parts of node-ipc 14 that the server uses; the package ships none. */
declare module 'node-ipc' {
  import type { Server as NetServer, Socket } from 'node:net'

  /** A connection of node-ipc. */
  export interface IpcSocket extends Socket {
    /** The last value that the parser's read() returned; read() gets it again with the next chunk. */
    ipcBuffer: unknown
  }

  export interface Config {
    socketRoot: string
    secureSocketRoot: boolean
    parser: unknown
    unlink: boolean
    silent: boolean
    maxConnections: number
    maxMessageSize: number
    messageTimeout: number
  }

  export class GuardedParser {
    constructor(config: Config)
    encoding: string
    read(buffer: unknown, chunk: string, receive: (message: object) => void): unknown
  }

  export interface Server {
    /** The net.Server below, once start() has run; false before. */
    readonly server: NetServer | false
    on(type: 'start', listener: () => void): this
    on(type: 'connect', listener: (socket: IpcSocket) => void): this
    on(type: 'close', listener: (socket: IpcSocket) => void): this
    on(type: 'error', listener: (error: Error) => void): this
    on(type: 'rpc', listener: (data: unknown, socket: IpcSocket) => void): this
    start(): void
    stop(): void
  }

  export class IPCModule {
    readonly config: Config
    readonly server: Server
    serve(path: string, onStart?: () => void): void
  }
}
