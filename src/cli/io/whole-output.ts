/** Makes stdout write everything or fail: Node forgets the rest when a file takes only a part of a text. */
import { fstatSync, writeSync } from 'node:fs'
import type { Writable } from 'node:stream'

/** Node writes to files at once, by one call of write(2), and does not look how much of it was written. */
export function writeWhole(stdout: Writable & { readonly fd: number }): void {
  if (!isRegularFile(stdout.fd)) return
  const write: Writable['_write'] = (chunk: Uint8Array, _encoding, done) => {
    try {
      for (let at = 0; at < chunk.length;) at += writeSync(stdout.fd, chunk, at)
      done()
    } catch (error) {
      done(error instanceof Error ? error : new Error('write failed'))
    }
  }
  Object.assign(stdout, { _write: write })
}

function isRegularFile(fd: number): boolean {
  try {
    return fstatSync(fd).isFile()
  } catch {
    // Closed before the start: nothing can be written there.
    return false
  }
}
