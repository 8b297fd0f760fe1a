/** A daemon or a server as a process: signals, one orderly stop, one exit after an unexpected error, and the exit statuses. */
import { closeSync, openSync } from 'node:fs'
import { isatty } from 'node:tty'
import { describeError, isOwnError } from './describe-error.ts'
import type { Log } from './log.ts'
import { mayPass } from './passing.ts'
import type { Notifier } from './service-manager.ts'

export const EXIT_STOPPED = 0
export const EXIT_FAILED = 1 // the next start may succeed: systemd restarts
export const EXIT_REFUSED = 78 // EX_CONFIG of sysexits.h; the next start would refuse for the same reason: systemd does not restart

/** The running daemon, after a successful start. */
export interface Service {
  readonly notifier: Notifier
  /** Locks the signing key. @throws an error of ours if there is nothing to lock */
  lock(): void
  /** Finishes and answers the work in progress, then closes sockets and store. Called once. */
  stop(): Promise<void>
  /**
   * Reads the configuration again and applies it. Throws an error of ours if it refuses; then nothing has changed.
   * @returns the new status line
   */
  reload(): Promise<string>
}

export interface Supervisor {
  /** Ends the start: from now on signals stop and reload `service`. `status` is its status line. */
  serve(service: Service, status: string): void
  /** Stops in an orderly way for the daemon's own reason, such as a socket that somebody replaced. */
  stop(event: string, exitStatus: number): void
  /** The only exit after an unknown outcome: logs it and ends, so that the next start can repair the state. */
  fail(error: unknown): void
}

/** The parts of `process` that we use, so that a test can replace it. */
export interface SupervisedProcess {
  on(event: string, listener: (value: unknown) => void): unknown
  removeAllListeners(event: string): unknown
  exit(status: number): void
}

export interface SupervisorOptions {
  readonly log: Log
  /** Begins the names of the events in the log; `daemon` without it. */
  readonly name?: string
  readonly process?: SupervisedProcess
  /** Milliseconds of a monotonic clock. */
  readonly nowMs?: () => number
  /** Whether SIGHUP came because the terminal was closed. */
  readonly isTerminalGone?: () => boolean
}

// The terminal sends Ctrl-C to npm and to its script, and npm forwards it: the same SIGINT arrives twice, a few
// milliseconds apart.
const SAME_SIGNAL_MS = 500

/** Handles signals, uncaught errors and warnings of the process. Call it first, before anything can fail. */
export function superviseProcess(options: SupervisorOptions): Supervisor {
  const target = options.process ?? process
  const supervision = new Supervision(options, target)
  const isTerminalGone = options.isTerminalGone ?? terminalWatch()
  target.on('SIGTERM', () => supervision.signalled('SIGTERM'))
  target.on('SIGINT', () => supervision.signalled('SIGINT'))
  // The launcher ignores it until here.
  target.removeAllListeners('SIGHUP')
  target.on('SIGHUP', () => {
    // A closed terminal does not mean "reload": the daemon would run on, unseen and holding the store.
    if (isTerminalGone()) supervision.signalled('SIGHUP')
    else supervision.reload()
  })
  // Without a listener Node would open its debugger on loopback, to every user of this machine.
  target.on('SIGUSR1', () => supervision.lock())
  target.on('uncaughtException', (error) => supervision.fail(error))
  target.on('unhandledRejection', (error) => supervision.fail(error))
  // Node's own listener would print text between the JSON lines, and that text may quote a value.
  target.removeAllListeners('warning')
  target.on('warning', (warning) => options.log.warn('node.warning', describeError(warning)))
  return supervision
}

/** The exit status after a failed start: a refusal of ours stays one however often we try, unless its reason may pass by itself. */
export function exitStatusOf(error: unknown): number {
  return isOwnError(error) && !mayPass(error) ? EXIT_REFUSED : EXIT_FAILED
}

