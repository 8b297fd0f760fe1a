/** Heads of personas: what a verified blob does to the record of its persona (docs/format.md, section 8), for contacts and the owner alike. */
import { formatBase64url, formatHex, parseBase64url } from '../../core/encoding/bytes.ts'
import { admitDevices, diffTables, isSameTable } from '../../core/diff.ts'
import { BlobError } from '../../core/errors.ts'
import { addEvidence, type EvidenceKind } from '../../core/evidence.ts'
import { isClockAhead, judge, pickHeld, type OrderVerdict } from '../../core/order.ts'
import { nameDevices, type Device } from '../../core/table.ts'
import { pairState } from '../../core/trust.ts'
import { judgeStatus, decodeVerified, type VerifiedBlob } from '../../core/verify.ts'
import { alarmDisputed, noteFork, clearFork } from './alarms.ts'
import {
  MAX_CLAIMANTS,
  MAX_KNOWN_NAMES,
  MAX_OTHERS,
  storedBytes,
  type HeadedPersona,
  type PersonaRecord,
} from '../state/records.ts'
import type { State } from '../state/state.ts'
import type { ContactChange } from '../../ipc/shapes/events.ts'

const REFRESH_GAIN_SEC = 3600 // sanity: so much later a signature is taken at once; a key's holder can make one an hour of the past

/** A blob of a record as it was verified when it came in. */
export function decodeStored(blob: string, state: State): VerifiedBlob {
  const bytes = parseBase64url(blob)
  if (bytes === null) throw new Error('the store holds a blob that is no base64url')
  return decodeVerified(bytes, state.engine)
}

/** The head as it was verified when it came in; null as long as only a link is known. */
export function headOf(persona: PersonaRecord, state: State): VerifiedBlob | null {
  return persona.head === null ? null : decodeStored(persona.head, state)
}

/** Judges a blob against the record of its persona. */
export function judgeAgainst(persona: PersonaRecord | undefined, blob: VerifiedBlob, state: State): OrderVerdict {
  if (persona === undefined) return judge(blob, null, state.nowSec)
  const known = { root: storedBytes(persona.root), minEpoch: persona.minEpoch, head: headOf(persona, state) }
  return judge(blob, known, state.nowSec)
}

/** The record of a persona that nobody here knew, pinned by its first blob. */
export function newPersona(blob: VerifiedBlob): HeadedPersona {
  return {
    personaId: formatHex(blob.personaId),
    root: formatHex(blob.root),
    minEpoch: 0,
    ...headFields(blob, offeredDevices(null, blob)),
    pending: null,
    held: null,
    names: [],
    others: [],
    evidence: [],
    verifiedAtSec: null,
    entry: null,
  }
}

function headFields(
  blob: VerifiedBlob,
  devices: readonly Device[],
): Pick<HeadedPersona, 'head' | 'epoch' | 'seq' | 'timeSec' | 'devices' | 'needsNewerPersona'> {
  return {
    head: formatBase64url(blob.bytes),
    epoch: blob.epoch,
    seq: blob.seq,
    timeSec: blob.timeSec,
    devices,
    needsNewerPersona: !blob.content.ok,
  }
}

/** What a blob lists, with what is known of its devices where its document does not say it. */
export function offeredDevices(persona: Pick<PersonaRecord, 'names' | 'devices'> | null, blob: VerifiedBlob): Device[] {
  const known = new Map(persona?.names)
  const companions = new Set(persona?.devices.filter((device) => device.companion).map(({ key }) => key))
  return nameDevices(
    blob,
    (key) => known.get(key),
    (key) => companions.has(key),
  )
}

/**
 * Makes a blob the head: the claims of its devices are noted, those it drops are remembered as having left. What the policy of the contact
 * holds back is pending.
 * @param accepted the owner said yes to this table
 * @returns the record and what changed for whoever watches
 */
