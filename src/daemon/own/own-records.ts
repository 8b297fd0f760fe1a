/** Pure steps between the owner's records and the table: the effects of an edit, the table for the socket, commands for hints. */
import { quoteWord } from '../../ipc/command-word.ts'
import { formatHex } from '../../core/encoding/bytes.ts'
import type { ChainPosition } from '../../core/chain.ts'
import { TableError } from '../../core/errors.ts'
import type { TablePoint } from '../../core/order.ts'
import type { DeviceEdit, Edit } from '../../core/edit.ts'
import type { Settings } from '../../core/document.ts'
import type { DropReason, Intent, ReplayHead } from '../../core/intents.ts'
import { checkRoomToRotate, statusBytesFree, type Device } from '../../core/table.ts'
import type { VerifiedBlob } from '../../core/verify.ts'
import { tableDeviceOf } from '../../ipc/shapes/judge-text.ts'
import type { OwnTable } from '../../ipc/shapes/own.ts'
import { KeeperError } from '../state/errors.ts'
import { MAX_TOMBSTONES, type OwnRecord } from '../state/own-record.ts'
import { storedBytes } from '../state/records.ts'
import type { HeadedPersona, PersonaRecord } from '../state/persona-record.ts'
import { isMeant } from '../personas/query.ts'

export function rememberOwnNames(
  devices: readonly Device[],
  before: PersonaRecord['names'] = [],
): PersonaRecord['names'] {
  const listed = new Set(devices.map((device) => device.key))
  return [...devices.map(({ key, name }) => [key, name] as const), ...before.filter(([key]) => !listed.has(key))]
}

export function tombstonesAfter(tombstones: readonly string[], edit: Edit): readonly string[] {
  const others = tombstones.filter((key) => key !== edit.key)
  if (edit.kind === 'remove') return [edit.key, ...others].slice(0, MAX_TOMBSTONES)
  return edit.kind === 'add' ? others : tombstones
}

export function fitsNameless(epoch: number, devices: number): boolean {
  try {
    checkRoomToRotate(epoch, devices)
    return true
  } catch (error) {
    if (error instanceof TableError) return false
    throw error
  }
}

export function replayHead(devices: readonly Device[], settings: Settings, head: VerifiedBlob): ReplayHead {
  return {
    epoch: head.epoch,
    seq: head.seq,
    tableHash: formatHex(head.tableHash),
    prev: formatHex(head.prev),
    timeSec: head.timeSec,
    devices,
    settings,
  }
}

export function pointOf(blob: VerifiedBlob): TablePoint {
  return { epoch: blob.epoch, seq: blob.seq, tableHash: formatHex(blob.tableHash) }
}

/** The head is the very table that was published with the intent. */
export function isFirstShownBy(head: ReplayHead, intent: Intent): boolean {
  return intent.published?.tableHash === head.tableHash
}

export function positionOf(own: OwnRecord): ChainPosition {
  return {
    personaId: storedBytes(own.personaId),
    epoch: own.epoch,
    signingKey: storedBytes(own.signingKey),
    links: storedBytes(own.links),
    next: storedBytes(own.next),
    inception: own.inception === null ? null : storedBytes(own.inception),
  }
}

/** The fields of the owner's record with the place of our key in the chain. */
export function positionFields(
  position: ChainPosition,
): Pick<OwnRecord, 'epoch' | 'signingKey' | 'links' | 'next' | 'inception'> {
  return {
    epoch: position.epoch,
    signingKey: formatHex(position.signingKey),
    links: formatHex(position.links),
    next: formatHex(position.next),
    inception: position.inception === null ? null : formatHex(position.inception),
  }
}

/**
 * Finds an own device by its nickname or the first digits of its key.
 * @throws {KeeperError} NOT_FOUND | AMBIGUOUS
 */
export function deviceAmong<D extends Device>(devices: readonly D[], query: string): D {
  const found = devices.filter((device) => isMeant(query, device))
  if (found.length > 1) {
    const message = `"${query}" fits more than one device of the table`
    throw new KeeperError('AMBIGUOUS', message, 'give more digits of the key')
  }
  const [device] = found
  if (device !== undefined) return device
  throw new KeeperError('NOT_FOUND', `your table lists no device "${query}"`, 'list your devices', { what: 'device' })
}

/** The owner's table as it travels over the socket. */
export function ownTable(own: OwnRecord, persona: HeadedPersona): OwnTable {
  return {
    personaId: persona.personaId,
    epoch: persona.epoch,
    seq: persona.seq,
    timeSec: persona.timeSec,
    named: own.named,
    devices: persona.devices.map(tableDeviceOf),
    bytesFree: statusBytesFree(Math.floor((persona.head.length * 3) / 4)),
  }
}

export function describeEdit(edit: Edit): string {
  switch (edit.kind) {
    case 'add':
      return `add ${edit.name}`
    case 'remove':
      return `remove ${edit.key}`
    case 'rename':
      return `rename ${edit.found} to ${edit.name}`
    case 'activate':
      return `activate ${edit.key}`
    case 'rekey':
      return `give ${edit.key} the key ${edit.newKey}`
    case 'set':
      return edit.value === null ? `unset ${edit.key}` : `set ${edit.key} to ${String(edit.value)}`
  }
}

/** The command that repeats an edit which could not be kept. */
export function commandOf(edit: DeviceEdit, reason: DropReason): string {
  switch (edit.kind) {
    case 'add':
      return `persona device add ${quoteWord(edit.name)} --key ${edit.key} --again`
    case 'remove':
      return `persona device remove ${edit.key} --retired`
    case 'rename':
      return `persona device rename ${edit.key} ${quoteWord(edit.name)}`
    case 'activate':
      return `persona device activate ${edit.key}`
    case 'rekey':
      // The profile has the new key already. The table lacks it, or still lists the old one.
      return reason === 'KEY_LISTED'
        ? `persona device remove ${edit.key}`
        : `persona device add NAME --key ${edit.newKey}`
  }
}
