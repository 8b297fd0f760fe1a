import { constants } from 'node:os'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { scheduleLock } from '../../../../src/daemon/custody/lock-timer.ts'
import type { Log } from '../../../../src/process/log.ts'
import { unblockSigusr1, type Unblock } from '../../../../src/process/sigusr1.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

/** Secrets that are open until a set time. */
class Openable {
  untilMs: number | null = null
  /** The times at which the timer asked whether the time is over. */
  readonly asked: number[] = []
  #onOpened: () => void = () => {}

  whenOpened(onOpened: () => void): void {
    this.#onOpened = onOpened
  }

  open(forMs: number): void {
    this.untilMs = Date.now() + forMs
    this.#onOpened()
  }

  expiresInMs(): number | null {
    return this.untilMs === null ? null : Math.max(0, this.untilMs - Date.now())
  }

  expire(): void {
    this.asked.push(Date.now())
    if (this.untilMs !== null && Date.now() >= this.untilMs) this.untilMs = null
  }
}

describe('the timer that locks', () => {
  it('locks when the time is over and sleeps while nothing is open', () => {
    const custody = new Openable()
    scheduleLock(custody)
    vi.advanceTimersByTime(1_000_000)
    expect(custody.asked).toHaveLength(1)
    custody.open(600_000)
    vi.advanceTimersByTime(599_999)
    expect(custody.untilMs).not.toBeNull()
    vi.advanceTimersByTime(1)
    expect(custody.untilMs).toBeNull()
    expect(vi.getTimerCount()).toBe(0)
  })

  it('checks at least every 30 s, since timers stand still while the machine sleeps', () => {
    const custody = new Openable()
    scheduleLock(custody)
    custody.open(600_000)
    // The machine sleeps: the clock advances, the timers do not.
    vi.setSystemTime(Date.now() + 3_600_000)
    vi.advanceTimersByTime(30_000)
    expect(custody.untilMs).toBeNull()
  })

  it('stops with the daemon', () => {
    const custody = new Openable()
    const stop = scheduleLock(custody)
    custody.open(600_000)
    stop()
    expect(vi.getTimerCount()).toBe(0)
  })
})

describe('SIGUSR1 under --disable-sigusr1', () => {
  async function unblocked(nodeOptions: string, load: () => Promise<Unblock>): Promise<string[]> {
    const logged: string[] = []
    const write = (event: string): void => void logged.push(event)
    const log: Log = { error: write, warn: write, info: write, debug: write, setLevel: () => undefined }
    await unblockSigusr1({ log, nodeOptions, load })
    return logged
  }

  it('is unblocked, and a failure is logged', async () => {
    const flag = '--no-warnings --disable-sigusr1'
    const signals: number[] = []
    const works = (signal: number): number => signals.push(signal) - signals.length
    expect(await unblocked(flag, () => Promise.resolve(works))).toStrictEqual([])
    expect(signals).toStrictEqual([constants.signals.SIGUSR1])
    expect(await unblocked(flag, () => Promise.resolve(() => 22))).toStrictEqual(['sigusr1.blocked'])
    expect(await unblocked(flag, () => Promise.reject(new Error('no koffi')))).toStrictEqual(['sigusr1.blocked'])
  })

  it('needs no unblocking without the option', async () => {
    expect(await unblocked('--no-warnings', () => Promise.reject(new Error('not to be loaded')))).toStrictEqual([])
  })
})
