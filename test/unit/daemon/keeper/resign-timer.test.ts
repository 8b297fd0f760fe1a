import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Log } from '../../../../src/process/log.ts'
import { scheduleResign } from '../../../../src/daemon/keeper/resign-timer.ts'
import { START_SEC } from '../../../support/person.ts'

const HOUR_SEC = 3600
const WEEK_SEC = 7 * 24 * HOUR_SEC

/** A keeper whose table is due a week after its last signature. */
class Signatures {
  readonly atSec: number[] = []
  dueSec: number | null = START_SEC + WEEK_SEC
  answer: () => Promise<void> = () => Promise.resolve()
  warnings = 0
  reminders = 0
  readonly stop: () => void

  constructor(dueSec: number | null = START_SEC + WEEK_SEC) {
    this.dueSec = dueSec
    const keeper = {
      resignDueSec: () => this.dueSec,
      resign: async () => {
        this.atSec.push(nowSec())
        await this.answer()
        this.dueSec = nowSec() + WEEK_SEC
      },
    }
    const log = { warn: () => this.warnings++ } as unknown as Log
    this.stop = scheduleResign(keeper, nowSec, log, () => {
      this.reminders++
      return Promise.resolve()
    })
  }
}

function nowSec(): number {
  return Math.floor(Date.now() / 1000)
}

async function pass(seconds: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(seconds * 1000)
}

describe('the timer that signs again', () => {
  beforeEach(() => {
    vi.useFakeTimers({ now: START_SEC * 1000 })
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  it('signs when it is due and again a week later, but never in between', async () => {
    const signatures = new Signatures()
    await pass(WEEK_SEC - 1)
    expect(signatures.atSec).toStrictEqual([])
    await pass(1)
    expect(signatures.atSec).toStrictEqual([START_SEC + WEEK_SEC])
    await pass(WEEK_SEC)
    expect(signatures.atSec).toStrictEqual([START_SEC + WEEK_SEC, START_SEC + 2 * WEEK_SEC])
  })

  it('signs at the start if the time has passed, and within six hours of an unlock', async () => {
    expect(new Signatures(START_SEC - 1).atSec).toStrictEqual([START_SEC])
    const locked = new Signatures(null)
    await pass(10 * WEEK_SEC)
    expect(locked.atSec).toStrictEqual([])
    expect(locked.reminders).toBeGreaterThan(10)
    locked.dueSec = START_SEC
    await pass(6 * HOUR_SEC)
    expect(locked.atSec).toHaveLength(1)
  })

  it('tries again an hour after a failure, and logs it', async () => {
    const signatures = new Signatures(START_SEC + 1)
    signatures.answer = () => Promise.reject(new Error('no'))
    await pass(1)
    await pass(HOUR_SEC)
    expect(signatures.atSec).toStrictEqual([START_SEC + 1, START_SEC + 1 + HOUR_SEC])
    expect(signatures.warnings).toBe(2)
  })

  it('does nothing after it was stopped, even if a signature was on its way to disk', async () => {
    const signatures = new Signatures(START_SEC + 1)
    let finish: () => void = () => {}
    signatures.answer = () => new Promise((done) => (finish = done))
    await pass(1)
    signatures.stop()
    finish()
    await pass(10 * WEEK_SEC)
    expect(signatures.atSec).toHaveLength(1)
    expect(vi.getTimerCount()).toBe(0)
  })
})
