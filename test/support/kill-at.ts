/** Kills a real daemon in the middle of its work. */
import { watch } from 'node:fs'
import { join } from 'node:path'
import type { DaemonProcess } from './daemon.ts'

/** Kills the daemon once the state directory has reported so many writes. */
export function killAt(daemon: DaemonProcess, home: string, writes: number): { stop: () => void } {
  let left = writes
  const watcher = watch(join(home, 'state'), { recursive: true }, () => {
    if (--left === 0) daemon.child.kill('SIGKILL')
  })
  return { stop: () => watcher.close() }
}
