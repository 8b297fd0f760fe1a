import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'

/**
 * Files with a process of their own: they start programs, or change what all of a process shares, such as modules, signals and timers. All other files
 * share a few processes, because to start one and to load the modules of the daemon costs more than most files take.
 */
const ALONE = [
  'test/{e2e,fault,pages}/**/*.test.ts',
  'test/unit/process/**/*.test.ts',
  'test/unit/relayd/boxes/attacks.test.ts',
  // These move the timers of their process, where those of files before them may still run.
  'test/unit/{daemon/{custody/lock-timer,keeper/resign-timer,notify/bus,pairing/pairing,sealed/change},cli/pairing/carriers,ipc/server/connection}.test.ts',
]
const TEST_TIMEOUT_MS = 60_000 // sanity: a few seconds on an idle machine, and other workers want the processors too

// A daemon of a test must not show notifications on the desktop of whoever runs it.
const env = { DBUS_SESSION_BUS_ADDRESS: 'disabled:' }
const common = { pool: 'forks', testTimeout: TEST_TIMEOUT_MS, env } as const

export default defineConfig({
  test: {
    globalSetup: 'test/support/compile-cache.ts',
    // One more than processors: for about half of its time a file that starts programs waits for them or for the disk.
    maxWorkers: availableParallelism() + 1,
    // In the order of their names: the files that take minutes begin first, so that none of them is left alone at the end.
    projects: [
      { test: { ...common, name: 'alone', include: ALONE, globalSetup: 'test/support/built-package.ts' } },
      { test: { ...common, name: 'shared', include: ['test/**/*.test.ts'], exclude: ALONE, isolate: false } },
    ],
  },
})
