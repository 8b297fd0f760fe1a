/**
 * Decides how a verified blob changes the record of its persona (docs/format.md, section 8). Contacts and the owner's own persona follow the
 * same rules. Pure: personas/apply.ts writes the outcome.
 */
import { admitDevices, diffTables, isSameTable } from '../../core/diff.ts'
import { formatBase64url, formatHex } from '../../core/encoding/bytes.ts'
import type { Engine } from '../../core/engine.ts'
import { addEvidence, MAX_EVIDENCE_PER_PERSONA, type EvidenceKind } from '../../core/evidence.ts'
import { isClockAhead, judge, pickHeld, type OrderVerdict } from '../../core/order.ts'
import type { Device } from '../../core/table.ts'
import { pairState, type Policy } from '../../core/consent.ts'
import type { VerifiedBlob } from '../../core/verify.ts'
import { MAX_KNOWN_NAMES, MAX_OTHERS, type HeadedPersona, type PersonaRecord } from '../state/persona-record.ts'
import { storedBytes } from '../state/records.ts'
import type { DeviceRecord } from '../state/device-record.ts'
import { decodeStored, headOf, offeredDevices, type Heads } from './heads.ts'
import { type Outcome, type Claim, join, recordOnly } from './outcome.ts'

const REFRESH_GAIN_SEC = 3600 // sanity: a signature this much later counts at once; a key's holder can make one for each past hour

/** The facts beside the record that a decision depends on. A State has all of them. */
export interface Known {
  readonly engine: Engine
  readonly heads?: Heads
  readonly nowSec: number
  device(key: string): Pick<DeviceRecord, 'bound' | 'reports'>
}

/** The verdict of the order; or `accepted`: the owner signed or accepted this table, so it becomes the head under every policy. */
export type Cause = OrderVerdict | { readonly verdict: 'accepted' }

/** Judges a blob against the record of its persona; undefined if the persona is not known. */
export function judgeAgainst(
  record: PersonaRecord | undefined,
  blob: VerifiedBlob,
  known: Pick<Known, 'engine' | 'heads' | 'nowSec'>,
): OrderVerdict {
  if (record === undefined) return judge(blob, null, known.nowSec)
  const persona = { root: storedBytes(record.root), minEpoch: record.minEpoch, head: headOf(record, known) }
  return judge(blob, persona, known.nowSec)
}

/**
 * Decides what becomes of a judged blob.
 * @param record exists even if the verdict is `new`: then we have only a contact link, or the record of {@link newPersona} without devices
 * @param mayNote false if something was written for this device less than a minute ago. Then only a moved head and proofs of a second chain or
 *   a fork are written. All are rare
 */
export function decide(
  record: PersonaRecord,
  blob: VerifiedBlob,
  cause: Cause,
  mayNote: boolean,
  known: Known,
): Outcome {
  switch (cause.verdict) {
    case 'accepted':
      return moveHead(record, blob, 'auto', known)
    case 'new':
      return moveHead(record, blob, policyOf(record), known)
    case 'accept': {
      const forked = cause.forkBehind ? withFork(record, blob, known) : record
      const moved = moveHead(forked, blob, policyOf(record), known)
      const { record: after, claims, alarms } = judgeHeldAgain(moved, mayNote, known)
      // The head may have moved two steps. Only where it ends is news.
      return {
        before: record,
        record: after,
        claims,
        alarms: ['head raised', ...alarms],
        changes: diffTables(record, after),
      }
    }
    case 'fork': {
      const forked = withFork(record, blob, known)
      const {
        record: after,
        claims,
        changes,
      } = cause.wins ? moveHead(forked, blob, policyOf(record), known) : recordOnly(record, forked)
      return { before: record, record: after, claims, alarms: forked === record ? [] : ['forked'], changes }
    }
    case 'refresh': {
      // Many texts are reported only once, so the quiet minute must not swallow a signature of another day. Such signatures are rare.
      const isWorthIt = mayNote || blob.timeSec - record.timeSec >= REFRESH_GAIN_SEC
      if (cause.later && isWorthIt) return recordOnly(record, refreshed(record, blob))
      return recordOnly(record, mayNote ? withSeen(record, known.nowSec) : record)
    }
    case 'stale':
      return recordOnly(record, mayNote ? withEvidence(record, 'stale', blob, known) : record)
    case 'held':
      // The key's holder can sign a million blobs, each higher than the one before. The quiet minute bounds our writes.
      return recordOnly(record, mayNote ? withHeld(record, blob, known) : record)
    case 'violation': {
      // Whoever made the second chain has K_0. The head stays: only the owner can pin another chain.
      // They can make chains without end. When the evidence is full, each pushes out another, so the quiet minute bounds our writes.
      const isNoted = mayNote || record.evidence.length < MAX_EVIDENCE_PER_PERSONA
      const proven = isNoted ? withEvidence(record, 'violation', blob, known) : record
      return { ...recordOnly(record, proven), alarms: proven === record ? [] : ['disputed'] }
    }
    case 'refused':
      return recordOnly(record, record)
  }
}

