/** The sockets of the daemon, one for each role (docs/ipc.md, section 1). */
import type { Handlers } from '../ipc/methods/method.ts'
import type { Methods, Protocol } from '../ipc/methods/all-methods.ts'
import type { Log as IpcLog } from '../ipc/server/dispatch.ts'
import type { Room } from '../ipc/server/room.ts'
import { serve, type IpcServer } from '../ipc/server/server.ts'
import { describeError } from '../process/describe-error.ts'
import type { Log } from '../process/log.ts'
import { EXIT_FAILED, type Supervisor } from '../process/supervise.ts'
import type { Apps } from './apps/apps.ts'
import type { Config } from './config.ts'
import { toRpcError } from './methods/errors.ts'

/** Decides whether somebody may call, by the configuration as it is at each call. */
interface Served {
  readonly apps: Apps
  readonly config: Config
}

/** Opens a socket. On return it answers. */
export async function serveRole(
  role: 'app' | 'admin',
  daemon: Served,
  { methods }: Protocol,
  handlers: Handlers<Methods>,
  socketPath: string,
  room: Room,
  log: Log,
  supervisor: Pick<Supervisor, 'stop'>,
): Promise<IpcServer> {
  return await serve({
    socketPath,
    role,
    methods,
    handlers,
    // Read at each call, so that a reload takes effect on open connections.
    authorize: (caller, permission) => daemon.apps.may(caller, permission, daemon.config.apps.defaultCapabilities),
    toRpcError,
    limits: { maxConnections: daemon.config.socket.maxConnections },
    room,
    log: ipcLog(log),
    onLost: (error) => {
      log.error('socket.lost', describeError(error))
      supervisor.stop('socket.lost', EXIT_FAILED)
    },
  })
}

function ipcLog(log: Log): IpcLog {
  return (level, message, fields = {}) => {
    const plain = Object.entries(fields).filter(([, value]) => typeof value !== 'object')
    log[level]('ipc', { message, ...Object.fromEntries(plain) })
  }
}
