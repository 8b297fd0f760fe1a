/** The Tox node as a supervised child process: how it is started, and the meaning of its end. */
import { spawn, type ChildProcess } from 'node:child_process'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Child, type ChildState } from '../../process/child.ts'
import { FrameError } from '../../process/frame.ts'
import { processLink } from '../../process/link.ts'
import type { Log } from '../../process/log.ts'
import type { ChildError } from '../../process/protocol.ts'
import type { Clock } from '../../process/pulse.ts'
import { LiveError, liveFrameError } from '../../toxnode/errors.ts'
import { TOX_PROTOCOL, type NodeOptions, type Order, type Report } from '../../toxnode/protocol.ts'

export interface ToxNodeOptions {
  readonly log: Log
  /** Reads the options and the key at each start. The key is wiped once the node has it. */
  readonly start: () => Promise<{ readonly options: NodeOptions; readonly secretKey: Uint8Array }>
  readonly wipe: (secret: Uint8Array) => void
  /** The output of the node is not read until this is done, so that reports never pile up here. */
  readonly onReports: (reports: readonly Report[]) => Promise<void>
  /** Called when the node has ended, whether or not it will restart. */
  readonly onEnded: () => void
  readonly spawn?: () => ChildProcess
  readonly clock?: Clock
}

/** Codes with which the node explains its end. */
const REPORTED: ReadonlySet<string> = new Set<LiveError['code']>([
  'LIVE_LIBRARY_MISSING',
  'LIVE_LIBRARY_VERSION',
  'LIVE_LOOPBACK_UNSUPPORTED',
  'LIVE_PORT_BUSY',
  'LIVE_PROXY_BAD',
  'LIVE_START_FAILED',
])

export class ToxNode {
  readonly #child: Child<Order, Report>

  constructor({ log, start, wipe, onReports, onEnded, spawn = spawnNode, clock }: ToxNodeOptions) {
    this.#child = new Child({
      protocol: TOX_PROTOCOL,
      name: 'the node',
      knownCodes: REPORTED,
      greet: async () => {
        const { options, secretKey } = await start()
        return {
          secret: { bytes: secretKey, wipe: () => wipe(secretKey) },
          orders: [{ type: 'start', options }],
        }
      },
      open: () => processLink(spawn()),
      onReports: (reports) => onReports(reports.map(({ message }) => message)),
      onEnded,
      onDelay: (problem, delayMs) => {
        const { message, code } = liveError(problem)
        log.warn('tox.ended', { message, code, againSec: delayMs / 1000 })
      },
      ...(clock === undefined ? {} : { clock }),
    })
  }

  get state(): ChildState {
    return this.#child.state
  }

  /** The reason of its last end, until it runs again. */
  get problem(): LiveError | null {
    const { problem } = this.#child
    return problem && liveError(problem)
  }

  /** Starts it at once, without the rest of a delay. */
  start(): void {
    this.#child.start()
  }

  /** Ends it cleanly, or kills it if it does not end. */
  async stop(): Promise<void> {
    await this.#child.stop()
  }

  /** Sends an order. The order is lost while the node does not run: send it again when the node is ready. */
  send(order: Order): void {
    try {
      this.#child.send(order)
    } catch (error) {
      throw error instanceof FrameError ? liveFrameError(error) : error
    }
  }
}

/** Spawns a process that inherits only three pipes: no environment except for its tests, no descriptors, no arguments of others. */
function spawnNode(): ChildProcess {
  const main = fileURLToPath(new URL(`../../toxnode/main${extname(import.meta.url)}`, import.meta.url))
  const rate = process.env['PERSONAD_LIVE_CLOCK_RATE']
  return spawn(process.execPath, ['--disable-sigusr1', '--max-old-space-size=64', main], {
    stdio: ['pipe', 'pipe', 'ignore'],
    env: rate === undefined ? {} : { PERSONAD_LIVE_CLOCK_RATE: rate },
  })
}

function liveError(problem: ChildError): LiveError {
  const { code, message, reported, cause } = problem
  switch (code) {
    case 'CHILD_FRAME_TOO_LARGE':
      return liveFrameError({ code: 'FRAME_TOO_LARGE', message })
    case 'CHILD_FRAME_INVALID':
      return liveFrameError({ code: 'FRAME_INVALID', message })
    case 'CHILD_GAVE_UP':
      return new LiveError(reported === null ? 'LIVE_NODE_FAILED' : (reported as LiveError['code']), message)
    case 'CHILD_NOT_STARTED':
      // The reason may be one of ours, such as a libtoxcore that is missing.
      return cause instanceof LiveError ? cause : new LiveError('LIVE_NODE_FAILED', message, { cause })
    case 'CHILD_ENDED':
    case 'CHILD_SILENT':
    case 'CHILD_STALLED':
    case 'CHILD_FLOODS':
      return new LiveError('LIVE_NODE_FAILED', message)
  }
}
