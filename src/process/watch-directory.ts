/** Watches one directory for changes of the names in it. */
import { watch, type FSWatcher } from 'node:fs'

/**
 * Watches one directory; tests pass their own. The listener gets the changed name, or null when the name is unknown.
 */
export type WatchDirectory = (
  directory: string,
  onChange: (name: string | null) => void,
  onError: (error: unknown) => void,
) => { close(): void }

/** A {@link WatchDirectory} that uses inotify. */
export function watchByKernel(
  directory: string,
  onChange: (name: string | null) => void,
  onError: (error: unknown) => void,
): FSWatcher {
  const watcher = watch(directory, (_event, name) => onChange(name))
  watcher.on('error', onError)
  return watcher
}
