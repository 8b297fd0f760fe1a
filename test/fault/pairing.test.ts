import { readdirSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { removeLeftovers } from '../../src/durable/file.ts'
import { openMemoryStore } from '../../src/store/memory-store.ts'
import type { Store } from '../../src/store/store.ts'
import { OWN_LAPTOP, OWN_PHONE, TestKeeper } from '../support/keeper.ts'
import { Life, mortalFs, mortalStore } from '../support/mortal.ts'
import { pair } from '../support/pairing.ts'
import { person } from '../support/person.ts'
import { rotates, siblings } from '../support/rotation.ts'

const PHONE = { name: 'phone', key: OWN_PHONE }
const bob = person('bob')

/** Opens a keeper to be killed, with its state as the next start finds it. */
async function mortal(
  life: Life,
  stateDir?: string,
  store: Store = openMemoryStore(),
): Promise<[TestKeeper, () => Promise<TestKeeper>]> {
  const at = stateDir === undefined ? {} : { stateDir }
  const keeper = await TestKeeper.open({ ...at, store: mortalStore(store, life), fs: mortalFs(life) })
  life.begin()
  const reopen = async (): Promise<TestKeeper> => {
    await removeLeftovers(keeper.stateDir)
    return await TestKeeper.open({ stateDir: keeper.stateDir, store })
  }
  return [keeper, reopen]
}

async function oldDevice(): Promise<TestKeeper> {
  const old = await TestKeeper.withPersona()
  await old.sees(bob.key('laptop'), bob.table(['laptop']))
  return old
}

/** Kills at every write until the work completes. @returns number of kills */
async function killAtEach(story: (life: Life) => Promise<void>): Promise<number> {
  for (let killed = 0; ; killed++) {
    const life = new Life(killed)
    await story(life)
    if (!life.isOver || killed > 500) return killed
  }
}

describe('a pairing killed at each write', () => {
  it('leaves a new device without a persona, or with the complete one', async () => {
    const seen = { none: 0, whole: 0 }
    const killed = await killAtEach(async (life) => {
      const old = await oldDevice()
      const [joining, reopen] = await mortal(life)
      await pair(old, joining, { join: { device: PHONE } }).catch(() => {})
      const after = await reopen()
      if (!after.keeper.hasPersona) {
        seen.none++
        expect(readdirSync(after.stateDir)).toEqual([])
        // The next try must work.
        await old.call('pairing.cancel')
        await pair(old, after, { join: { device: PHONE } })
      } else seen.whole++
      expect(await after.call('device.list')).toEqual(await old.call('device.list'))
      expect(await after.call('contact.show', { contact: bob.id })).toMatchObject({ personaId: bob.id })
      expect((await after.call('device.rename', { device: 'phone', name: 'telephone' })).table.epoch).toBe(0)
    })
    expect(killed).toBeGreaterThan(10)
    expect(seen.none).toBeGreaterThan(5)
    expect(seen.whole).toBeGreaterThan(3)
  })

  it('leaves a sibling with exactly one key, the old or the new one', async () => {
    const seen = { before: 0, after: 0 }
    const killed = await killAtEach(async (life) => {
      const { laptop, phone, words } = await siblings()
      await rotates(laptop, words, { epoch: 1 })
      const [joining, reopen] = await mortal(life, phone.stateDir, phone.store)
      await pair(laptop, joining).catch(() => {})
      const after = await reopen()
      const { epoch } = await after.call('device.list')
      expect(after.custody.epochs()).toEqual([epoch])
      seen[epoch === 0 ? 'before' : 'after']++
      expect((await after.call('device.rename', { device: 'phone', name: 'telephone' })).table.epoch).toBe(epoch)
    })
    expect(killed).toBeGreaterThan(10)
    expect(seen.before).toBeGreaterThan(5)
    expect(seen.after).toBeGreaterThan(3)
  })

  it('leaves the old device unchanged, or with the new device in its table', async () => {
    const seen = new Set<number>()
    const killed = await killAtEach(async (life) => {
      const origin = await oldDevice()
      const [old, reopen] = await mortal(life, origin.stateDir, origin.store)
      const joining = await TestKeeper.open()
      await pair(old, joining, { join: { device: PHONE } }).catch(() => {})
      const after = await reopen()
      const { devices } = await after.call('device.list')
      seen.add(devices.length)
      expect(devices[0]!.key).toBe(OWN_LAPTOP)
      await after.call('device.rename', { device: 'laptop', name: 'notebook' })
      // The joining device has a complete state too.
      if (joining.keeper.hasPersona) expect((await joining.call('device.list')).devices).toHaveLength(2)
      else expect(readdirSync(joining.stateDir)).toEqual([])
    })
    expect(killed).toBeGreaterThan(0)
    expect([...seen].sort((a, b) => a - b)).toEqual([1, 2])
  })
})
