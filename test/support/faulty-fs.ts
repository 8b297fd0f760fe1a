/** A file system whose calls fail on demand, after persisting or without. */
import { promises } from 'node:fs'
import type { DurableFs, DurableHandle } from '../../src/durable/file.ts'
import type { OverwriteHandle } from '../../src/durable/overwrite.ts'

/**
 * not-persisted: the call does nothing and fails. persisted: the call does its work (for a write, half of it), then
 * fails. dead: this call and all later ones fail, as if the process were killed here.
 */
export type FaultKind = 'not-persisted' | 'persisted' | 'dead'

/** It also overwrites in place. */
type Handle = DurableHandle & OverwriteHandle

export interface FaultyFs extends DurableFs {
  open(path: string, flags: number, mode?: number): Promise<Handle>
  /** All calls so far, in order, including failed ones */
  readonly calls: readonly string[]
  /** The file handles still open */
  readonly openHandles: () => number
}

/** @param failAt the index of the call that fails, from 0; by default no call fails */
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
  function wrap(handle: promises.FileHandle): Handle {
    return {
      write: (bytes: Uint8Array, offset: number, length: number, position?: number) =>
        call('write', () => handle.write(bytes, offset, half(length), position)),
      chmod: (mode) => call('chmod', () => handle.chmod(mode)),
      chown: (uid, gid) => call('chown', () => handle.chown(uid, gid)),
      sync: () => call('sync', () => handle.sync()),
      close: async () => {
        // The descriptor is gone whatever close() returns.
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
