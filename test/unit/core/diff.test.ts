import { describe, expect, it } from 'vitest'
import { admitDevices, diffTables, isSameTable } from '../../../src/core/diff.ts'
import type { Device } from '../../../src/core/table.ts'

const [A, B, C]: Device[] = ['A', 'B', 'C'].map((name) => ({ name: name.toLowerCase(), key: name.repeat(64) })) as [
  Device,
  Device,
  Device,
]
const RENAMED = { ...A, name: 'renamed' }

describe('the devices that apps see', () => {
  it.each([
    ['auto', false, [RENAMED, C], [RENAMED, C]],
    ['auto', true, [RENAMED, C], [RENAMED, C]],
    ['ask', false, [C, RENAMED], [A]],
    ['ask', true, [C, RENAMED], [A]],
    ['pin', false, [C, RENAMED], [A, B]],
    ['pin', true, [C, RENAMED], [A]],
    ['ask', false, [B, A], [A, B]],
    ['ask', true, [], []],
    ['pin', false, [], [A, B]],
  ] as const)('depend on the policy: %s (rotated: %s)', (policy, rotated, offered, seen) => {
    expect(admitDevices(policy, [A, B], rotated, offered)).toEqual(seen)
  })
})

describe('two tables', () => {
  it('differ by rotation, removals, additions, renames and activation, in this order', () => {
    const after = { epoch: 1, devices: [C, RENAMED] }
    expect(diffTables({ epoch: 0, devices: [A, B] }, after).find(({ kind }) => kind === 'renamed')?.was).toBe('a')
    expect(diffTables({ epoch: 0, devices: [A, B] }, after).map(({ kind, name }) => [kind, name])).toEqual([
      ['rotated', null],
      ['removed', 'b'],
      ['added', 'c'],
      ['renamed', 'renamed'],
      ['activated', 'c'],
    ])
  })

  it('are the same only with equal devices, names, order and marks', () => {
    expect(isSameTable([A, B], [{ ...A }, B])).toBe(true)
    for (const other of [[B, A], [A], [RENAMED, B], [{ ...A, companion: true } as const, B]]) {
      expect(isSameTable([A, B], other)).toBe(false)
    }
  })
})
