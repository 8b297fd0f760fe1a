/**
 * A program: whole daemons of many people in one process, who reach others by one folder. argv: the folder, and their homes. It answers each message with
 * the texts about proposals that have come to them.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { configSections, readConfig } from '../src/daemon/config.ts'
import { startDaemon, stopDaemon } from '../src/daemon/daemon.ts'
import type { Wing } from '../src/daemon/wing/wing.ts'
import { WINGS } from '../src/daemon/wings.ts'
import { resolvePaths } from '../src/ipc/paths.ts'

export interface CrowdReport {
  readonly texts: number
  readonly bytes: number
}

const [folder, ...homes] = process.argv.slice(2)
let [count, bytes] = [0, 0]

/** Counts texts as they are taken. It comes after the wing that takes them. */
const counting: Wing = {
  schema: { methods: {}, events: {}, status: {}, capabilities: [] },
  section: null,
  open: ({ introductions }) => {
    const { take } = introductions
    introductions.take = (channel, app, texts) => {
      count += texts.length
      for (const text of texts) bytes += text.length
      take(channel, app, texts)
    }
    return { handlers: {} }
  },
}

const wings = [...WINGS, counting]
const nothing = (): void => {}
const log = { error: console.error, warn: nothing, info: nothing, debug: nothing, setLevel: nothing }
const stops: (() => Promise<void>)[] = []
for (const home of homes) {
  const paths = resolvePaths({ home, env: {} })
  const { configFile } = paths
  mkdirSync(dirname(configFile), { recursive: true, mode: 0o700 })
  // YAML reads JSON.
  writeFileSync(configFile, `net: ${JSON.stringify({ folders: [folder] })}\n`, { mode: 0o600 })
  const config = await readConfig(configFile, false, configSections(wings))
  const daemon = await startDaemon({ paths, configFile, config, log, supervisor: { stop: nothing }, wings })
  stops.push(async () => await stopDaemon(daemon, paths))
}
const report = (): boolean => process.send!({ texts: count, bytes } satisfies CrowdReport)
process.on('message', report)
process.once('SIGTERM', () => {
  process.disconnect()
  void Promise.all(stops.map(async (stop) => await stop()))
})
report()
