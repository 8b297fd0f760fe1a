import { rmSync } from 'node:fs'

/** Removes a directory into which a program that ends, or one of its children, may still write. */
export function removeTree(directory: string): void {
  // A file that comes while the others go makes the removal fail: it is tried again, after 50 ms, 100 ms and so on.
  rmSync(directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 })
}
