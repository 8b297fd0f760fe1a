/** The secrets of a running daemon are in memory once each: in guarded memory, which is neither swapped nor dumped. */
import { closeSync, openSync, readFileSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { DaemonProcess } from '../support/daemon.ts'
import { OWN_LAPTOP } from '../support/keeper.ts'
import { tempDir } from '../support/temp-dir.ts'

const PAGE_BYTES = 4096 // libsodium gives each secret pages of its own

/** The sizes in bytes of the mappings that contain the secret, one for each occurrence. */
function mappingsWith(secret: Uint8Array, pid: number): number[] {
  const found: number[] = []
  const memory = openSync(`/proc/${pid}/mem`, 'r')
  try {
    for (const line of readFileSync(`/proc/${pid}/maps`, 'latin1').split('\n')) {
      const [, from, to, mode] = /^([0-9a-f]+)-([0-9a-f]+) (\S+)/.exec(line) ?? []
      if (from === undefined || !mode!.startsWith('rw')) continue
      const start = Number.parseInt(from, 16)
      const bytes = readMapping(memory, start, Number.parseInt(to!, 16) - start)
      for (let at = bytes.indexOf(secret); at >= 0; at = bytes.indexOf(secret, at + 1)) found.push(bytes.length)
    }
  } finally {
    closeSync(memory)
  }
  return found
}

/** Reads a mapping; empty if the process has released it since the list was read. */
function readMapping(memory: number, start: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafeSlow(length)
  try {
    return bytes.subarray(0, readSync(memory, bytes, 0, length, start))
  } catch {
    return bytes.subarray(0, 0)
  }
}

// The daemon hides its memory from other programs of its user, so only root can read it.
it.skipIf(process.platform !== 'linux' || process.getuid?.() !== 0)(
  'seed and signing key are in memory once each, in separate pages',
  async () => {
    const home = tempDir()
    const first = await DaemonProcess.start({ home })
    await (await first.connect()).call('persona.init', { device: { name: 'laptop', key: OWN_LAPTOP } })
    const secrets = ['seed', 'secrets'].map((name) => readFileSync(join(home, 'state', name)).subarray(-32))
    const whereabouts = (daemon: DaemonProcess): number[][] =>
      secrets.map((secret) => mappingsWith(secret, daemon.child.pid!))
    expect(whereabouts(first), 'as they were drawn').toStrictEqual([[PAGE_BYTES], [PAGE_BYTES]])
    await first.kill('SIGTERM')
    const second = await DaemonProcess.start({ home })
    expect(whereabouts(second), 'as they were read').toStrictEqual([[PAGE_BYTES], [PAGE_BYTES]])
    await (await second.connect()).call('device.rename', { device: 'laptop', name: 'desk' })
    expect(whereabouts(second), 'after they were used').toStrictEqual([[PAGE_BYTES], [PAGE_BYTES]])
  },
)
