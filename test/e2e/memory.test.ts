/** The secrets of a running daemon are in memory once each: in guarded memory, which is neither swapped nor dumped. */
import { closeSync, openSync, readFileSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { DaemonProcess } from '../support/daemon.ts'
import { OWN_LAPTOP } from '../support/keeper.ts'
import { portableEngine } from '../../src/crypto/portable.ts'
import { deriveSigningSeed, parseWords } from '../../src/crypto/seed.ts'
import { tempDir } from '../support/temp-dir.ts'

const PAGE_BYTES = 4096 // libsodium gives each secret pages of its own

const PART_BYTES = 4 * 1024 * 1024 // one buffer for all that is read: fresh memory for each mapping takes most of the time
const OVERLAP_BYTES = 128 // more than the longest secret

/** For each secret, the sizes in bytes of the mappings that contain it, one for each occurrence. */
function mappingsWith(secrets: readonly Uint8Array[], pid: number): number[][] {
  const found: number[][] = secrets.map(() => [])
  const memory = openSync(`/proc/${pid}/mem`, 'r')
  const part = Buffer.allocUnsafeSlow(PART_BYTES + OVERLAP_BYTES)
  try {
    for (const line of readFileSync(`/proc/${pid}/maps`, 'latin1').split('\n')) {
      const [, from, to, mode] = /^([0-9a-f]+)-([0-9a-f]+) (\S+)/.exec(line) ?? []
      if (from === undefined || !mode!.startsWith('rw')) continue
      const [start, end] = [Number.parseInt(from, 16), Number.parseInt(to!, 16)]
      for (let at = start; at < end; at += PART_BYTES) {
        const bytes = part.subarray(0, readMemory(memory, part, at, Math.min(part.length, end - at)))
        for (const [i, secret] of secrets.entries())
          for (const place of placesOf(secret, bytes)) if (place < PART_BYTES) found[i]!.push(end - start)
      }
    }
  } finally {
    closeSync(memory)
  }
  return found
}

function* placesOf(secret: Uint8Array, bytes: Buffer): Generator<number> {
  for (let at = bytes.indexOf(secret); at >= 0; at = bytes.indexOf(secret, at + 1)) yield at
}

/** @returns how many bytes were read: none if the process has released them since the list was read */
function readMemory(memory: number, into: Buffer, from: number, length: number): number {
  try {
    return readSync(memory, into, 0, length, from)
  } catch {
    return 0
  }
}

/** The seed in all forms in which a daemon handles it, except the words: strings cannot be wiped (docs/threat-model.md). */
function secretsOf(seed: Uint8Array): Record<string, Uint8Array> {
  const engine = portableEngine
  const signing = [0, 1, 16].map((epoch) => [`seed of K_${epoch}`, deriveSigningSeed(seed, epoch, engine)] as const)
  return { seed, hex: Buffer.from(Buffer.from(seed).toString('hex')), ...Object.fromEntries(signing) }
}

// The daemon hides its memory from other programs of its user, so only root can read it.
it.skipIf(process.platform !== 'linux' || process.getuid?.() !== 0)(
  'seed and signing key are in memory once each, in separate pages',
  async () => {
    const home = tempDir()
    const first = await DaemonProcess.start({ home })
    await (await first.connect()).call('persona.init', { device: { name: 'laptop', key: OWN_LAPTOP } })
    const secrets = ['seed', 'secrets'].map((name) => readFileSync(join(home, 'state', name)).subarray(-32))
    const whereabouts = (daemon: DaemonProcess): number[][] => mappingsWith(secrets, daemon.child.pid!)
    expect(whereabouts(first), 'as they were drawn').toStrictEqual([[PAGE_BYTES], [PAGE_BYTES]])
    await first.kill('SIGTERM')
    const second = await DaemonProcess.start({ home })
    expect(whereabouts(second), 'as they were read').toStrictEqual([[PAGE_BYTES], [PAGE_BYTES]])
    await (await second.connect()).call('device.rename', { device: 'laptop', name: 'desk' })
    expect(whereabouts(second), 'after they were used').toStrictEqual([[PAGE_BYTES], [PAGE_BYTES]])
  },
)

it.skipIf(process.platform !== 'linux' || process.getuid?.() !== 0 || process.env['STORIES'] === undefined)(
  'no copy of the seed is left in memory once its words were shown and confirmed, and the key is locked',
  async () => {
    const daemon = await DaemonProcess.start({ home: tempDir() })
    const client = await daemon.connect()
    const passphrase = 'a long passphrase 1234'
    await client.call('persona.init', { device: { name: 'laptop', key: OWN_LAPTOP }, passphrase })
    const { words } = await client.call('recovery.show')
    const left = (): string[] => {
      const secrets = secretsOf(parseWords(words.join(' ')))
      const found = mappingsWith(Object.values(secrets), daemon.child.pid!)
      return Object.keys(secrets).flatMap((name, i) => found[i]!.map((size) => `${name} in ${size} bytes`))
    }
    expect(left(), 'while the seed is here').toStrictEqual([
      `seed in ${PAGE_BYTES} bytes`,
      `seed of K_0 in ${PAGE_BYTES} bytes`,
    ])
    const chosen = [2, 6, 10].map((position) => ({ position, word: words[position - 1]! }))
    await client.call('recovery.confirm', { words: chosen })
    expect(left(), 'after the words were confirmed').toStrictEqual([`seed of K_0 in ${PAGE_BYTES} bytes`])
    await client.call('recovery.check', { words: words.join(' ') })
    await client.call('persona.lock')
    expect(left(), 'after the lock').toStrictEqual([])
  },
)
