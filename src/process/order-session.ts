/** A child program's side of one connection: reads the orders of the daemon, beats, and reports. */
import type { Writable } from 'node:stream'
import { encodeFrame, FrameCutter, holdForTurn, type Framed, type FrameLimits } from './frame.ts'
import { BEAT_MS, checkFrame, type CommonReport, type Schema } from './protocol.ts'

const MAX_UNREAD_BYTES = 8_388_608 // sanity: the answers to all orders that can wait; a daemon that reads none is cut off

export interface OrderWork<Order> {
  readonly orders: Schema<Order>
  readonly take: (order: Framed<Order>) => Promise<void>
  /** Code and message of an error, as a report has them. Messages of others may quote a text, so they stay here. */
  readonly reasonOf: (error: unknown) => { readonly code: string; readonly message: string }
  /** Ends all work: the input has ended, or made no sense. */
  readonly close: () => void
}

export class OrderSession<Order, Report extends { readonly type: string }> {
  readonly #output: Writable
  readonly #limits: FrameLimits
  #isOver = false

  constructor(output: Writable, limits: FrameLimits) {
    this.#output = output
    this.#limits = limits
    // The input of a daemon that is gone ends too.
    output.on('error', () => {})
  }

  /** Serves until the input ends or makes no sense. Never throws. */
  async serve(input: AsyncIterable<Buffer>, work: OrderWork<Order>): Promise<void> {
    this.#write({ type: 'ready' })
    const beat = setInterval(() => this.#write({ type: 'beat' }), BEAT_MS)
    try {
      const cutter = new FrameCutter(this.#limits)
      for await (const piece of input)
        for (const frame of cutter.push(piece)) await work.take(checkFrame(work.orders, frame))
    } catch (error) {
      this.#write({ type: 'failed', ...work.reasonOf(error) })
    } finally {
      this.#isOver = true
      clearInterval(beat)
      work.close()
      this.#output.end()
    }
  }

  report(report: Report, body?: Uint8Array): void {
    this.#write(report, body)
  }

  #write(report: Report | CommonReport, body?: Uint8Array): void {
    if (this.#isOver) return
    holdForTurn(this.#output)
    this.#output.write(encodeFrame(report, this.#limits, body))
    if (this.#output.writableLength > MAX_UNREAD_BYTES) this.#output.destroy()
  }
}
