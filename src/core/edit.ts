/** The owner's edits of the own table (docs/format.md, sections 6 and 9). */
import type { DocumentValue, SettingKey } from './document.ts'
import { activateDevice, addDevice, rekeyDevice, removeDevice, renameDevice, type Device } from './table.ts'

/** One edit. `found` is the value that the edit replaced. */
export type Edit = DeviceEdit | SettingEdit

/** Keys are 64 upper-case hex digits. */
export type DeviceEdit =
  | { readonly kind: 'add'; readonly key: string; readonly name: string; readonly companion?: true }
  | { readonly kind: 'remove'; readonly key: string }
  | { readonly kind: 'rename'; readonly key: string; readonly found: string; readonly name: string }
  /** `found`: the key that was first. */
  | { readonly kind: 'activate'; readonly key: string; readonly found: string }
  | { readonly kind: 'rekey'; readonly key: string; readonly newKey: string }

/** Sets a key of the document; null takes it out. */
export interface SettingEdit {
  readonly kind: 'set'
  readonly key: SettingKey
  readonly found: DocumentValue | null
  readonly value: DocumentValue | null
}

/**
 * Applies one edit of the devices.
 * @throws {TableError | BlobError} when the table refuses the edit
 */
export function applyEdit(devices: readonly Device[], edit: DeviceEdit): Device[] {
  switch (edit.kind) {
    case 'add':
      return addDevice(devices, deviceOf(edit))
    case 'remove':
      return removeDevice(devices, edit.key)
    case 'rename':
      return renameDevice(devices, edit.key, edit.name)
    case 'activate':
      return activateDevice(devices, edit.key)
    case 'rekey':
      return rekeyDevice(devices, edit.key, edit.newKey)
  }
}

function deviceOf({ name, key, companion }: Extract<Edit, { kind: 'add' }>): Device {
  return companion ? { name, key, companion } : { name, key }
}
