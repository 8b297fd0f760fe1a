/**
 * Reports the daemon's state to the service manager: the protocol of sd_notify(3), through libc, and only on request.
 */
import { constants } from 'node:os'
import { describeError } from './describe-error.ts'
import type { Log } from './log.ts'

/** Without a service manager every call does nothing. No method throws: the daemon works even if nobody listens. */
export interface Notifier {
  /** The daemon now answers on its sockets, at start or after a reload. `systemctl status` shows `status`. */
  ready(status: string): void
  /** Replaces the status line. */
  status(status: string): void
  /** A reload has begun; {@link Notifier.ready} ends it. */
  reloading(): void
  stopping(): void
  /**
   * Pings twice per interval of the service manager, as long as `isHealthy` returns true. Without an interval, never.
   */
  startWatchdog(isHealthy: () => boolean): void
  /** Stops the pings and closes the socket. */
  close(): void
}

export interface NotifierOptions {
  /**
   * The environment. The variables meant for this process alone are read and then removed, so that no child reports
   * in our place.
   */
  readonly env: NodeJS.ProcessEnv
  readonly log: Log
  readonly pid?: number
  readonly loadLibc?: () => Promise<Libc>
}

/** The libc calls we use; each returns -1 on failure, and `errno` holds the reason. */
export interface Libc {
  socket(domain: number, type: number, protocol: number): number
  sendto(
    fd: number,
    bytes: Uint8Array,
    length: number,
    flags: number,
    address: Uint8Array,
    addressLength: number,
  ): number
  close(fd: number): number
  errno(): number
}

const SUN_PATH_BYTES = 108 // sun_path of struct sockaddr_un on Linux; a path includes its NUL, an abstract name the NUL before it
const AF_UNIX = 1
const SOCK_DGRAM = 2
const SOCK_CLOEXEC = 0o2000000
const MSG_DONTWAIT = 0x40
const MSG_NOSIGNAL = 0x4000

const silent: Notifier = {
  ready: () => undefined,
  status: () => undefined,
  reloading: () => undefined,
  stopping: () => undefined,
  startWatchdog: () => undefined,
  close: () => undefined,
}

/**
 * Connects to the service manager named by NOTIFY_SOCKET. On failure logs a warning and returns a notifier that does
 * nothing.
 */
export async function openNotifier(options: NotifierOptions): Promise<Notifier> {
  const { env, log } = options
  const target = env.NOTIFY_SOCKET
  const watchdogMs = watchdogInterval(env, options.pid ?? process.pid)
  for (const name of ['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID']) delete env[name]
  if (target === undefined || target === '') return silent
  const address = socketAddress(target)
  if (address === null) {
    log.warn('notify.address', {
      message: 'NOTIFY_SOCKET is not a local socket; the service manager gets no reports',
      target,
    })
    return silent
  }
  let libc: Libc
  try {
    libc = await (options.loadLibc ?? loadLibc)()
  } catch (error) {
    const message = 'cannot load the optional package koffi; the service manager gets no reports'
    log.warn('notify.koffi', { ...describeError(error), message })
    return silent
  }
  const fd = libc.socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)
  if (fd < 0) {
    log.warn('notify.socket', { errno: errnoName(libc.errno()) })
    return silent
  }
  return makeNotifier(new Channel(libc, fd, address, log), watchdogMs)
}

function makeNotifier(channel: Channel, watchdogMs: number | null): Notifier {
  let timer: NodeJS.Timeout | undefined
  return {
    ready: (status) => channel.send(`READY=1\nSTATUS=${oneLine(status)}`),
    status: (status) => channel.send(`STATUS=${oneLine(status)}`),
    // systemd compares the time with its own. On Linux hrtime is CLOCK_MONOTONIC.
    reloading: () => channel.send(`RELOADING=1\nMONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`),
    stopping: () => channel.send('STOPPING=1\nSTATUS=stopping'),
    startWatchdog: (isHealthy) => {
      clearInterval(timer)
      if (watchdogMs === null) return
      const ping = (): void => {
        if (isHealthy()) channel.send('WATCHDOG=1', MSG_DONTWAIT)
      }
      ping()
      timer = setInterval(ping, watchdogMs).unref()
    },
    close: () => {
      clearInterval(timer)
      channel.close()
    },
  }
}

class Channel {
  readonly #libc: Libc
  readonly #address: Uint8Array
  readonly #log: Log
  #fd: number
  #failed = false

  constructor(libc: Libc, fd: number, address: Uint8Array, log: Log) {
    this.#libc = libc
    this.#fd = fd
    this.#address = address
    this.#log = log
  }

  /**
   * Sends one message. A state change waits for a full queue, as in libsystemd, because it is sent only once. A ping
   * (MSG_DONTWAIT) does not wait.
   */
  send(text: string, flags = 0): void {
    if (this.#fd < 0) return
    const bytes = Buffer.from(text)
    const address = this.#address
    const sent = this.#libc.sendto(this.#fd, bytes, bytes.length, flags | MSG_NOSIGNAL, address, address.length)
    if (sent >= 0 || this.#failed) return
    this.#failed = true
    this.#log.warn('notify.send', {
      errno: errnoName(this.#libc.errno()),
      message: 'cannot send to the service manager',
    })
  }

  close(): void {
    if (this.#fd >= 0) this.#libc.close(this.#fd)
    this.#fd = -1
  }
}

/**
 * Half of WATCHDOG_USEC in milliseconds, as sd_watchdog_enabled(3) advises; null if no interval is set for this
 * process.
 */
function watchdogInterval(env: NodeJS.ProcessEnv, pid: number): number | null {
  const { WATCHDOG_USEC: usec, WATCHDOG_PID: forPid } = env
  if (usec === undefined || !/^[1-9][0-9]{0,14}$/.test(usec)) return null
  if (forPid !== undefined && forPid !== '' && forPid !== String(pid)) return null
  return Math.min(Math.max(Math.floor(Number(usec) / 2000), 1), 0x7fff_ffff)
}

/**
 * Builds a struct sockaddr_un: the family in native byte order, then a path with its NUL, or for `@name` a NUL and
 * the name.
 */
function socketAddress(target: string): Uint8Array | null {
  if (!/^[/@]./s.test(target)) return null
  const name = target.startsWith('@') ? `\0${target.slice(1)}` : `${target}\0`
  const path = Buffer.from(name)
  if (path.length > SUN_PATH_BYTES) return null
  const family = new Uint8Array(Uint16Array.of(AF_UNIX).buffer)
  return Buffer.concat([family, path])
}

/** Removes control characters: a line end would start another assignment. */
function oneLine(text: string): string {
  return text.replaceAll(/\p{Cc}+/gu, ' ')
}

function errnoName(errno: number): string {
  return Object.entries(constants.errno).find(([, value]) => value === errno)?.[0] ?? `errno ${errno}`
}

async function loadLibc(): Promise<Libc> {
  // Import koffi only here: most starts do not need native code.
  const { default: koffi } = await import('koffi')
  // null is the running program. It already contains libc, under whatever name this system gives it.
  const program = koffi.load(null)
  const socket = program.func('int socket(int domain, int type, int protocol)')
  const sendto = program.func('long sendto(int, const void *, size_t, int, const void *, uint32_t)')
  const close = program.func('int close(int fd)')
  return {
    socket: (domain, type, protocol) => Number(socket(domain, type, protocol)),
    sendto: (fd, bytes, length, flags, address, size) => Number(sendto(fd, bytes, length, flags, address, size)),
    close: (fd) => Number(close(fd)),
    errno: () => koffi.errno(),
  }
}
