/** The socket of the daemon: node-ipc 14 with its traps closed (docs/ipc.md, section 1). */
import type { IpcSocket, Server } from 'node-ipc'
import { dirname, resolve } from 'node:path'
import { Connection } from './connection.ts'
import { createDispatch, type Log } from './dispatch.ts'
import { DEFAULT_LIMITS, type Limits } from './limits.ts'
import { GuardedParser, makeIpc } from './quiet-node-ipc.ts'
import { idlest, Room } from './room.ts'
import { errorText, IpcError } from '../wire/errors.ts'
import { FRAME_ENCODING, isFrameTooLarge, type Frame } from '../wire/frame.ts'
import type { Caller, Handlers, MethodTable, Permission, Role } from '../methods/method.ts'
import { formatEvent, RpcError } from '../wire/rpc.ts'
import * as file from '../socket-file.ts'

export interface ServeOptions<M extends MethodTable<M>> {
  /** At most 107 bytes. */
  readonly socketPath: string
  readonly role: Role
  readonly methods: M
  readonly handlers: Handlers<M>
  /** Whether a caller has a permission; called once for each call. By default `admin` has all and `app` has `appPermissions`. */
  readonly authorize?: (caller: Caller, permission: Permission) => boolean
  /** The permissions of every app; by default `read`. */
  readonly appPermissions?: readonly Permission[]
  readonly toRpcError?: (error: unknown) => RpcError | null
  readonly limits?: Partial<Limits>
  /** Shared by the servers of a daemon. */
  readonly room?: Room
  readonly log?: Log
  /** Called once when the socket file was removed or replaced (SOCKET_LOST). New clients cannot find this server, so close it. */
  readonly onLost?: (error: IpcError) => void
}

export interface IpcServer {
  readonly socketPath: string
  /** Number of open connections. */
  connections(): number
  /** Sends an event to the connections that subscribed to it and pass the filter, if there is one. */
  publish(message: { readonly event: string; readonly id?: number }, filter?: (caller: Caller) => boolean): void
  /** Stops accepting and reading, answers running calls (for at most drainMs), and removes its own file. */
  close(): Promise<void>
}

const REFUSED_CONNECTIONS = 16 // sanity: connections over the limit that get an error at a time; more are dropped without one

/** Our frame reader under node-ipc's server. Its own is quadratic in small chunks and does not notice bad UTF-8. */
class ConnectionParser extends GuardedParser {
  override encoding = FRAME_ENCODING

  override read(connection: Connection, chunk: string, receive: (frame: Frame) => void): Connection {
    connection.read(chunk, receive)
    return connection
  }
}

/**
 * Serves a method table on a Unix socket. The caller must hold the lock of the store, so that only one server removes a stale file.
 * @throws {IpcError} SOCKET_PATH_TOO_LONG | SOCKET_DIR_INVALID | SOCKET_DIR_FOREIGN | SOCKET_DIR_OPEN | SOCKET_PATH_TAKEN |
 *   SOCKET_IN_USE | SOCKET_FAILED
 */
export async function serve<M extends MethodTable<M>>(options: ServeOptions<M>): Promise<IpcServer> {
  const socketPath = resolve(options.socketPath)
  const limits = { ...DEFAULT_LIMITS, ...options.limits }
  const log = options.log ?? (() => {})
  file.checkSocketPath(socketPath)
  file.makeSocketDirectory(dirname(socketPath))
  await file.removeStaleSocket(socketPath)
  await file.removeStaleSocket(file.bindPath(socketPath))

  const connections = new Map<IpcSocket, Connection>()
  const server = createServer(socketPath, limits)
  const dispatch = createDispatch({ ...options, log, authorize: options.authorize ?? byRole(options.appPermissions) })
  const room = options.room ?? new Room()
  let lastId = 0
  server.on('connect', (socket) => {
    const connection = new Connection({ id: ++lastId, role: options.role, socket, limits, dispatch, log, room })
    socket.ipcBuffer = connection
    if (connections.size >= limits.maxConnections) giveUpPlace(connections, limits.idleMs)
    if (connections.size < limits.maxConnections) connections.set(socket, connection)
    else connection.fail(tooMany(limits.maxConnections))
  })
  server.on('close', (socket) => connections.delete(socket))
  server.on('rpc', (data, socket) => connections.get(socket)?.call(data))
  server.on('error', (error) => log('debug', 'a socket failed', { error: error.message }))
  await listen(server)
  const claimed = claimOrStop(server, socketPath)
  const watcher = file.watchSocket(claimed, () => {
    log('error', 'the socket was removed or replaced', { socketPath })
    options.onLost?.(new IpcError('SOCKET_LOST', `the socket ${socketPath} was removed or replaced`))
  })

  let closing: Promise<void> | null = null
  async function close(): Promise<void> {
    watcher.close()
    file.releaseSocket(claimed)
    await drain(server, connections, limits.drainMs)
  }
  return {
    socketPath,
    connections: () => connections.size,
    publish(message, filter) {
      publish(message, filter, connections.values(), log)
    },
    close() {
      closing ??= close()
      return closing
    },
  }
}

