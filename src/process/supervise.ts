/** The daemon as a process: signals, one orderly stop, one way out after the unexpected, and the exit statuses. */
import { closeSync, openSync } from 'node:fs'
import { isatty } from 'node:tty'
import { describeError, isOwnError } from './describe-error.ts'
import type { Log } from './log.ts'
import type { Notifier } from './service-manager.ts'

export const EXIT_STOPPED = 0
export const EXIT_FAILED = 1 // the next start may go well: systemd restarts
export const EXIT_REFUSED = 78 // EX_CONFIG of sysexits.h; another start would refuse for the same reason: systemd does not restart

/** What runs once the start has succeeded. */
export interface Service {
  readonly notifier: Notifier
  /** Locks the signing key. @throws an error of ours when there is nothing to lock */
  lock(): void
  /** Finishes what is under way, answers it, closes sockets and store. Called once. */
  stop(): Promise<void>
  /**
   * Reads the configuration again and puts it into force, or throws an error of ours and has changed nothing.
   * @returns the status line from now on
   */
  reload(): Promise<string>
}

export interface Supervisor {
  /** Says that the start is over: from now on signals stop and reload `service`, whose status line is `status`. */
  serve(service: Service, status: string): void
  /** Stops in order for a reason of the daemon's own, such as a socket that somebody replaced. */
  stop(event: string, exitStatus: number): void
  /** The one way out after an unknown outcome: say it and end, so that the next start repairs what is to be repaired. */
  fail(error: unknown): void
}

/** What is used of the process, so that a test can stand in for it. */
export interface SupervisedProcess {
  on(event: string, listener: (value: unknown) => void): unknown
  removeAllListeners(event: string): unknown
  exit(status: number): void
}

export interface SupervisorOptions {
  readonly log: Log
  readonly process?: SupervisedProcess
  /** Milliseconds of a clock that does not step. */
  readonly nowMs?: () => number
  /** Whether a SIGHUP came because the terminal was closed. */
  readonly isTerminalGone?: () => boolean
}

// npm forwards to its script the SIGINT that the terminal has sent to both: one Ctrl-C arrives twice, a few milliseconds apart.
const SAME_SIGNAL_MS = 500

/** Takes charge of signals, uncaught errors and warnings of the process. To be called first, before anything can fail. */
export function superviseProcess(options: SupervisorOptions): Supervisor {
  const target = options.process ?? process
  const supervision = new Supervision(options, target)
  const isTerminalGone = options.isTerminalGone ?? terminalWatch()
  target.on('SIGTERM', () => supervision.signalled('SIGTERM'))
  target.on('SIGINT', () => supervision.signalled('SIGINT'))
  target.on('SIGHUP', () => {
    // The shell's hang-up is no wish to reload: the daemon would go on without a terminal, unseen and holding the store.
    if (isTerminalGone()) supervision.signalled('SIGHUP')
    else supervision.reload()
  })
  // Without a listener Node would open its debugger on loopback, to every user of this machine.
  target.on('SIGUSR1', () => supervision.lock())
  target.on('uncaughtException', (error) => supervision.fail(error))
  target.on('unhandledRejection', (error) => supervision.fail(error))
  // Node's own listener would print text, which may quote a value, between the lines of JSON.
  target.removeAllListeners('warning')
  target.on('warning', (warning) => options.log.warn('node.warning', describeError(warning)))
  return supervision
}

/** The status to end with when a start failed: a refusal of ours stays one however often it is tried. */
export function exitStatusOf(error: unknown): number {
  return isOwnError(error) ? EXIT_REFUSED : EXIT_FAILED
}

class Supervision implements Supervisor {
  readonly #log: Log
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
    // Nothing was acknowledged before the start was over, and a start cut short is what every start repairs.
    if (service === null) return this.#end(exitStatus)
    this.#state = 'stopping'
    this.#stopSinceMs = this.#nowMs()
    service.notifier.stopping()
    this.#finish(service, exitStatus).catch((error: unknown) => this.fail(error))
  }

  signalled(signal: string): void {
    if (this.#state !== 'stopping') return this.stop(`daemon.${signal.toLowerCase()}`, EXIT_STOPPED)
    if (this.#nowMs() - this.#stopSinceMs < SAME_SIGNAL_MS) return
    this.#log.warn('daemon.cut-short', { message: `${signal} while stopping: ending at once`, signal })
    this.#end(EXIT_FAILED)
  }

  /** For a screen locker, which signals: nothing there to lock is no mistake of it. */
  lock(): void {
    if (this.#service === null) return
    try {
      this.#service.lock()
    } catch (error) {
      if (!isOwnError(error)) throw error
      this.#log.info('daemon.not-locked', describeError(error))
    }
  }

  /** A reload asked for during one, or during the start, follows it: the file may have changed since it was read. */
  reload(): void {
    if (this.#state === 'stopping' || this.#state === 'ended') return
    this.#reloadAgain = true
    if (this.#service === null || this.#isReloading) return
    this.#reloadAll(this.#service).catch((error: unknown) => this.fail(error))
  }

  fail(error: unknown): void {
    if (this.#state === 'ended') return
    this.#log.error('daemon.failed', { ...describeError(error), during: this.#state })
    this.#end(this.#state === 'starting' ? exitStatusOf(error) : EXIT_FAILED)
  }

  async #finish(service: Service, exitStatus: number): Promise<void> {
    await service.stop()
    if (this.#state !== 'stopping') return
    this.#log.info('daemon.stopped', { message: 'stopped' })
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
      // A stop may have begun meanwhile, and must not be taken back.
      if (this.#state === 'serving') service.notifier.ready(this.#status)
    }
    this.#isReloading = false
  }

  #end(status: number): void {
    this.#state = 'ended'
    this.#process.exit(status)
  }
}

/** Started on a terminal, the process loses it when its window is closed; one that was started without never does. */
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