class Supervision implements Supervisor {
  readonly #log: Log
  readonly #name: string
  readonly #process: SupervisedProcess
  readonly #nowMs: () => number
  #state: 'starting' | 'serving' | 'stopping' | 'ended' = 'starting'
  #service: Service | null = null
  #status = ''
  #stopSinceMs = 0
  #isReloading = false
  #reloadAgain = false

  constructor(options: SupervisorOptions, target: SupervisedProcess) {
    this.#log = options.log
    this.#name = options.name ?? 'daemon'
    this.#process = target
    this.#nowMs = options.nowMs ?? ((): number => performance.now())
  }

  serve(service: Service, status: string): void {
    if (this.#state !== 'starting') return
    this.#state = 'serving'
    this.#service = service
    this.#status = status
    service.notifier.ready(status)
    if (this.#reloadAgain) this.reload()
  }

  stop(event: string, exitStatus: number): void {
    if (this.#state === 'stopping' || this.#state === 'ended') return
    this.#log.info(event, { message: 'stopping' })
    const service = this.#service
    // Nothing is acknowledged before the start is over, and every start repairs an interrupted one.
    if (service === null) return this.#end(exitStatus)
    this.#state = 'stopping'
    this.#stopSinceMs = this.#nowMs()
    service.notifier.stopping()
    this.#finish(service, exitStatus).catch((error: unknown) => this.fail(error))
  }

  signalled(signal: string): void {
    if (this.#state !== 'stopping') return this.stop(`${this.#name}.${signal.toLowerCase()}`, EXIT_STOPPED)
    if (this.#nowMs() - this.#stopSinceMs < SAME_SIGNAL_MS) return
    this.#log.warn(`${this.#name}.cut-short`, { message: `${signal} while stopping: ending at once`, signal })
    this.#end(EXIT_FAILED)
  }

  /** For a screen locker, which sends the signal: having nothing to lock is not its mistake. */
  lock(): void {
    if (this.#service === null) return
    try {
      this.#service.lock()
    } catch (error) {
      if (!isOwnError(error)) throw error
      this.#log.info(`${this.#name}.not-locked`, describeError(error))
    }
  }

  /** A reload requested during a reload or the start runs afterwards: the file may have changed since it was read. */
  reload(): void {
    if (this.#state === 'stopping' || this.#state === 'ended') return
    this.#reloadAgain = true
    if (this.#service === null || this.#isReloading) return
    this.#reloadAll(this.#service).catch((error: unknown) => this.fail(error))
  }

  fail(error: unknown): void {
    if (this.#state === 'ended') return
    this.#log.error(`${this.#name}.failed`, { ...describeError(error), during: this.#state })
    this.#end(this.#state === 'starting' ? exitStatusOf(error) : EXIT_FAILED)
  }

  async #finish(service: Service, exitStatus: number): Promise<void> {
    await service.stop()
    if (this.#state !== 'stopping') return
    this.#log.info(`${this.#name}.stopped`, { message: 'stopped' })
    this.#end(exitStatus)
  }

  async #reloadAll(service: Service): Promise<void> {
    this.#isReloading = true
    while (this.#reloadAgain && this.#state === 'serving') {
      this.#reloadAgain = false
      service.notifier.reloading()
      try {
        this.#status = await service.reload()
      } catch (error) {
        if (!isOwnError(error)) throw error
        this.#log.error('config.kept', { ...describeError(error), kept: 'the configuration in force' })
      }
      // A stop may have begun meanwhile; do not report ready again.
      if (this.#state === 'serving') service.notifier.ready(this.#status)
    }
    this.#isReloading = false
  }

  #end(status: number): void {
    this.#state = 'ended'
    this.#process.exit(status)
  }
}

/** A process started on a terminal loses it when the window closes. One started without never does. */
function terminalWatch(): () => boolean {
  if (!isatty(2)) return () => false
  return () => {
    try {
      closeSync(openSync('/dev/tty', 'r'))
      return false
    } catch {
      return true
    }
  }
}