function createServer(socketPath: string, limits: Limits): Server {
  const ipc = makeIpc()
  Object.assign(ipc.config, {
    // It is 0700 already; otherwise node-ipc would change it silently.
    socketRoot: dirname(socketPath),
    parser: ConnectionParser,
    // By default it would take the path of a live server.
    unlink: false,
    silent: true,
    maxConnections: limits.maxConnections + REFUSED_CONNECTIONS,
    maxMessageSize: limits.maxFrameBytes,
    // Its timer runs from the first chunk that ends inside a frame to the first that does not, which would cut an honest client that pipelines.
    messageTimeout: 0,
  })
  ipc.serve(file.bindPath(socketPath))
  return ipc.server
}

function byRole(appPermissions: readonly Permission[] = ['read']): (caller: Caller, permission: Permission) => boolean {
  const granted = new Set(appPermissions)
  return (caller, permission) => caller.role === 'admin' || permission === 'open' || granted.has(permission)
}

/** Closes an idle connection, so that idle ones cannot keep everybody else out. */
function giveUpPlace(connections: Map<IpcSocket, Connection>, idleMs: number): void {
  const idle = idlest(connections.values(), idleMs)
  if (idle === null) return
  for (const [socket, connection] of connections) if (connection === idle) connections.delete(socket)
  idle.cut('IDLE', 'another client needs the place of this idle connection')
}

function tooMany(maxConnections: number): RpcError {
  return new RpcError('TOO_MANY_CONNECTIONS', `${maxConnections} connections are open on this socket`, {
    hint: 'close one; an app needs only one connection for all its calls',
  })
}

function listen(server: Server): Promise<void> {
  return new Promise((done, failed) => {
    function refuse(cause: unknown): void {
      // Another server bound the path since we looked: two servers start at once, without the lock.
      const code = file.codeOf(cause) === 'EADDRINUSE' ? 'SOCKET_IN_USE' : 'SOCKET_FAILED'
      failed(new IpcError(code, `cannot listen: ${errorText(cause)}`, { cause }))
    }
    server.on('start', done)
    server.on('error', refuse)
    try {
      server.start()
    } catch (cause) {
      refuse(cause)
    }
  })
}

function claimOrStop(server: Server, socketPath: string): file.SocketFile {
  try {
    return file.claimSocket(socketPath)
  } catch (error) {
    server.stop()
    throw error
  }
}

function publish(
  message: { readonly event: string; readonly id?: number },
  filter: ((caller: Caller) => boolean) | undefined,
  connections: Iterable<Connection>,
  log: Log,
): void {
  const frame = formatEvent(message)
  const bytes = Buffer.from(frame)
  const isTooLarge = isFrameTooLarge(frame)
  if (isTooLarge) log('error', 'an event does not fit a frame', { event: message.event })
  for (const connection of connections) {
    if (filter?.(connection) === false) continue
    if (isTooLarge) connection.skip(message.event)
    else connection.event(message.event, frame, bytes, message.id)
  }
}

async function drain(server: Server, connections: Map<IpcSocket, Connection>, drainMs: number): Promise<void> {
  // stop() destroys every socket, and node-ipc then reports each as closed.
  const timer = setTimeout(() => server.stop(), drainMs)
  await new Promise<void>((done) => {
    function check(): void {
      if (connections.size === 0) done()
    }
    server.on('close', check)
    if (server.server !== false) server.server.close()
    for (const connection of connections.values()) connection.drain()
    check()
  })
  clearTimeout(timer)
  server.stop()
}
