import { join } from 'node:path'
import { expect, it } from 'vitest'
import { KEY_ID_BYTES, openSlot, readSlots } from '../../../../src/daemon/sealed/key-file.ts'
import { KeyRing } from '../../../../src/daemon/sealed/key-ring.ts'
import { openLevelStore } from '../../../../src/store/level-store.ts'
import { lockStateDir } from '../../../../src/store/lock.ts'
import { createStateDir } from '../../../../src/store/state-dir.ts'
import { filesBelow } from '../../../support/canary.ts'
import { quickEngine as engine } from '../../../support/quick-engine.ts'
import { TestSealed } from '../../../support/sealed.ts'
import { tempDir } from '../../../support/temp-dir.ts'

const DAY = 86_400
const CANARY = 'the lamp is on the stairs'

it('a record that was deleted stays in the files of LevelDB, and after a day no key on disk opens it', async () => {
  const stateDir = join(tempDir(), 'state')
  await createStateDir(stateDir)
  const lock = await lockStateDir(stateDir)
  const store = await openLevelStore(lock)
  const test = await TestSealed.open({ engine, stateDir, store })
  const sealed: { name: string; value: Uint8Array }[] = []
  // Changed, deleted, and kept: only the last version of the kept one must open after the day.
  for (const [id, text] of [
    ['changed', `${CANARY} 1`],
    ['deleted', `${CANARY} 2`],
    ['kept', `${CANARY} 3`],
  ] as const) {
    await test.put(id, text)
    const name = `text/${id}`
    // Without the version of the record.
    sealed.push({ name, value: store.get(`sealed/${name}`)!.slice(1) })
  }
  await test.put('changed', 'something else')
  await test.inChange((texts) => texts.delete('deleted'))

  const onDisk = (): typeof sealed => {
    const files = filesBelow(lock.paths.store)
    return sealed.filter(({ value }) => files.some((file) => file.includes(Buffer.from(value))))
  }
  /** As a thief of the disk reads it. */
  const opened = async (): Promise<string[]> => {
    const slots = (await readSlots(test.file))!
    const keys = slots.map((slot) =>
      slot.state === 'sealed' ? openSlot(slot.file, { mode: 'unsealed' }, engine) : null,
    )
    const ring = new KeyRing(
      keys.filter((key) => key !== null).map((key, place) => ({ ...key, place, sealer: 'unsealed' })),
      engine,
    )
    return onDisk().flatMap(({ name, value }) => (ring.open(name, value) === null ? [] : [name]))
  }
  expect(onDisk()).toHaveLength(3)
  expect(await opened()).toStrictEqual(['text/changed', 'text/deleted', 'text/kept'])

  const oldKey = Buffer.from(test.sealed.key.ring().current.key)
  test.test.later(DAY)
  await test.sealed.change.run()
  expect(onDisk()).toHaveLength(3)
  expect(await opened()).toStrictEqual([])
  expect(await test.all()).toStrictEqual([
    ['changed', 'something else'],
    ['kept', `${CANARY} 3`],
  ])
  const files = filesBelow(stateDir)
  expect(files.some((file) => file.includes(oldKey))).toBe(false)
  expect(files.some((file) => file.includes(CANARY))).toBe(false)
  // The key of today is there, as the check would find the old one.
  expect(files.some((file) => file.includes(Buffer.from(test.sealed.key.ring().current.key)))).toBe(true)
  expect(sealed[0]!.value.subarray(0, KEY_ID_BYTES)).not.toStrictEqual(test.sealed.key.ring().current.id)
  await store.close()
  await lock.release()
})
