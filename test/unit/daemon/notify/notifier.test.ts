import { expect, test } from 'vitest'
import { MAX_NOTICES, Notifier, WINDOW_MS } from '../../../../src/daemon/notify/notifier.ts'
import type { Notice } from '../../../../src/daemon/notify/texts.ts'

/** A notifier with a clock of its own. */
class Story {
  nowMs = 1_000_000
  readonly shown: string[] = []
  #timers: { atMs: number; run: () => void }[] = []
  readonly notifier: Notifier = new Notifier({
    nowMs: () => this.nowMs,
    later: (ms, run) => {
      const timer = { atMs: this.nowMs + ms, run }
      this.#timers.push(timer)
      return () => void (this.#timers = this.#timers.filter((each) => each !== timer))
    },
    show: ({ body }) => Promise.resolve(this.shown.push(body) > 0),
  })

  notify(count: number, name = 'event'): void {
    for (let n = 1; n <= count; n++) this.notifier.notify(notice(`${name} ${n}`))
  }

  async pass(ms: number): Promise<void> {
    this.nowMs += ms
    const due = this.#timers.filter(({ atMs }) => atMs <= this.nowMs)
    this.#timers = this.#timers.filter(({ atMs }) => atMs > this.nowMs)
    for (const { run } of due) run()
    // Everything that is due is shown by then: each step of the queue is a microtask.
    await new Promise(setImmediate)
  }

  get timers(): number {
    return this.#timers.length
  }
}

function notice(body: string): Notice {
  return { kind: 'alarms', urgency: 'normal', summary: 'summary', body }
}

test.each([1, MAX_NOTICES - 1, MAX_NOTICES])(
  '%i events of a minute are all shown, at once and in order',
  async (count) => {
    const story = new Story()
    story.notify(count)
    await story.notifier.close()
    expect(story.shown).toEqual(Array.from({ length: count }, (_, n) => `event ${n + 1}`))
  },
)

test('of a flood the first few are shown, and one line for the rest after a minute', async () => {
  const story = new Story()
  story.notify(MAX_NOTICES + 70)
  await story.pass(WINDOW_MS - 1)
  expect(story.shown).toHaveLength(MAX_NOTICES)
  story.notify(7)
  await story.pass(1)
  await story.notifier.close()
  expect(story.shown).toHaveLength(MAX_NOTICES + 1)
  expect(story.shown.at(-1)).toMatch(/^77 more events came within a minute/)
})

test('a flood that goes on is one line a minute and a few notices, and not the same again', async () => {
  const story = new Story()
  for (let second = 0; second < 600; second++) {
    story.notify(5)
    await story.pass(1000)
  }
  expect(story.shown.length).toBeLessThanOrEqual(10 * (MAX_NOTICES + 1))
  expect(story.shown.filter((body) => body.includes('more events')).length).toBeGreaterThanOrEqual(8)
})

test('after a quiet minute events are shown at once again', async () => {
  const story = new Story()
  story.notify(MAX_NOTICES)
  await story.pass(WINDOW_MS)
  story.notify(1, 'late')
  await story.notifier.close()
  expect(story.shown.at(-1)).toBe('late 1')
})

test('a clock that is set back does not silence the desktop', async () => {
  const story = new Story()
  story.notify(MAX_NOTICES)
  story.nowMs -= 3_600_000
  story.notify(1, 'late')
  await story.notifier.close()
  expect(story.shown.at(-1)).toBe('late 1')
})

test('a friend who causes events all the time does not hide an alarm', async () => {
  const story = new Story()
  for (let n = 1; n <= MAX_NOTICES + 70; n++) story.notifier.notify({ ...notice(`noise ${n}`), urgency: 'low' })
  story.notify(1, 'alarm')
  await story.notifier.close()
  expect(story.shown.at(-1)).toBe('alarm 1')
})

test('a desktop that does not answer costs the end of the daemon the time of one notice', async () => {
  const asked: ((isShown: boolean) => void)[] = []
  const notifier = new Notifier({
    nowMs: () => 0,
    later: () => () => {},
    show: () => new Promise<boolean>((answer) => void asked.push(answer)),
  })
  for (let n = 1; n <= MAX_NOTICES; n++) notifier.notify(notice(`event ${n}`))
  await new Promise(setImmediate)
  const closed = notifier.close()
  asked[0]!(false)
  await new Promise(setImmediate)
  expect(asked).toHaveLength(1)
  await closed
})

test('a closed notifier leaves no timer', async () => {
  const story = new Story()
  story.notify(MAX_NOTICES + 1)
  expect(story.timers).toBe(1)
  await story.notifier.close()
  expect(story.timers).toBe(0)
})
