/**
 * A synchronous stderr for the log: the kernel has a record before the next statement runs, so the last record before
 * an exit is not lost.
 */
import { writeSync } from 'node:fs'
import { Writable } from 'node:stream'
import { isatty } from 'node:tty'

const FD = 2
const RETRY_MS = 5
const MAX_WAIT_MS = 1000 // sanity: another program may make our terminal non-blocking; we wait at most this long, then drop the record

/**
 * process.stderr queues what does not fit a full pipe, and an exit drops that queue, including the record that
 * explains the exit. Here a slow reader makes us wait, as in any C program. A reader that is gone silences the log
 * and stops nothing.
 */
export class Stderr extends Writable {
  readonly fd: number = FD
  readonly isTTY: boolean = isatty(FD)
  #hasReader = true

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    if (this.#hasReader) this.#writeAll(chunk)
    done()
  }

  #writeAll(bytes: Buffer): void {
    let waitedMs = 0
    for (let at = 0; at < bytes.length && waitedMs < MAX_WAIT_MS;) {
      try {
        at += writeSync(FD, bytes, at)
      } catch (error) {
        if (!(error instanceof Error && 'code' in error && error.code === 'EAGAIN')) {
          this.#hasReader = false
          return
        }
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, RETRY_MS)
        waitedMs += RETRY_MS
      }
    }
  }
}
