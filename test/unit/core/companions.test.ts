import { describe, expect, it } from 'vitest'
import { companionMarks, markedCompanions } from '../../../src/core/companions.ts'
import { activeDevice, encodeTable, nameDevices, type Device } from '../../../src/core/table.ts'
import { compress } from '../../../src/daemon/own/compress.ts'
import { makeDevice, makePersona, makeVerified, NOW_SEC, verified } from '../../support/made-persona.ts'

const ada = makePersona(1)
const [laptop, phone] = [makeDevice(0), makeDevice(1)]
const aside: Device = { ...makeDevice(4, 'aside'), companion: true }

function signed(devices: readonly Device[], mayGiveUp = false, note = ''): readonly Device[] {
  const draft = {
    chain: ada.positions[0]!,
    seq: 2,
    timeSec: NOW_SEC,
    prev: new Uint8Array(16),
    devices,
    named: true,
    document: [['companions', ['ffff']] as const, ...(note === '' ? [] : [['note', note] as const])],
  }
  const { blob } = encodeTable(draft, mayGiveUp, compress, (message) => ada.sign(0, message))
  return nameDevices(verified(blob), () => undefined)
}

describe('the mark of a companion', () => {
  it('is four digits of its key, and more only until no other device matches', () => {
    const keys = ['ABCD1234', 'ABCD1299', 'ABCE0000', '12345678'].map((start) => start.padEnd(64, '0'))
    const devices = keys.map((key, i) => (i === 3 ? { name: 'x', key } : { name: 'x', key, companion: true as const }))
    expect(companionMarks(devices)).toEqual(['abcd123', 'abcd129', 'abce'])
    expect([...markedCompanions([['companions', companionMarks(devices)]], keys)]).toEqual(keys.slice(0, 3))
  })

  it('comes from the new table, never from the document of the one before', () => {
    expect(signed([aside, laptop, phone])).toEqual([aside, laptop, phone])
  })

  it('stays longer than nicknames and unknown keys when a table must fit', () => {
    const many = Array.from({ length: 16 }, (_, i) => makeDevice(10 + i, `device number ${i} of many`))
    const devices = signed([aside, ...many], true, 'x'.repeat(300))
    expect(devices[0]).toMatchObject({ key: aside.key, companion: true })
    expect(devices[0]!.name).not.toBe('aside')
    expect(devices.filter((device) => device.companion)).toHaveLength(1)
  })

  it('stays as last known when the document of a higher epoch cannot be read', () => {
    const blob = makeVerified(ada, { epoch: 1, devices: [4, 0], document: 'expires!: 2030' })
    const was = (key: string): boolean => key === aside.key
    expect(nameDevices(blob, () => undefined, was).map((device) => device.companion ?? false)).toEqual([true, false])
  })

  it('keeps a device from becoming the active one', () => {
    expect(activeDevice([aside, laptop, phone])).toBe(laptop)
    expect(activeDevice([aside])).toBeUndefined()
  })
})
