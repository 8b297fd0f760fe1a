/** A bare node-ipc 14 server that echoes each message: the cost of the socket without our code. */
import { IPCModule, type Server } from 'node-ipc'

/** The parts this server uses that our own server does not. */
type EchoServer = Server & { emit(socket: unknown, type: string, data: unknown): void }

const socketPath = process.argv[2] ?? 'echo.sock'
const ipc = new IPCModule()
Object.assign(ipc.config, { silent: true, parser: 'guarded', secureSocketRoot: false })
ipc.serve(socketPath, () => console.log('ready'))
const server = ipc.server as EchoServer
server.on('rpc', (data, socket) => server.emit(socket, 'rpc', data))
server.start()
