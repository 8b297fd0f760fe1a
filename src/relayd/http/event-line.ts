/** The line of one stream of events to its reader: comments, the reader who takes nothing, and the end. */
import type { ServerResponse } from 'node:http'
import type { Clock } from '../../process/pulse.ts'
import type { Counters } from './counters.ts'

export const COMMENT = ': still here\n\n'

export interface EventLineOptions {
  readonly clock: Clock
  /** Life of a stream in milliseconds. */
  readonly streamMs: number
  readonly counters: Counters
}

export class EventLine {
  readonly #response: ServerResponse
  readonly #options: EventLineOptions
  readonly #endsAtMs: number
  #isEnded = false
  /** Whether the reader took nothing since the last comment. */
  #isStuck = false
  #waitsForDrain = false

  constructor(response: ServerResponse, options: EventLineOptions) {
    this.#response = response
    this.#options = options
    this.#endsAtMs = options.clock.nowMs() + options.streamMs
  }

  /** Whether the reader has to take something before more is written. */
  get isFull(): boolean {
    return this.#response.writableNeedDrain
  }

  /** Writes a first line: it shows the reader, and each proxy on the way, that the stream is open. */
  begin(fields: string): void {
    this.#response.write(COMMENT + fields)
  }

  write(event: unknown): void {
    this.#response.write(`data: ${JSON.stringify(event)}\n\n`)
    this.#options.counters.told()
  }

  /** Runs once the reader has taken what was written. One call stands for all until then. */
  afterDrain(run: () => void): void {
    if (this.#waitsForDrain) return
    this.#waitsForDrain = true
    this.#response.once('drain', () => {
      this.#waitsForDrain = false
      run()
    })
  }

  /** Writes a comment. @returns whether the stream goes on; else the caller ends it */
  tick(): boolean {
    // It has ended, and its reader did not take the rest.
    if (this.#isEnded) return this.#cut()
    if (this.#options.clock.nowMs() >= this.#endsAtMs) return false
    // A reader that took nothing for a whole interval is gone, or holds memory on purpose.
    if (this.#response.writableLength > 0 && this.#isStuck) {
      this.#options.counters.ended('slow reader')
      return this.#cut()
    }
    this.#isStuck = this.#response.writableLength > 0
    if (!this.#isStuck) this.#response.write(COMMENT)
    return true
  }

  end(): void {
    this.#isEnded = true
    this.#response.end()
  }

  #cut(): false {
    this.#response.destroy()
    return false
  }
}
