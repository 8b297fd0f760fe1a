/** The owner's edits of the own table (docs/format.md, sections 6 and 9). */
import type { DocumentValue, SettingKey } from './document.ts'
import type { Device } from './table.ts'
import { BlobError, TableError } from './errors.ts'
import { checkNickname, foldNickname } from './nickname.ts'

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

/** Adds a device at the end. @throws {TableError} DEVICE_LISTED @throws {BlobError} NICKNAME_* */
export function addDevice(devices: readonly Device[], device: Device): Device[] {
  if (devices.some((listed) => listed.key === device.key)) {
    throw new TableError('DEVICE_LISTED', `the table already lists the device ${device.key}`)
  }
  checkNameFree(devices, device.name)
  return [...devices, device]
}

/** @throws {TableError} DEVICE_UNKNOWN */
export function removeDevice(devices: readonly Device[], key: string): Device[] {
  return devices.toSpliced(indexOfDevice(devices, key), 1)
}

/** @throws {TableError} DEVICE_UNKNOWN @throws {BlobError} NICKNAME_* */
export function renameDevice(devices: readonly Device[], key: string, name: string): Device[] {
  const at = indexOfDevice(devices, key)
  checkNameFree(devices.toSpliced(at, 1), name)
  return devices.with(at, { ...devices[at]!, name })
}

/** Moves a device to the front; the others keep their order. @throws {TableError} DEVICE_UNKNOWN | DEVICE_COMPANION */
export function activateDevice(devices: readonly Device[], key: string): Device[] {
  const at = indexOfDevice(devices, key)
  if (devices[at]!.companion) {
    throw new TableError(
      'DEVICE_COMPANION',
      `${devices[at]!.name} is a companion; it does not chat, so nobody would read its messages`,
    )
  }
  return [devices[at]!, ...devices.toSpliced(at, 1)]
}

/** Replaces the key of a device; it keeps its name and position. @throws {TableError} DEVICE_UNKNOWN | DEVICE_LISTED */
export function rekeyDevice(devices: readonly Device[], key: string, newKey: string): Device[] {
  const at = indexOfDevice(devices, key)
  if (devices.some((device) => device.key === newKey)) {
    throw new TableError('DEVICE_LISTED', `the table already lists the device ${newKey}`)
  }
  return devices.with(at, { ...devices[at]!, key: newKey })
}

function indexOfDevice(devices: readonly Device[], key: string): number {
  const at = devices.findIndex((device) => device.key === key)
  if (at < 0) throw new TableError('DEVICE_UNKNOWN', `the table lists no device ${key}`)
  return at
}

function checkNameFree(devices: readonly Device[], name: string): void {
  checkNickname(name)
  const folded = foldNickname(name)
  const other = devices.find((device) => foldNickname(device.name) === folded)
  if (other !== undefined) {
    throw new BlobError('NICKNAME_TWICE', `another device already has the nickname "${other.name}"; choose another`)
  }
}