/**
 * The owner trusts nothing below this epoch any more, because its key was given up and may be a thief's. A head below it is dropped.
 */
export function decideMinEpoch(record: PersonaRecord, minEpoch: number, known: Known): Outcome {
  if (minEpoch <= record.minEpoch) return recordOnly(record, record)
  const pinned = { ...record, minEpoch }
  const isOver = record.head !== null && record.epoch < minEpoch
  return isOver ? { ...decideDrop(pinned, 'stale', known), before: record } : recordOnly(record, pinned)
}

/** The owner no longer trusts the head. It stays as evidence, and its devices have left. */
export function decideDrop(record: PersonaRecord, kind: EvidenceKind, known: Known): Outcome {
  const head = headOf(record, known)
  if (head === null) return recordOnly(record, record)
  const { epoch, seq, devices } = record
  const gone = devices.map(({ key }) => key).filter((key) => staysKnown(record.personaId, key, known))
  const others = [...gone, ...record.others].slice(0, MAX_OTHERS)
  return {
    before: record,
    record: { ...withEvidence(record, kind, head, known), ...NO_HEAD, others },
    claims: devices.map(({ key }) => ({ key, endedBy: { epoch, seq } })),
    alarms: [],
    changes: devices.map(({ key, name }) => ({ kind: 'removed', key, name })),
  }
}

/** The record of a persona that we did not know. Its first blob pins its chain. */
export function newPersona(blob: VerifiedBlob, known: Pick<Known, 'nowSec'>): HeadedPersona {
  return {
    personaId: formatHex(blob.personaId),
    root: formatHex(blob.root),
    minEpoch: 0,
    ...headFields(blob, offeredDevices(null, blob), known),
    pending: null,
    held: null,
    names: [],
    others: [],
    evidence: [],
    verifiedAtSec: null,
    entry: null,
  }
}

/** The fields of a record while we have seen no table. */
export const NO_HEAD: Pick<
  PersonaRecord,
  'head' | 'epoch' | 'seq' | 'timeSec' | 'devices' | 'needsNewerPersona' | 'pending' | 'held'
> = { head: null, epoch: 0, seq: 0, timeSec: 0, devices: [], needsNewerPersona: false, pending: null, held: null }

function policyOf({ entry }: PersonaRecord): Policy {
  return entry?.policy ?? 'auto'
}

/** The blob becomes the head. Whatever the policy holds back waits for the owner as a pending change. */
function moveHead(before: PersonaRecord, blob: VerifiedBlob, policy: Policy, known: Known): Outcome {
  const offered = offeredDevices(before, blob)
  const devices = admitDevices(policy, before.devices, blob.epoch > before.epoch, offered)
  const head = headFields(blob, devices, known)
  const pending = isSameTable(devices, offered)
    ? null
    : { tableHash: formatHex(blob.tableHash), sinceSec: known.nowSec, rejected: false }
  // The first table that we see is no rotation, whatever its epoch.
  const changes = diffTables(before.head === null ? { ...before, epoch: head.epoch } : before, head)
  const listed = new Set(devices.map(({ key }) => key))
  const claims: Claim[] = []
  let others = before.others.filter((key) => !listed.has(key))
  for (const { kind, key } of changes) {
    if (kind === 'added') claims.push({ key: key!, endedBy: null })
    if (kind !== 'removed') continue
    claims.push({ key: key!, endedBy: { epoch: head.epoch, seq: head.seq } })
    if (staysKnown(before.personaId, key!, known)) others = [key!, ...others].slice(0, MAX_OTHERS)
  }
  const names = rememberNames(before.names, devices)
  return { before, record: { ...unseen(before), ...head, pending, names, others }, claims, alarms: [], changes }
}

