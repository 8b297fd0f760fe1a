/** A file system whose calls fail on demand, each having persisted or not. */
import { promises } from 'node:fs'
import type { DurableFs, DurableHandle } from '../../src/durable/file.ts'

/**
 * not-persisted: the call fails and does nothing. persisted: it does its work (a write, half of it), then fails.
 * dead: it and all that follow fail, as when the process is killed there.
 */
export type FaultKind = 'not-persisted' | 'persisted' | 'dead'

export interface FaultyFs extends DurableFs {
  /** The calls made so far, in their order, those that failed too */
  readonly calls: readonly string[]
  /** File handles that are still open */
  readonly openHandles: () => number
}

/** @param failAt the number of the call that fails, from 0; none does by default */
export function faultyFs(
  failAt: number = Infinity,
  kind: FaultKind = 'not-persisted',
  errno: string = 'EIO',
): FaultyFs {
  const calls: string[] = []
  let open = 0
  async function call<T>(name: string, work: () => Promise<T>, undo?: (result: T) => Promise<unknown>): Promise<T> {
    const index = calls.push(name) - 1
    const fails = index === failAt || (kind === 'dead' && index > failAt)
    if (!fails) return await work()
    if (kind === 'persisted') {
      const result = await work()
      await undo?.(result)
    }
    throw Object.assign(new Error(`${errno}: fault in ${name}`), { code: errno })
  }
  const half = (length: number): number => (calls.length - 1 === failAt ? Math.ceil(length / 2) : length)
  function wrap(handle: promises.FileHandle): DurableHandle {
    return {
      write: (bytes, offset, length) => call('write', () => handle.write(bytes, offset, half(length))),
      chmod: (mode) => call('chmod', () => handle.chmod(mode)),
      chown: (uid, gid) => call('chown', () => handle.chown(uid, gid)),
      sync: () => call('sync', () => handle.sync()),
      close: async () => {
        // The descriptor is gone whatever close() answers.
        await handle.close()
        open--
        await call('close', () => Promise.resolve())
      },
    }
  }
  return {
    calls,
    openHandles: () => open,
    open: async (path, flags, mode) => {
      const handle = await call(
        'open',
        () => promises.open(path, flags, mode),
        (opened) => opened.close(),
      )
      open++
      return wrap(handle)
    },
    rename: (from, to) => call('rename', () => promises.rename(from, to)),
    unlink: (path) => call('unlink', () => promises.unlink(path)),
    readdir: (path) => call('readdir', () => promises.readdir(path)),
  }
}
