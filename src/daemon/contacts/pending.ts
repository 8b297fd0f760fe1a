/** Pending changes, which wait for the owner: updates that a policy holds back, friends that show a persona, tables too far ahead (docs/format.md, sections 8 and 10). */
import { encodeUtf8, formatBase64url, formatHex } from '../../core/encoding/bytes.ts'
import { diffTables } from '../../core/diff.ts'
import type { Device } from '../../core/table.ts'
import { consentsToChain } from '../../core/consent.ts'
import type { VerifiedBlob } from '../../core/verify.ts'
import { offeredDevices, decodeStored } from '../personas/heads.ts'
import type { DeviceRecord } from '../state/device-record.ts'
import type { PersonaRecord } from '../state/persona-record.ts'
import type { Records } from '../state/records.ts'
import type { State } from '../state/state.ts'
import { joinedEntry, joinedWith } from '../state/joined.ts'
import { questionOf } from '../state/elsewhere.ts'
import { reportView } from '../state/view.ts'
import { pendingKinds, upgradeKinds } from '../state/waiting.ts'
import { MAX_EPOCH } from '../../core/limits.ts'
import type { PendingKind, PendingUpdate } from '../../ipc/shapes/pending.ts'

const HASH_BYTES = 32 // as long as a T

/**
 * A friend without a persona shows one, and the policy of the entry asks first. The entry keeps the newest blob. A rejected table stays
 * rejected until the device shows another one.
 */
export function holdUpgrade(key: string, blob: VerifiedBlob, source: string, state: State): void {
  const device = state.device(key)
  const tableHash = formatHex(blob.tableHash)
  if (device.pending?.tableHash === tableHash) return
  const pending = { blob: formatBase64url(blob.bytes), tableHash, sinceSec: state.nowSec, rejected: false }
  const held: DeviceRecord = { ...device, pending }
  state.putDevice(key, held)
  emitNew(upgradeOf(key, held, state.records, state), source, state)
}

/** Whether the device still shows the persona of the pending change. The source that reported it may have been revoked since. */
export function standsUpgrade({ pending, reports }: DeviceRecord, state: State): boolean {
  if (pending === null) return false
  const { personaId, root } = decodeStored(pending.blob, state)
  return consentsToChain(reports, formatHex(personaId), formatHex(root))
}

/** Emits the pending changes that are new in this change. */
export function emitPending(before: PersonaRecord | null, after: PersonaRecord, source: string, state: State): void {
  const isNew = after.pending !== null && after.pending.tableHash !== before?.pending?.tableHash
  if (isNew && !after.pending.rejected) emitNew(updateOf(after, state), source, state)
  if (after.held !== null && after.held !== before?.held) emitNew(heldOf(after, state), source, state)
}

/** Emits the question about what a sibling reports, if it is new in this change. */
export function emitReport(
  before: PersonaRecord | undefined,
  after: PersonaRecord,
  source: string,
  state: State,
): void {
  if (after.elsewhere !== before?.elsewhere && pendingKinds(after).includes('elsewhere'))
    emitNew(reportOf(after, state), source, state)
}

function emitNew(update: PendingUpdate, source: string, state: State): void {
  const { contact, personaId, key, kind, tableHash, changes } = update
  state.emit({ event: 'pending.new', data: { contact, personaId, key, kind, tableHash, changes, source } })
}

/** All pending changes of this record, as the owner sees them. */
export function pendingOf(id: string, records: Records, state: State): PendingUpdate[] {
  const persona = records.personas.get(id)
  if (persona !== undefined) {
    return pendingKinds(persona).map((kind) => waitingOf(persona, kind, records, state))
  }
  const device = records.devices.get(id)
  return device === undefined || upgradeKinds(device).length === 0 ? [] : [upgradeOf(id, device, records, state)]
}

