/** Serves daemons on the socket of the service manager (sd_listen_fds(3)). */
import { createServer, type Server, type Socket } from 'node:net'
import type { Clock } from './pulse.ts'

export const LISTEN_FD = 3 // format: SD_LISTEN_FDS_START
const MAX_SESSIONS = 4 // sanity: one daemon, and a few that were started by hand
const IDLE_MS = 10_000 // sanity: a daemon that restarts finds the program running

/** Whether the service manager handed exactly one socket to this process. */
export function isActivated(env: Readonly<Record<string, string | undefined>>, pid: number): boolean {
  return env['LISTEN_PID'] === String(pid) && env['LISTEN_FDS'] === '1'
}

export interface ListenOptions {
  readonly clock: Clock
  /** Serves one connection. Never throws. */
  readonly serve: (socket: Socket) => Promise<void>
  /** Nobody is connected, and nobody came for a while. The service manager starts the program again at the next connection. */
  readonly onIdle: () => void
}

/** @param where the descriptor of a listening socket, or for tests a path */
export function listen(where: { readonly fd: number } | { readonly path: string }, options: ListenOptions): Server {
  const { clock, serve, onIdle } = options
  let sessions = 0
  let cancelIdle = clock.after(IDLE_MS, onIdle)
  const take = async (socket: Socket): Promise<void> => {
    if (sessions >= MAX_SESSIONS) return void socket.destroy()
    sessions++
    cancelIdle()
    await serve(socket)
    socket.destroySoon()
    sessions--
    if (sessions === 0) cancelIdle = clock.after(IDLE_MS, onIdle)
  }
  // A side that ends may still read the last reports.
  return createServer({ allowHalfOpen: true }, (socket) => void take(socket)).listen(where)
}
