/** A full disk, as etcd's NOSPACE alarm: the daemon answers reads, refuses changes, says so, and writes again once there is room. */
import { describeError } from '../process/describe-error.ts'
import type { Log } from '../process/log.ts'
import { problem, type Finding } from '../ipc/shapes/doctor.ts'
import type { Paths } from '../ipc/paths.ts'
import { StoreError } from '../store/errors.ts'
import type { ResumableStore } from '../store/store.ts'

const TRY_EVERY_MS = 5_000 // sanity: soon enough for a person who has just made room

export const STORE_FULL: Finding = problem(
  'STORE_FULL',
  'the disk is full: the daemon answers from what it has, and changes nothing',
  'make room; the daemon then writes again by itself',
)

export interface FullDiskOptions {
  readonly store: Pick<ResumableStore, 'resume'>
  readonly log: Log
  /** Shows in the service manager that the disk is full, or that it is not any more. */
  readonly show: () => void
  /** Sets room aside again, for the next start on a full disk. */
  readonly keepRoom: () => Promise<void>
  /** The store has stopped. */
  readonly failed: (error: unknown) => void
}

export class FullDisk {
  readonly #options: FullDiskOptions
  #timer: NodeJS.Timeout | null = null
  #trial: Promise<void> = Promise.resolve()

  constructor(options: FullDiskOptions) {
    this.#options = options
  }

  get isFull(): boolean {
    return this.#timer !== null
  }

  /** A write or the start found the disk full. */
  begin(error: unknown): void {
    if (this.isFull) return
    this.#timer = setInterval(() => {
      this.#trial = this.#trial.then(() => this.#try())
    }, TRY_EVERY_MS).unref()
    this.#options.log.error('store.full', describeError(error))
    this.#options.show()
  }

  findings(): Finding[] {
    return this.isFull ? [STORE_FULL] : []
  }

  /** Stops trying, and waits for a trial that runs. */
  async close(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer)
    this.#timer = null
    await this.#trial
  }

  async #try(): Promise<void> {
    const { store, log, show, keepRoom, failed } = this.#options
    if (this.#timer === null) return
    try {
      if (!(await store.resume())) return
      clearInterval(this.#timer)
      this.#timer = null
      log.info('store.resumed', { message: 'the disk has room again, so the daemon writes again' })
      show()
      await keepRoom()
    } catch (error) {
      failed(error)
    }
  }
}

/** The status line that the service manager shows. */
export function statusLine({ appSocket }: Pick<Paths, 'appSocket'>, { isFull }: Pick<FullDisk, 'isFull'>): string {
  return isFull ? STORE_FULL.message : `serving ${appSocket}`
}

export function isDiskFull(error: unknown): boolean {
  return error instanceof StoreError && error.code === 'STORE_DISK_FULL'
}
