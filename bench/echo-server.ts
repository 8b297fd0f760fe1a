/** A bare node-ipc 14 server that sends each message back: what the socket costs without any of ours. */
import { IPCModule, type Server } from 'node-ipc'

/** What this server uses beyond what ours does. */
type EchoServer = Server & { emit(socket: unknown, type: string, data: unknown): void }

const socketPath = process.argv[2] ?? 'echo.sock'
const ipc = new IPCModule()
Object.assign(ipc.config, { silent: true, parser: 'guarded', secureSocketRoot: false })
ipc.serve(socketPath, () => console.log('ready'))
const server = ipc.server as EchoServer
server.on('rpc', (data, socket) => server.emit(socket, 'rpc', data))
server.start()
