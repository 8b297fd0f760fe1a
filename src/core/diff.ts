/** Compares two tables, and decides which changes a policy lets through (docs/format.md, section 10). */
import { activeDevice, type Device } from './table.ts'
import type { Policy } from './consent.ts'

export interface TableChange {
  readonly kind: 'rotated' | 'removed' | 'added' | 'renamed' | 'activated'
  readonly key: string | null
  readonly name: string | null
  /** The old nickname of a renamed device. */
  readonly was?: string
}

interface Listed {
  readonly epoch: number
  readonly devices: readonly Device[]
}

/** The changes from one table to a later one, the most important kind first. */
export function diffTables(before: Listed, after: Listed): TableChange[] {
  const changes: TableChange[] = []
  if (after.epoch > before.epoch) changes.push({ kind: 'rotated', key: null, name: null })
  for (const { key, name } of before.devices) {
    if (!after.devices.some((device) => device.key === key)) changes.push({ kind: 'removed', key, name })
  }
  for (const { key, name } of after.devices) {
    const old = before.devices.find((device) => device.key === key)
    if (old === undefined) changes.push({ kind: 'added', key, name })
    else if (old.name !== name) changes.push({ kind: 'renamed', key, name, was: old.name })
  }
  const [oldActive, active] = [activeDevice(before.devices), activeDevice(after.devices)]
  if (active !== undefined && oldActive !== undefined && active.key !== oldActive.key) {
    changes.push({ kind: 'activated', key: active.key, name: active.name })
  }
  return changes
}

/**
 * The devices that apps see after the order accepts a table. A policy other than `auto` holds back additions, activation and renames until
 * the owner accepts them. A device missing from a later epoch disappears under every policy. A device missing from a table of the same
 * epoch disappears under `auto` and `ask`.
 * @param before devices that apps saw so far
 * @param rotated whether the table is of a later epoch
 * @param offered devices that the table lists
 */
export function admitDevices(
  policy: Policy,
  before: readonly Device[],
  rotated: boolean,
  offered: readonly Device[],
): readonly Device[] {
  switch (policy) {
    case 'auto':
      return offered
    case 'ask':
      return before.filter(({ key }) => offered.some((device) => device.key === key))
    case 'pin':
      return rotated ? admitDevices('ask', before, rotated, offered) : before
  }
}

/** Whether two tables look the same to apps. */
export function isSameTable(a: readonly Device[], b: readonly Device[]): boolean {
  return (
    a.length === b.length &&
    a.every(({ key, name, companion }, i) => {
      const other = b[i]!
      return key === other.key && name === other.name && (companion === true) === (other.companion === true)
    })
  )
}
