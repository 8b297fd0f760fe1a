/**
 * A bare server that gives the same reply to each message: it costs the socket without our code. argv: the socket, the reply as JSON, and
 * `node-ipc`, `net`, or `broadcast`, which gives the reply to all connections.
 */
import { createServer, type Socket } from 'node:net'
import { IPCModule, type Server } from 'node-ipc'
import { formatFrame } from '../src/ipc/wire/frame.ts'

/** The parts this server uses that our own server does not. */
type ReplyServer = Server & { emit(socket: unknown, type: string, data: unknown): void }

const [socketPath = 'reply.sock', json = 'null', kind = 'node-ipc'] = process.argv.slice(2)
const reply: unknown = JSON.parse(json)
const ready = (): void => console.log('ready')

if (kind === 'net') {
  // A client waits for its reply, so a chunk is one message.
  const frame = formatFrame('rpc', reply)
  createServer((socket) => socket.on('data', () => socket.write(frame, 'latin1'))).listen(socketPath, ready)
} else if (kind === 'broadcast') {
  const bytes = Buffer.from(formatFrame('event', reply))
  const all = new Set<Socket>()
  const toAll = (): void => {
    for (const socket of all) socket.write(bytes)
  }
  createServer((socket) => {
    all.add(socket)
    socket.on('data', toAll)
  }).listen(socketPath, ready)
} else {
  const ipc = new IPCModule()
  Object.assign(ipc.config, { silent: true, parser: 'guarded', secureSocketRoot: false })
  ipc.serve(socketPath, ready)
  const server = ipc.server as ReplyServer
  server.on('rpc', (_data, socket) => server.emit(socket, 'rpc', reply))
  server.start()
}