export function setHead(
  before: PersonaRecord,
  blob: VerifiedBlob,
  state: State,
  accepted = false,
): { persona: HeadedPersona; changes: ContactChange[] } {
  const offered = offeredDevices(before, blob)
  const policy = accepted ? 'auto' : (before.entry?.policy ?? 'auto')
  const devices = admitDevices(policy, before.devices, blob.epoch > before.epoch, offered)
  const head = headFields(blob, devices)
  const pending = isSameTable(devices, offered)
    ? null
    : { tableHash: formatHex(blob.tableHash), sinceSec: state.nowSec, rejected: false }
  // Of the first table seen nothing is known before it, and its epoch is none that was reached just now.
  const changes = diffTables(before.head === null ? { ...before, epoch: head.epoch } : before, head)
  const names = rememberNames(before.names, devices)
  const listed = new Set(devices.map((device) => device.key))
  let others = before.others.filter((key) => !listed.has(key))
  for (const change of changes) {
    if (change.kind === 'added') noteClaim(before.personaId, change.key!, state)
    if (change.kind === 'removed' && noteLeft(before.personaId, change.key!, head, state)) {
      others = [change.key!, ...others].slice(0, MAX_OTHERS)
    }
  }
  return { persona: { ...before, ...head, pending, names, others }, changes }
}

function rememberNames(known: PersonaRecord['names'], devices: readonly Device[]): PersonaRecord['names'] {
  const listed = new Set(devices.map((device) => device.key))
  const now = devices.map((device) => [device.key, device.name] as const)
  return [...now, ...known.filter(([key]) => !listed.has(key))].slice(0, MAX_KNOWN_NAMES)
}

/** The persona lists the device. */
export function noteClaim(personaId: string, key: string, state: State): void {
  const device = state.device(key)
  const left = device.bound === personaId ? null : device.left
  const claimedBy = device.claimedBy.includes(personaId) ? device.claimedBy : [personaId, ...device.claimedBy]
  state.putDevice(key, { ...device, left, claimedBy: claimedBy.slice(0, MAX_CLAIMANTS) })
}

/** @returns whether the device stays known as one that left */
function noteLeft(
  personaId: string,
  key: string,
  head: { readonly epoch: number; readonly seq: number },
  state: State,
): boolean {
  const device = state.device(key)
  const isBound = device.bound === personaId
  const left = isBound ? { atSec: state.nowSec, epoch: head.epoch, seq: head.seq } : device.left
  state.putDevice(key, { ...device, left, claimedBy: device.claimedBy.filter((id) => id !== personaId) })
  return pairState(personaId, false, device.bound, device.reports) !== null
}

/** What a record says as long as no table was seen. */
export const NO_HEAD: Pick<
  PersonaRecord,
  'head' | 'epoch' | 'seq' | 'timeSec' | 'devices' | 'needsNewerPersona' | 'pending' | 'held'
> = { head: null, epoch: 0, seq: 0, timeSec: 0, devices: [], needsNewerPersona: false, pending: null, held: null }

/** Takes the head back, by the owner's word: it stays as evidence, and its devices have left. */
export function dropHead(
  persona: PersonaRecord,
  kind: EvidenceKind,
  state: State,
): { persona: PersonaRecord; changes: ContactChange[] } {
  const head = headOf(persona, state)
  if (head === null) return { persona, changes: [] }
  const gone = persona.devices.filter(({ key }) => noteLeft(persona.personaId, key, persona, state))
  const others = [...gone.map(({ key }) => key), ...persona.others].slice(0, MAX_OTHERS)
  return {
    persona: { ...withEvidence(persona, kind, head, state), ...NO_HEAD, others },
    changes: persona.devices.map(({ key, name }) => ({ kind: 'removed', key, name })),
  }
}

/** Nothing below this epoch counts from now on, the head neither: the key that signed it was given up, and may be a thief's. */
export function raiseMinEpoch(
  persona: PersonaRecord,
  minEpoch: number,
  state: State,
): { persona: PersonaRecord; changes: ContactChange[] } {
  if (minEpoch <= persona.minEpoch) return { persona, changes: [] }
  const pinned = { ...persona, minEpoch }
  const isOver = persona.head !== null && persona.epoch < minEpoch
  return isOver ? dropHead(pinned, 'stale', state) : { persona: pinned, changes: [] }
}

/** A later signature under the same table. */
export function refreshHead(persona: PersonaRecord, blob: VerifiedBlob): PersonaRecord {
  return { ...persona, head: formatBase64url(blob.bytes), timeSec: blob.timeSec }
}

/** The record with one more piece of evidence, or the same record when it proves nothing new. */
export function withEvidence(
  persona: PersonaRecord,
  kind: EvidenceKind,
  blob: VerifiedBlob,
  state: State,
): PersonaRecord {
  const evidence = addEvidence(persona.evidence, {
    kind,
    epoch: blob.epoch,
    seq: blob.seq,
    tableHash: formatHex(blob.tableHash),
    root: formatHex(blob.root),
    seenAtSec: state.nowSec,
    blob: formatBase64url(blob.bytes),
  })
  return evidence === persona.evidence ? persona : { ...persona, evidence }
}

