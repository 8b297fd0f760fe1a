/** A companion whose Tox node the test plays, with a keeper in this process. */
import type { ChildProcess } from 'node:child_process'
import { EventEmitter } from 'node:events'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { TOX_SECTION, type ToxConfig } from '../../src/daemon/companion/config.ts'
import { parseSections } from '../../src/process/config-file.ts'
import { Companion } from '../../src/daemon/companion/companion.ts'
import type { Log } from '../../src/process/log.ts'
import { checkFrame } from '../../src/process/protocol.ts'
import { encodeFrame, FrameCutter } from '../../src/process/frame.ts'
import { SECRET_BYTES, TOX_PROTOCOL, type NodeOptions, type Order, type Report } from '../../src/toxnode/protocol.ts'
import type { TestKeeper } from './keeper.ts'

const DHT_KEY = 'DD'.repeat(32)
const NO_LOG: Log = { error: () => {}, warn: () => {}, info: () => {}, debug: () => {}, setLevel: () => {} }
type Sent<Type extends Order['type']> = Extract<Order, { type: Type }>

/** One run of the node. */
export class FakeNode extends EventEmitter {
  readonly stdin: PassThrough = new PassThrough()
  readonly stdout: PassThrough = new PassThrough()
  readonly orders: Order[] = []
  readonly secretKey: Buffer = Buffer.alloc(SECRET_BYTES)

  constructor(onOrder: () => void) {
    super()
    const cutter = new FrameCutter(TOX_PROTOCOL.limits)
    let got = 0
    this.stdin.on('data', (piece: Buffer) => {
      const taken = piece.copy(this.secretKey, got)
      got += taken
      const frames = cutter.push(piece.subarray(taken))
      this.orders.push(...frames.map((frame) => checkFrame(TOX_PROTOCOL.orders, frame).message))
      onOrder()
    })
    this.stdin.on('end', () => this.#exit(0, null))
  }

  kill(signal: NodeJS.Signals): void {
    this.#exit(null, signal)
  }

  #exit(status: number | null, signal: string | null): void {
    this.stdout.end()
    this.emit('exit', status, signal)
  }

  say(...reports: readonly Report[]): void {
    this.stdout.write(Buffer.concat(reports.map((report) => encodeFrame(report, TOX_PROTOCOL.limits))))
  }

  get options(): NodeOptions {
    return (this.orders[0] as Sent<'start'>).options
  }

  /** All orders of one kind. */
  sent<Type extends Order['type']>(type: Type): Sent<Type>[] {
    return this.orders.filter((order) => order.type === type) as Sent<Type>[]
  }
}

export interface LiveStory {
  /** Lines of the section `tox` in the configuration. */
  readonly config?: string
  readonly machineId?: string
  /** The clock of the limits of friends. */
  readonly nowMs?: () => number
}

export class TestLive {
  readonly keeper: TestKeeper
  readonly live: Companion
  readonly nodes: FakeNode[]
  connected = 0
  wake: () => void = () => {}
  #connection: 'tcp' | 'udp' = 'tcp'

  private constructor(keeper: TestKeeper, live: Companion, nodes: FakeNode[]) {
    this.keeper = keeper
    this.live = live
    this.nodes = nodes
  }

  /** Does what the daemon does at its start. */
  static async open(
    keeper: TestKeeper,
    { config = '', machineId = 'this machine', nowMs }: LiveStory = {},
  ): Promise<TestLive> {
    const nodes: FakeNode[] = []
    let test: TestLive | null = null
    const { tox } = parseSections(`tox:\n  enabled: true\n${config}`, 'test', [TOX_SECTION])
    const live = await Companion.open({
      keeper: keeper.keeper,
      config: tox as ToxConfig,
      keyFile: join(keeper.stateDir, 'companion'),
      machineId,
      log: NO_LOG,
      spawn: () => {
        const node = new FakeNode(() => test?.wake())
        nodes.push(node)
        return node as unknown as ChildProcess
      },
      ...(nowMs === undefined ? {} : { nowMs }),
    })
    const opened = new TestLive(keeper, live, nodes)
    test = opened
    keeper.onEvent = (event) => {
      live.onEvent(event)
      if (event.event === 'tox.connected') opened.connected++
      opened.wake()
    }
    live.start()
    return opened
  }

  /** Opens a keeper with a running companion. */
  static async up(keeper: TestKeeper, story: LiveStory = {}): Promise<TestLive> {
    const test = await TestLive.open(keeper, story)
    await test.live.up(undefined)
    await test.runs()
    return test
  }

  get node(): FakeNode {
    return this.nodes.at(-1)!
  }

  get key(): string {
    return this.live.status().key!
  }

  /** Waits for the node's first orders, then reports the node ready. */
  async runs(): Promise<void> {
    await this.#until(() => this.live.status().state === 'starting' && (this.nodes.at(-1)?.orders.length ?? 0) === 1)
    await this.says({ type: 'ready', key: this.key, dhtKey: DHT_KEY, port: 1, version: '0.2.18' })
  }

  /** Sends a report from the node and waits until all its effects have happened. */
  async says(...reports: readonly Report[]): Promise<void> {
    if (reports.length > 0) this.node.say(...reports)
    // Finally send something that causes an event: once it arrives, everything before it was processed.
    this.#connection = this.#connection === 'tcp' ? 'udp' : 'tcp'
    const { connected } = this
    this.node.say({ type: 'self', connection: this.#connection })
    await this.#until(() => this.connected > connected)
    await this.idle()
  }

  /** Makes a friend come online and show a status message. */
  async sees(key: string, text: string): Promise<void> {
    await this.says({ type: 'friend', key, connection: 'udp' }, { type: 'status', key, text })
  }

  /** Waits until the effects of all events are done and the node has all orders. */
  async idle(): Promise<void> {
    await this.live.idle()
    for (let i = 0; i < 5; i++) await new Promise((done) => setImmediate(done))
  }

  async #until(fits: () => boolean): Promise<void> {
    while (!fits()) await new Promise<void>((done) => (this.wake = done))
  }
}
