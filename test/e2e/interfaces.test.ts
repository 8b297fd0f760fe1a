import { pathToFileURL } from 'node:url'
import { resolve } from 'node:path'
import { expect, test } from 'vitest'
import { DaemonProcess } from '../support/daemon.ts'
import { tempDir } from '../support/temp-dir.ts'

const PRELOAD = `--import=${pathToFileURL(resolve('test/support/count-interfaces.mjs')).href}`

async function listings(env: Readonly<Record<string, string>>): Promise<number> {
  const daemon = await DaemonProcess.start({ home: tempDir(), env: { NODE_OPTIONS: PRELOAD, ...env } })
  const [owner, app] = [await daemon.connect(), await daemon.connect('app')]
  await owner.call('status')
  await app.call('status')
  expect(await daemon.kill('SIGTERM')).toBe(0)
  return daemon.log.filter((line) => line.includes('interfaces.listed')).length
}

test('the daemon never lists the network interfaces of the machine', async () => {
  expect(await listings({})).toBe(0)
  // Otherwise the count would prove nothing.
  expect(await listings({ LIST_INTERFACES: 'yes' })).toBe(1)
})
