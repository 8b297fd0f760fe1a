import { copyFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readPlace } from '../../../../src/daemon/keeper/copy-check.ts'
import type { PlaceRecord } from '../../../../src/daemon/state/records.ts'
import { statePaths } from '../../../../src/store/state-dir.ts'
import { OWN_PHONE, ownText, TestKeeper } from '../../../support/keeper.ts'
import { tempDir } from '../../../support/temp-dir.ts'

const HERE: PlaceRecord = { machine: 'aa', file: '7' }

async function startedAt(places: readonly PlaceRecord[]): Promise<(number | null)[]> {
  let keeper = await TestKeeper.open({ place: places[0]! })
  await keeper.call('persona.init', { device: { name: 'phone', key: OWN_PHONE } })
  const gates: (number | null)[] = []
  for (const place of places.slice(1)) {
    const { stateDir, store, nowSec } = keeper
    keeper = await TestKeeper.open({ stateDir, store, nowSec: nowSec + 10, place })
    gates.push(keeper.records.own.get('own')!.restoredSec)
  }
  return gates
}

describe('a copied state', () => {
  it('is noticed at the start by its machine or file, and signs nothing until it is reconciled (attack 24)', async () => {
    expect(await startedAt([HERE, HERE, HERE])).toEqual([null, null])
    expect(await startedAt([HERE, { ...HERE, machine: 'bb' }])).toEqual([expect.any(Number)])
    expect(await startedAt([HERE, { ...HERE, file: '8' }])).toEqual([expect.any(Number)])
    // Noticed once, and remembered from then on.
    const [first, second] = await startedAt([HERE, { ...HERE, file: '8' }, { ...HERE, file: '8' }])
    expect(second).toBe(first)
  })

  it('is recognised by its file alone if the machine has no id', async () => {
    const none = { ...HERE, machine: null }
    expect(await startedAt([none, none, HERE, none])).toEqual([null, null, null])
    expect(await startedAt([none, { ...none, file: '8' }])).toEqual([expect.any(Number)])
  })

  it('signs again once another device has shown the table', async () => {
    const laptop = await TestKeeper.withPersona({ place: HERE })
    await laptop.call('device.add', { name: 'phone', key: OWN_PHONE })
    const text = await ownText(laptop)
    const { stateDir, store, nowSec } = laptop
    const clone = await TestKeeper.open({ stateDir, store, nowSec: nowSec + 10, place: { ...HERE, machine: 'bb' } })
    await expect(clone.call('device.rename', { device: 'phone', name: 'mobile' })).rejects.toThrow(
      /restored from a backup or copied/,
    )
    await clone.later(60).sees(OWN_PHONE, text)
    await clone.call('device.rename', { device: 'phone', name: 'mobile' })
  })
})

describe('the place of a state', () => {
  it('changes if the file was copied, and not otherwise; it holds only a hash of the machine id', async () => {
    const directory = tempDir()
    const paths = statePaths(directory)
    const machineId = join(directory, 'machine-id')
    writeFileSync(machineId, '0123456789abcdef0123456789abcdef\n')
    writeFileSync(paths.anchor, 'anchor')
    const first = await readPlace(paths, machineId)
    expect(await readPlace(paths, machineId)).toEqual(first)
    expect(JSON.stringify(first)).not.toContain('0123456789abcdef')
    copyFileSync(paths.anchor, `${paths.anchor}.copy`)
    renameSync(`${paths.anchor}.copy`, paths.anchor)
    expect((await readPlace(paths, machineId)).file).not.toBe(first.file)
    expect((await readPlace(paths, join(directory, 'none'))).machine).toBeNull()
  })
})
