import { spawn, type ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { ToxNode, type ToxNodeOptions } from '../../../../src/daemon/companion/node.ts'
import type { LogFields } from '../../../../src/process/log.ts'
import type { Report } from '../../../../src/toxnode/protocol.ts'
import { HandClock } from '../../../support/hand-clock.ts'

const BAD_NODE = join(import.meta.dirname, '../../../support/bad-node.ts')
const OPTIONS = {
  nospam: 0,
  name: '',
  text: '',
  bootstrap: [],
  proxy: null,
  udp: true,
  port: null,
  loopback: true,
}

/** A supervisor of nodes with one misbehaviour each; the last one is repeated. */
class Story {
  readonly clock = new HandClock()
  readonly children: ChildProcess[] = []
  readonly reports: Report[] = []
  readonly warnings: LogFields[] = []
  readonly node: ToxNode
  readonly #deeds: string[]
  #ended = 0
  #woken: () => void = () => {}

  constructor(deeds: readonly string[], more: Partial<ToxNodeOptions> = {}) {
    this.#deeds = [...deeds]
    this.node = new ToxNode({
      log: {
        error: () => {},
        warn: (_, fields) => this.warnings.push(fields ?? {}),
        info: () => {},
        debug: () => {},
        setLevel: () => {},
      },
      start: () => Promise.resolve({ options: OPTIONS, secretKey: new Uint8Array(32).fill(7) }),
      wipe: (secret) => secret.fill(0),
      onReports: (reports) => {
        this.reports.push(...reports)
        this.#woken()
        return Promise.resolve()
      },
      onEnded: () => {
        this.#ended++
        this.#woken()
      },
      spawn: () => this.#spawn(),
      clock: this.clock,
      ...more,
    })
    onTestFinished(() => {
      for (const child of this.children) child.kill('SIGKILL')
    })
    this.node.start()
  }

  #spawn(): ChildProcess {
    const deed = this.#deeds.length > 1 ? this.#deeds.shift()! : this.#deeds[0]!
    const child = spawn(process.execPath, [BAD_NODE, deed], { stdio: ['pipe', 'pipe', 'pipe'] })
    child.stderr.resume()
    this.children.push(child)
    return child
  }

  async until(fits: () => boolean): Promise<void> {
    while (!fits()) await new Promise<void>((done) => (this.#woken = done))
  }

  /** Resolves when this number of nodes have ended. */
  async ended(count: number): Promise<void> {
    await this.until(() => this.#ended >= count)
  }
}

describe('a node that ends', () => {
  test('by a crash restarts after a second, and after twice as long each time', async () => {
    const story = new Story(['crash'])
    for (const [i, delayMs] of [1000, 2000, 4000, 8000].entries()) {
      await story.clock.waited(delayMs)
      expect(story.node.state).toBe('waiting')
      expect(story.node.problem?.code).toBe('LIVE_NODE_FAILED')
      expect(story.children).toHaveLength(i + 1)
      story.clock.turn(delayMs)
    }
    expect(story.warnings.slice(0, 3).map(({ againSec }) => againSec)).toEqual([1, 2, 4])
    await story.node.stop()
  })

  test('after a minute restarts after a second', async () => {
    const story = new Story(['exit', 'exit', 'good'])
    await story.clock.waited(1000)
    story.clock.turn(1000)
    await story.clock.waited(2000)
    story.clock.turn(2000)
    await story.until(() => story.node.state === 'running')
    expect(story.node.problem).toBeNull()
    story.clock.turn(14_999)
    for (let i = 0; i < 4; i++) story.clock.turn(15_000)
    await story.clock.waited(1000)
    await story.node.stop()
  })

  test('never waits longer than five minutes', async () => {
    const story = new Story(['exit'])
    for (let delayMs = 1000; delayMs < 300_000; delayMs *= 2) {
      await story.clock.waited(delayMs)
      story.clock.turn(delayMs)
    }
    await story.clock.waited(300_000)
    story.clock.turn(300_000)
    await story.clock.waited(300_000)
    await story.node.stop()
  })

  test('can report a known code as its reason, and other codes are not believed', async () => {
    const missing = new Story(['missing'])
    await missing.ended(1)
    expect(missing.node.problem).toMatchObject({ code: 'LIVE_LIBRARY_MISSING' })
    const liar = new Story(['liar'])
    await liar.ended(1)
    expect(liar.node.problem).toMatchObject({ code: 'LIVE_NODE_FAILED', message: 'the node gave up' })
    await Promise.all([missing.node.stop(), liar.node.stop()])
  })
})

describe('a broken node', () => {
  test('is killed after 15 seconds of silence, and not before', async () => {
    const story = new Story(['stubborn', 'good'])
    await story.until(() => story.node.state === 'running')
    story.clock.turn(14_999)
    expect(story.node.state).toBe('running')
    story.clock.turn(1)
    await story.ended(1)
    expect(story.children[0]!.signalCode).toBe('SIGKILL')
    expect(story.node.problem?.message).toContain('sent nothing for 15 s')
    await story.node.stop()
  })

  test.each([
    ['garbage', 'LIVE_FRAME_TOO_LARGE'],
    ['nonsense', 'LIVE_FRAME_INVALID'],
    ['flood', 'LIVE_NODE_FAILED'],
  ])('is killed if it sends %s', async (deed, code) => {
    const story = new Story([deed])
    await story.ended(1)
    expect(story.node.problem?.code).toBe(code)
    expect(story.reports.length).toBeLessThanOrEqual(10_001)
    expect(story.children[0]!.exitCode ?? story.children[0]!.signalCode).toBe('SIGKILL')
    await story.node.stop()
  })

  test('is read only as fast as its reports are handled', async () => {
    let [running, most, done] = [0, 0, 0]
    const story = new Story(['fills'], {
      onReports: async () => {
        most = Math.max(most, ++running)
        // A supervisor that reads on would have read by then.
        await new Promise((later) => setImmediate(later))
        running--
        if (++done === 20) void story.node.stop()
      },
    })
    await story.ended(1)
    expect([most, done >= 20]).toEqual([1, true])
    // This process held at most one piece of the unread output.
    expect(story.children[0]!.stdout!.readableLength).toBeLessThanOrEqual(65_536)
  })
})

describe('stop()', () => {
  test('ends the node cleanly and does not restart it', async () => {
    const story = new Story(['good'])
    await story.until(() => story.node.state === 'running')
    await story.node.stop()
    expect([story.children[0]!.exitCode, story.node.state, story.clock.waits]).toEqual([0, 'down', []])
  })

  test('kills a node that does not end within 3 seconds', async () => {
    const story = new Story(['stubborn'])
    await story.until(() => story.node.state === 'running')
    const stopped = story.node.stop()
    expect(story.clock.waits).toContain(3000)
    story.clock.turn(3000)
    await stopped
    expect(story.children[0]!.signalCode).toBe('SIGKILL')
  })

  test('cancels a planned restart', async () => {
    const story = new Story(['exit'])
    await story.clock.waited(1000)
    await story.node.stop()
    expect([story.clock.waits, story.children.length]).toEqual([[], 1])
    story.node.start()
    await story.ended(2)
    await story.node.stop()
  })

  test('before the process is spawned prevents that and wipes the key', async () => {
    let begin: (value: { options: typeof OPTIONS; secretKey: Uint8Array }) => void = () => {}
    const story = new Story(['good'], { start: () => new Promise((done) => (begin = done)) })
    await Promise.resolve()
    const stopped = story.node.stop()
    const secretKey = new Uint8Array(32).fill(7)
    begin({ options: OPTIONS, secretKey })
    await stopped
    expect([story.children.length, secretKey.every((byte) => byte === 0)]).toEqual([0, true])
  })
})
