/** The programs of a checkout, which run from their sources. All other end-to-end tests start the built package. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { netFlags } from '../../src/netnode/start.ts'
import { rtcFlags } from '../../src/rtcnode/start.ts'
import { DaemonProcess } from '../support/daemon.ts'
import { launcherOf } from '../support/programs.ts'
import { tempDir } from '../support/temp-dir.ts'

const SOURCES = 'sources'

test('the daemon and the command line run from their sources', async () => {
  const home = tempDir()
  const daemon = await DaemonProcess.start({ home, from: SOURCES })
  const args = [launcherOf('persona', SOURCES), '--home', home, 'status', '--json']
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' })
  expect([status, stderr]).toEqual([0, ''])
  expect(JSON.parse(stdout)).toMatchObject({ pid: daemon.child.pid })
  // The user of a checkout has no `persona` on the PATH.
  expect(await daemon.logged('persona.none')).toContain('npx --no -- persona')
})

test('the relay runs from its sources', async () => {
  const home = tempDir()
  const config = join(home, 'relay.yaml')
  writeFileSync(config, 'listen: 127.0.0.1:0\n', { mode: 0o600 })
  const args = [launcherOf('persona-relay', SOURCES), 'serve', '--dir', join(home, 'data'), '--config', config]
  const relay = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const [printed] = (await once(relay.stdout, 'data')) as [Buffer]
  expect(String(printed)).toContain('http://127.0.0.1')
  relay.kill('SIGTERM')
  expect(await once(relay, 'exit')).toEqual([0, null])
})

test.each([
  ['personad-net', netFlags()],
  ['personad-rtc', rtcFlags()],
] as const)('%s runs from its sources, with sight of nothing else', (program, flags) => {
  const args = [...flags, launcherOf(program, SOURCES)]
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { input: '', encoding: 'utf8', env: {} })
  expect([status, stdout, stderr]).toEqual([0, expect.stringContaining('{"type":"ready"}'), ''])
})
