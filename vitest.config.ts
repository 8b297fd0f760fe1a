import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'

/** Tests of values in, values out: a process for each file would cost them more than they take. */
const PURE = [
  'test/unit/{card,channel,core,cli,dht,docs,durable,ipc,pairing,tox}/**/*.test.ts',
  'test/unit/imports.test.ts',
  'test/property/{card,channel,core,dht,tox}/**/*.test.ts',
  'test/docs/**/*.test.ts',
]

// A daemon of a test must not show notifications on the desktop of whoever runs it.
const env = { DBUS_SESSION_BUS_ADDRESS: 'disabled:' }
const common = { pool: 'forks', testTimeout: 30_000, env } as const

export default defineConfig({
  test: {
    globalSetup: 'test/support/compile-cache.ts',
    // Two also on two processors: much of the time a test waits for a process that it started.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    projects: [
      { test: { ...common, name: 'pure', include: PURE, isolate: false } },
      { test: { ...common, name: 'whole', include: ['test/**/*.test.ts'], exclude: PURE } },
    ],
  },
})