/**
 * Applies a judged blob to its record, which exists: of a persona that is `new` only a link was known.
 * @param mayNote false when this device reported within the last minute: then only what changes the head is kept, and the
 *   proof of a theft, of which there is little
 */
export function applyVerdict(
  persona: PersonaRecord,
  blob: VerifiedBlob,
  verdict: OrderVerdict,
  mayNote: boolean,
  state: State,
): { persona: PersonaRecord; changes: ContactChange[] } {
  const unchanged = { persona, changes: [] }
  switch (verdict.verdict) {
    case 'accept': {
      const forked = verdict.forkBehind ? withFork(persona, blob, state) : persona
      clearFork(persona.personaId, state)
      const taken = takeHeld(setHead(forked, blob, state), mayNote, state)
      // Of two steps at once only where they lead is news.
      return { persona: taken.persona, changes: diffTables(persona, taken.persona) }
    }
    case 'fork': {
      const forked = withFork(persona, blob, state)
      if (forked !== persona) noteFork(persona, state)
      return verdict.wins ? setHead(forked, blob, state) : { persona: forked, changes: [] }
    }
    case 'refresh': {
      // What a device shows is often told but once: a signature of another day must not be lost to the minute. There are few of those.
      const isWorthIt = mayNote || blob.timeSec - persona.timeSec >= REFRESH_GAIN_SEC
      return verdict.later && isWorthIt ? { persona: refreshHead(persona, blob), changes: [] } : unchanged
    }
    case 'stale':
      return mayNote ? { persona: withEvidence(persona, 'stale', blob, state), changes: [] } : unchanged
    case 'held': {
      // Each of a million blobs may be higher than the one before.
      if (!mayNote) return unchanged
      const held = persona.held === null ? null : decodeStored(persona.held, state)
      const highest = formatBase64url(pickHeld(held, blob).bytes)
      return { persona: highest === persona.held ? persona : { ...persona, held: highest }, changes: [] }
    }
    case 'violation':
      return { persona: violated(persona, blob, state), changes: [] }
    case 'new':
      return setHead(persona, blob, state)
    case 'refused':
      return unchanged
  }
}

function withFork(persona: PersonaRecord, blob: VerifiedBlob, state: State): PersonaRecord {
  const head = headOf(persona, state)
  const kept = head === null ? persona : withEvidence(persona, 'fork', head, state)
  return withEvidence(kept, 'fork', blob, state)
}

/** A second chain for one PersonaID: whoever made it holds K_0. The head stays; only the user re-pins. */
function violated(persona: PersonaRecord, blob: VerifiedBlob, state: State): PersonaRecord {
  const alarmed = withEvidence(persona, 'violation', blob, state)
  if (alarmed !== persona) alarmDisputed(persona, state)
  return alarmed
}

type Taken = { persona: PersonaRecord; changes: ContactChange[] }

// The head moved: a blob that was too far ahead may now be within reach, or be the other side of a fork. It is held no longer then, so
// there is one such step and no second.
function takeHeld(taken: Taken, mayNote: boolean, state: State): Taken {
  const { persona } = taken
  if (persona.held === null) return taken
  const held = decodeStored(persona.held, state)
  const verdict = judgeAgainst(persona, held, state)
  if (verdict.verdict === 'held') return taken
  return applyVerdict({ ...persona, held: null }, held, verdict, mayNote, state)
}

/** A head dated ahead of this clock is said once, when it comes in. */
export function noteClock(persona: PersonaRecord, state: State): void {
  if (!isClockAhead(persona.timeSec, state.nowSec)) return
  const message = `the table of ${persona.entry?.name ?? 'your own persona'} is dated ahead of this clock; one of the two clocks is wrong`
  state.emit({ event: 'clock', data: { personaId: persona.personaId, message } })
}

/** The verified blob of a status message or of a token alone; null for a text without a good one. */
export function blobOf(text: string, state: State): VerifiedBlob | null {
  try {
    return judgeStatus(text, state.engine, state.inceptions).blob
  } catch (error) {
    if (error instanceof BlobError) return null
    throw error
  }
}
