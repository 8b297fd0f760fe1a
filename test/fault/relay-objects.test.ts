/** Objects of a relay that is killed at any moment, and of one whose disk is full. */
import { randomInt } from 'node:crypto'
import { readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { costOfObject } from '../../src/relayd/store/rules.ts'
import { killAfterLines } from '../support/kill-child.ts'
import { NOW_SEC } from '../support/made-persona.ts'
import { bytesOf, openObjects, PERSONA, sendObject, type ObjectDisk } from '../support/relay-object-disk.ts'
import { objectIdOf } from '../support/relay-devices.ts'
import { mountSmallDisk, NO_SMALL_DISK } from '../support/small-disk.ts'
import { tempDir } from '../support/temp-dir.ts'

const CHILD = join(import.meta.dirname, '../support/relay-objects-child.ts')
const KILLS = Number(process.env.KILLS ?? 2)
const CALLER = { address: 'reader' }

/** Reads an object to its end; null if there is none. */
async function read({ objects }: ObjectDisk, number: number): Promise<Buffer | null> {
  const target = { persona: PERSONA, id: objectIdOf(number) }
  const found = await objects.find(target, CALLER)
  if (found.outcome !== 'found') return null
  const { bytes } = found.object
  const reading = await objects.read(target, found.object, { first: 0, last: bytes - 1 }, CALLER)
  return reading.outcome === 'reading' ? Buffer.concat(await reading.bytes.toArray()) : null
}

const filesIn = (directory: string, name: string): string[] => readdirSync(join(directory, 'objects', name))

it(
  `objects of a relay that is killed are whole or gone, and each byte on the disk is counted (${KILLS} times)`,
  async () => {
    const directory = join(tempDir(), 'relay')
    const kept = new Set<number>()
    const [removing, removed] = [new Set<number>(), new Set<number>()]
    for (let kill = 1; kill <= KILLS; kill++) {
      await killAfterLines(CHILD, [directory, String(kill * 1_000_000)], randomInt(5, 60), (line) => {
        const [what, n] = line.split(' ')
        ;({ kept, removing, removed })[what as 'kept' | 'removing' | 'removed'].add(Number(n))
      })
      const disk = await openObjects(directory)
      expect(filesIn(directory, 'coming')).toEqual([])
      await disk.objects.expire(NOW_SEC * 1e6, 1000)
      await disk.objects.sweep()
      expect(await disk.store.objects.unfinished(10)).toEqual([])
      for (const n of kept) {
        const found = await read(disk, n)
        if (removed.has(n)) expect(found, `removed ${n}`).toBeNull()
        else if (found !== null || !removing.has(n)) expect(found?.equals(bytesOf(n)), `kept ${n}`).toBe(true)
      }
      const sizes = filesIn(directory, 'kept').map((name) => statSync(join(directory, 'objects/kept', name)).size)
      const stats = await disk.store.stats()
      expect(stats.objects).toBe(sizes.length)
      const card = stats.bytes - sizes.reduce((sum, size) => sum + costOfObject(size), 0)
      expect(card).toBeGreaterThan(0)
      expect(card).toBeLessThan(4096)
      await disk.store.close()
    }
    expect(kept.size).toBeGreaterThan(KILLS)
    expect(removed.size).toBeGreaterThan(0)
  },
  KILLS * 30_000,
)

it('a file that nothing counts is removed, and any other file stays', async () => {
  const directory = join(tempDir(), 'relay')
  const disk = await openObjects(directory)
  expect(await sendObject(disk, 1)).toBe('kept')
  const stray = `${PERSONA}.${'AB'.repeat(32)}`
  for (const name of [stray, 'notes.txt', `${PERSONA}.x`]) writeFileSync(join(directory, 'objects/kept', name), 'x')
  expect(await disk.objects.sweep(() => true)).toBe(0)
  expect(await disk.objects.sweep()).toBe(1)
  expect(filesIn(directory, 'kept')).toHaveLength(3)
  expect(filesIn(directory, 'kept')).not.toContain(stray)
  expect((await read(disk, 1))?.equals(bytesOf(1))).toBe(true)
  await disk.store.close()
})

const REASON = NO_SMALL_DISK === '' ? '' : ` (skipped: ${NO_SMALL_DISK})`

it.skipIf(REASON !== '')(`a disk that is full refuses an object, and keeps no byte of it${REASON}`, async () => {
  const home = tempDir()
  const mounted = mountSmallDisk(home, 'bytes', 16)
  onTestFinished(() => mounted.unmount())
  const directory = join(home, 'state')
  const disk = await openObjects(directory)
  expect(await sendObject(disk, 1)).toBe('kept')
  const before = await disk.store.stats()
  expect(await sendObject(disk, 2, new Uint8Array(18 << 20))).toBe('full')
  expect([filesIn(directory, 'coming'), filesIn(directory, 'kept').length]).toEqual([[], 1])
  expect(await disk.store.stats()).toEqual(before)
  expect(await sendObject(disk, 2)).toBe('kept')
  expect((await read(disk, 1))?.equals(bytesOf(1))).toBe(true)
  await disk.store.close()
})
