/** What waits for the owner's answer: updates that a policy holds back, entries that turn out to be somebody's, tables too far ahead (docs/format.md, sections 8 and 10). */
import { formatBase64url, formatHex } from '../../core/encoding/bytes.ts'
import { diffTables } from '../../core/diff.ts'
import type { Device } from '../../core/table.ts'
import { consentsIn } from '../../core/trust.ts'
import type { VerifiedBlob } from '../../core/verify.ts'
import { offeredDevices, recall } from '../personas/heads.ts'
import type { DeviceRecord, PersonaRecord, Records } from '../state/records.ts'
import type { Ledger } from '../state/state.ts'
import { pendingKinds, upgradeKinds } from '../state/waiting.ts'
import type { PendingUpdate } from '../../ipc/shapes/pending.ts'

/**
 * A friend without a persona shows one, and the policy of the entry asks first: the blob is kept with the entry, the newest one. What was
 * rejected stays so until the device shows another table.
 */
export function holdUpgrade(key: string, blob: VerifiedBlob, source: string, ledger: Ledger): void {
  const device = ledger.device(key)
  const tableHash = formatHex(blob.tableHash)
  if (device.pending?.tableHash === tableHash) return
  const pending = { blob: formatBase64url(blob.bytes), tableHash, sinceSec: ledger.nowSec, rejected: false }
  const held: DeviceRecord = { ...device, pending }
  ledger.putDevice(key, held)
  tell(upgradeOf(key, held, ledger.records, ledger), source, ledger)
}

/** Whether what was held back is still what the device says: of two sources that told of it one may have been revoked since. */
export function standsUpgrade({ pending, reports }: DeviceRecord, ledger: Ledger): boolean {
  if (pending === null) return false
  const { personaId, root } = recall(pending.blob, ledger)
  return consentsIn(reports, formatHex(personaId), formatHex(root))
}

/** Tells of an update that waits since this change. */
export function tellPending(before: PersonaRecord | null, after: PersonaRecord, source: string, ledger: Ledger): void {
  const isNew = after.pending !== null && after.pending.tableHash !== before?.pending?.tableHash
  if (isNew && !after.pending.rejected) tell(updateOf(after, ledger), source, ledger)
  if (after.held !== null && after.held !== before?.held) tell(heldOf(after, ledger), source, ledger)
}

function tell(update: PendingUpdate, source: string, ledger: Ledger): void {
  const { contact, personaId, key, kind, tableHash, changes } = update
  ledger.emit({ event: 'pending.new', data: { contact, personaId, key, kind, tableHash, changes, source } })
}

/** All that waits for this record, as the owner sees it. */
export function pendingOf(id: string, records: Records, ledger: Ledger): PendingUpdate[] {
  const persona = records.personas.get(id)
  if (persona !== undefined) {
    return pendingKinds(persona).map((kind) => (kind === 'held' ? heldOf(persona, ledger) : updateOf(persona, ledger)))
  }
  const device = records.devices.get(id)
  return device === undefined || upgradeKinds(device).length === 0 ? [] : [upgradeOf(id, device, records, ledger)]
}

function updateOf(persona: PersonaRecord, ledger: Ledger): PendingUpdate {
  const head = recall(persona.head!, ledger)
  return describe(persona, head, { kind: 'update', sinceSec: persona.pending!.sinceSec })
}

function heldOf(persona: PersonaRecord, ledger: Ledger): PendingUpdate {
  return describe(persona, recall(persona.held!, ledger), { kind: 'held', sinceSec: persona.timeSec })
}

function describe(
  persona: PersonaRecord,
  blob: VerifiedBlob,
  { kind, sinceSec }: Pick<PendingUpdate, 'kind' | 'sinceSec'>,
): PendingUpdate {
  const devices = offeredDevices(persona, blob)
  return {
    kind,
    contact: persona.entry?.name ?? '',
    personaId: persona.personaId,
    key: null,
    policy: persona.entry?.policy ?? 'auto',
    sinceSec,
    ...tableOf(blob, devices),
    changes: diffTables(
      { epoch: kind === 'held' ? persona.epoch : blob.epoch, devices: persona.devices },
      { epoch: blob.epoch, devices },
    ),
  }
}

function upgradeOf(key: string, device: DeviceRecord, records: Records, ledger: Ledger): PendingUpdate {
  const { blob: text, sinceSec } = device.pending!
  const blob = recall(text, ledger)
  const personaId = formatHex(blob.personaId)
  const known = records.personas.get(personaId)
  const devices = offeredDevices(known ?? null, blob)
  return {
    kind: 'upgrade',
    contact: device.entry?.name ?? '',
    personaId,
    key,
    policy: device.entry?.policy ?? 'auto',
    sinceSec,
    ...tableOf(blob, devices),
    changes: [{ kind: 'upgraded', key: null, name: known?.entry?.name ?? null }],
  }
}

function tableOf(
  blob: VerifiedBlob,
  devices: readonly Device[],
): Pick<PendingUpdate, 'epoch' | 'seq' | 'timeSec' | 'tableHash' | 'devices'> {
  return {
    epoch: blob.epoch,
    seq: blob.seq,
    timeSec: blob.timeSec,
    tableHash: formatHex(blob.tableHash),
    devices: devices.map(({ name, key }) => ({ name, key })),
  }
}
