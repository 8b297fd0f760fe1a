/** stderr as the log needs it: a record is with the kernel before the next statement runs, so that the last one before an exit is there. */
import { writeSync } from 'node:fs'
import { Writable } from 'node:stream'
import { isatty } from 'node:tty'

const FD = 2
const RETRY_MS = 5
const MAX_WAIT_MS = 1000 // sanity: who shares this terminal and made it non-blocking may hold us up so long, then a record is dropped

/**
 * process.stderr queues what does not fit a full pipe, and an exit drops its queue: the record that says why the daemon ended. Here a
 * slow reader makes us wait, as it does every program in C; one that has gone silences the log and stops nothing.
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