function waitingOf(persona: PersonaRecord, kind: PendingKind, records: Records, state: State): PendingUpdate {
  if (kind === 'held') return heldOf(persona, state)
  if (kind === 'elsewhere') return reportOf(persona, state)
  return kind === 'successor' ? successorOf(persona, records, state) : updateOf(persona, state)
}

/** A statement names a successor of this contact, and the owner is asked. */
export function emitSuccessor(persona: PersonaRecord, source: string, state: State): void {
  emitNew(successorOf(persona, state.records, state), source, state)
}

function successorOf(persona: PersonaRecord, records: Records, state: State): PendingUpdate {
  const { blob: text, sinceSec } = persona.successor!
  const blob = decodeStored(text, state)
  const personaId = formatHex(blob.personaId)
  const known = records.personas.get(personaId)
  const devices = known?.devices ?? offeredDevices(null, blob)
  const { epoch } = blob
  return {
    kind: 'successor',
    contact: persona.entry?.name ?? '',
    personaId,
    key: null,
    policy: persona.entry?.policy ?? 'auto',
    sinceSec,
    ...tableOf(blob, devices),
    changes: [
      { kind: 'succeeded', key: null, name: known?.entry?.name ?? null },
      ...diffTables({ epoch, devices: persona.devices }, { epoch, devices }),
    ],
    signedBy: isProven(persona) ? 'words' : 'words-or-thief',
  }
}

/** Nobody but the owner of the recovery words can have signed a statement that is valid here, since the last key was not in use. */
function isProven({ head, epoch, minEpoch }: PersonaRecord): boolean {
  return Math.max(head === null ? 0 : epoch, minEpoch) < MAX_EPOCH
}

function updateOf(persona: PersonaRecord, state: State): PendingUpdate {
  const head = decodeStored(persona.head!, state)
  return describe(persona, head, { kind: 'update', sinceSec: persona.pending!.sinceSec })
}

function heldOf(persona: PersonaRecord, state: State): PendingUpdate {
  return describe(persona, decodeStored(persona.held!, state), { kind: 'held', sinceSec: persona.timeSec })
}

/** The report of another of the owner's devices. It brings no table to look at, so the answer repeats a hash of the report. */
function reportOf(persona: PersonaRecord, { engine }: State): PendingUpdate {
  const question = questionOf(persona)!
  const elsewhere = reportView(question)
  const hash = engine.sha512(encodeUtf8(JSON.stringify([persona.personaId, persona.root, elsewhere])))
  const { epoch, seq, timeSec, devices, entry } = persona
  return {
    kind: 'elsewhere',
    contact: entry?.name ?? '',
    personaId: persona.personaId,
    key: null,
    policy: entry?.policy ?? 'auto',
    sinceSec: question.sinceSec,
    epoch,
    seq,
    timeSec,
    tableHash: formatHex(hash.subarray(0, HASH_BYTES)),
    devices: devices.map(({ name, key }) => ({ name, key })),
    changes: elsewhere.verifiedAtSec === null ? [] : [{ kind: 'verified', key: null, name: null }],
    elsewhere,
  }
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

function upgradeOf(key: string, device: DeviceRecord, records: Records, state: State): PendingUpdate {
  const { blob: text, sinceSec } = device.pending!
  const blob = decodeStored(text, state)
  const personaId = formatHex(blob.personaId)
  const known = records.personas.get(personaId)
  const devices = offeredDevices(known ?? null, blob)
  return {
    kind: 'upgrade',
    contact: nameOfFriend(key, records),
    personaId,
    key,
    policy: device.entry?.policy ?? 'auto',
    sinceSec,
    ...tableOf(blob, devices),
    changes: [{ kind: 'upgraded', key: null, name: known?.entry?.name ?? null }],
  }
}

/** The name of a friend without a persona; of the first one if the owner joined several. */
function nameOfFriend(key: string, { devices }: Records): string {
  return joinedEntry(joinedWith(key, (each) => devices.get(each)))?.name ?? ''
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
