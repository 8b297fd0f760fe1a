import { createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import * as z from 'zod'
import { Child, type ChildOptions } from '../../../src/process/child.ts'
import { encodeFrame, FrameCutter, type Framed } from '../../../src/process/frame.ts'
import { socketLink } from '../../../src/process/link.ts'
import { BEAT, FAILED } from '../../../src/process/common-reports.ts'
import { checkFrame, type CommonReport, type Protocol } from '../../../src/process/protocol.ts'
import { HandClock } from '../../support/hand-clock.ts'
import { tempDir } from '../../support/temp-dir.ts'

// Processes as children: test/unit/daemon/companion/node.test.ts. Here the child is a program of the service manager.

type Order = { readonly type: 'echo'; readonly text: string }
type Report = CommonReport | { readonly type: 'echoed'; readonly text: string }

const PROTOCOL: Protocol<Order, Report> = {
  orders: z.strictObject({ type: z.literal('echo'), text: z.string() }),
  reports: z.discriminatedUnion('type', [
    z.strictObject({ type: z.literal('ready') }),
    FAILED,
    BEAT,
    z.strictObject({ type: z.literal('echoed'), text: z.string() }),
  ]),
  limits: { maxHeadBytes: 1000, maxBodyBytes: 262_144 },
}

/** A unit that echoes orders with their bodies, and the child that is connected to it. */
class Story {
  readonly path: string = join(tempDir(), 'unit.sock')
  readonly clock = new HandClock()
  readonly heard: Framed<Report>[] = []
  readonly connections: Socket[] = []
  readonly child: Child<Order, Report>
  #server: Server | null = null
  #woken: () => void = () => {}

  constructor(more: Partial<ChildOptions<Order, Report>> = {}) {
    this.child = new Child<Order, Report>({
      protocol: PROTOCOL,
      name: 'the unit',
      knownCodes: new Set(),
      greet: () => Promise.resolve({ orders: [{ type: 'echo', text: 'hello' }] }),
      open: () => socketLink(this.path),
      onReports: (reports) => {
        this.heard.push(...reports)
        this.#woken()
        return Promise.resolve()
      },
      onEnded: () => this.#woken(),
      onDelay: () => this.#woken(),
      clock: this.clock,
      ...more,
    })
    onTestFinished(async () => {
      this.breakOff()
      this.#server?.close()
      await this.child.stop()
    })
  }

  /** @param listens whether the unit answers orders */
  async listen(listens = true): Promise<void> {
    this.#server = createServer((socket) => {
      this.connections.push(socket)
      socket.on('error', () => {})
      socket.write(encodeFrame({ type: 'ready' }, PROTOCOL.limits))
      const cutter = new FrameCutter(PROTOCOL.limits)
      if (!listens) return
      socket.on('data', (piece: Buffer) => {
        for (const frame of cutter.push(piece)) {
          const { message, body } = checkFrame(PROTOCOL.orders, frame)
          socket.write(encodeFrame({ type: 'echoed', text: message.text }, PROTOCOL.limits, body))
        }
      })
    })
    await new Promise<void>((done) => this.#server!.listen(this.path, done))
  }

  breakOff(): void {
    for (const socket of this.connections) socket.destroy()
  }

  async until(fits: () => boolean): Promise<void> {
    while (!fits()) await new Promise<void>((done) => (this.#woken = done))
  }
}

describe('a child behind a socket', () => {
  test('gets the first orders, then others with a body of 256 KiB, and answers', async () => {
    const story = new Story()
    await story.listen()
    story.child.start()
    await story.until(() => story.heard.length === 2)
    const body = new Uint8Array(262_144).map((_, i) => i)
    story.child.send({ type: 'echo', text: 'large' }, body)
    await story.until(() => story.heard.length === 3)
    expect(story.heard.map(({ message }) => message)).toEqual([
      { type: 'ready' },
      { type: 'echoed', text: 'hello' },
      { type: 'echoed', text: 'large' },
    ])
    expect(Buffer.compare(story.heard[2]!.body, body)).toBe(0)
    await story.child.stop()
    expect([story.child.state, story.child.problem]).toEqual(['down', null])
  })

  test('that is not there is tried again after a second', async () => {
    const story = new Story()
    story.child.start()
    await story.clock.waited(1000)
    expect(story.child.problem).toMatchObject({ code: 'CHILD_NOT_STARTED', cause: { code: 'ENOENT' } })
    await story.listen()
    story.clock.turn(1000)
    await story.until(() => story.child.state === 'running')
    expect(story.child.problem).toBeNull()
  })

  test('that breaks the connection has ended by itself, and is connected again', async () => {
    const story = new Story()
    await story.listen()
    story.child.start()
    await story.until(() => story.heard.length === 2)
    story.breakOff()
    await story.clock.waited(1000)
    expect(story.child.problem?.code).toBe('CHILD_ENDED')
    story.clock.turn(1000)
    await story.until(() => story.heard.length === 4)
    expect(story.child.state).toBe('running')
  })

  test('that falls silent is cut off after 15 seconds', async () => {
    const story = new Story()
    await story.listen(false)
    story.child.start()
    await story.until(() => story.child.state === 'running')
    await story.clock.waited(15_000)
    story.clock.turn(15_000)
    await story.clock.waited(1000)
    expect(story.child.problem).toMatchObject({ code: 'CHILD_SILENT', message: 'the unit sent nothing for 15 s' })
  })

  test('that does not end is left after 3 seconds', async () => {
    const story = new Story()
    await story.listen(false)
    story.child.start()
    await story.until(() => story.child.state === 'running')
    // This unit never closes its side.
    story.connections[0]!.pause()
    const stopped = story.child.stop()
    await story.clock.waited(3000)
    story.clock.turn(3000)
    await stopped
    expect([story.child.state, story.child.problem]).toEqual(['down', null])
  })
})