/**
 * After the head moved, the held blob may be within reach, or be the other side of a fork. It is then held no longer, so there is no third
 * step.
 */
function judgeHeldAgain(moved: Outcome, mayNote: boolean, known: Known): Outcome {
  const { record } = moved
  if (record.held === null) return moved
  const blob = decodeStored(record.held, known)
  const verdict = judgeAgainst(record, blob, known)
  if (verdict.verdict === 'held') return moved
  return join(moved, decide({ ...record, held: null }, blob, verdict, mayNote, known))
}

function headFields(
  blob: VerifiedBlob,
  devices: readonly Device[],
  { nowSec }: Pick<Known, 'nowSec'>,
): Pick<HeadedPersona, 'head' | 'epoch' | 'seq' | 'timeSec' | 'seenSec' | 'devices' | 'needsNewerPersona'> {
  return {
    ...seenOf(blob.timeSec, nowSec),
    head: formatBase64url(blob.bytes),
    epoch: blob.epoch,
    seq: blob.seq,
    timeSec: blob.timeSec,
    devices,
    needsNewerPersona: !blob.content.ok,
  }
}

/** A head dated ahead would be fresh until that time comes, so the moment when we saw it counts. */
function seenOf(timeSec: number, nowSec: number): Pick<PersonaRecord, 'seenSec'> {
  return isClockAhead(timeSec, nowSec) ? { seenSec: nowSec } : {}
}

/** For a head that an earlier version took, without a note when it came. */
function withSeen(record: PersonaRecord, nowSec: number): PersonaRecord {
  return record.seenSec === undefined && isClockAhead(record.timeSec, nowSec) ? { ...record, seenSec: nowSec } : record
}

/** The record without the moment that belongs to its last head. */
function unseen(record: PersonaRecord): PersonaRecord {
  const { seenSec, ...rest } = record
  return seenSec === undefined ? record : rest
}

function rememberNames(known: PersonaRecord['names'], devices: readonly Device[]): PersonaRecord['names'] {
  const listed = new Set(devices.map((device) => device.key))
  const now = devices.map((device) => [device.key, device.name] as const)
  return [...now, ...known.filter(([key]) => !listed.has(key))].slice(0, MAX_KNOWN_NAMES)
}

/** Whether a device that the table no longer lists is still of interest, because it is bound to the persona or shows its table. */
function staysKnown(personaId: string, key: string, known: Known): boolean {
  const { bound, reports } = known.device(key)
  return pairState(personaId, false, bound, reports) !== null
}

/** A later signature of the same table. */
function refreshed(record: PersonaRecord, blob: VerifiedBlob): PersonaRecord {
  return { ...unseen(record), head: formatBase64url(blob.bytes), timeSec: blob.timeSec }
}

function withHeld(record: PersonaRecord, blob: VerifiedBlob, known: Known): PersonaRecord {
  const held = record.held === null ? null : decodeStored(record.held, known)
  const highest = formatBase64url(pickHeld(held, blob).bytes)
  return highest === record.held ? record : { ...record, held: highest }
}

/** Both tables of a fork, or the head and the next table that does not follow from it, become evidence. */
function withFork(record: PersonaRecord, blob: VerifiedBlob, known: Known): PersonaRecord {
  const head = headOf(record, known)
  const kept = head === null ? record : withEvidence(record, 'fork', head, known)
  return withEvidence(kept, 'fork', blob, known)
}

/** The same record if the blob proves nothing new. */
function withEvidence(record: PersonaRecord, kind: EvidenceKind, blob: VerifiedBlob, known: Known): PersonaRecord {
  const evidence = addEvidence(record.evidence, {
    kind,
    epoch: blob.epoch,
    seq: blob.seq,
    tableHash: formatHex(blob.tableHash),
    root: formatHex(blob.root),
    seenAtSec: known.nowSec,
    blob: formatBase64url(blob.bytes),
  })
  return evidence === record.evidence ? record : { ...record, evidence }
}
