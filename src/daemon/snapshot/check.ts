/** Checks the records of a snapshot: verifies each blob as if a stranger had shown it, and computes the key chain again. */
import { SnapshotError } from './errors.ts'
import { decodeBlob } from '../../core/blob.ts'
import { formatHex, parseBase64url } from '../../core/encoding/bytes.ts'
import { chainRoot } from '../../core/chain.ts'
import { BlobError } from '../../core/errors.ts'
import { isWholeStatement, parseStatement, type PersonaRoot } from '../../core/succession/statement.ts'
import { isCommitted, verifyBlob, type VerifiedBlob } from '../../core/verify.ts'
import type { State } from '../state/state.ts'
import { positionOf } from '../own/own-records.ts'
import type { DeviceRecord } from '../state/device-record.ts'
import type { OwnRecord } from '../state/own-record.ts'
import type { PersonaRecord } from '../state/persona-record.ts'
import type { SnapshotItem } from '../state/records.ts'

/** @throws {SnapshotError} SNAPSHOT_INVALID */
export function checkItem(item: SnapshotItem, state: State): void {
  switch (item.kind) {
    case 'persona':
      return checkPersona(item.id, item.value, state)
    case 'own':
      return checkOwn(item.value, state)
    case 'device':
      return checkPending(item.value, state)
    case 'intent':
    case 'past':
    case 'alarm':
    case 'wing':
      // Only the shape can be checked: these records are the owner's own edits, tables and alarms.
      return
  }
}

function checkPending({ pending }: DeviceRecord, state: State): void {
  if (pending === null) return
  const bytes = parseBase64url(pending.blob)
  // The blob names its persona, and its signature proves that.
  checkBlob(formatHex((bytes ?? new Uint8Array(0)).slice(2, 34)), pending.blob, state)
}

function checkPersona(id: string, persona: PersonaRecord, state: State): void {
  const head = persona.head === null ? null : checkBlob(id, persona.head, state)
  if (persona.personaId !== id) throw invalid(id, 'its record has another PersonaID')
  // If only a link is known, nothing can verify the pin, just as when the owner adds a link.
  const hasMore = persona.devices.length > 0 || persona.held !== null || persona.pending !== null
  if (head === null && hasMore) throw invalid(id, 'its head is missing')
  if (head !== null && formatHex(head.root) !== persona.root)
    throw invalid(id, 'its head belongs to another key chain than the pinned one')
  if (persona.held !== null && formatHex(checkBlob(id, persona.held, state).root) !== persona.root) {
    throw invalid(id, 'its held blob belongs to another key chain')
  }
  if (persona.successor !== undefined) {
    const bytes = parseBase64url(persona.successor.blob) ?? new Uint8Array(0)
    // Another persona, which the blob itself names. Its statement is judged here again.
    checkBlob(formatHex(bytes.slice(2, 34)), persona.successor.blob, state)
  }
  for (const piece of persona.evidence) {
    const blob = checkBlob(id, piece.blob, state)
    const isSameTable = piece.epoch === blob.epoch && piece.seq === blob.seq && piece.root === formatHex(blob.root)
    if (!isSameTable || piece.tableHash !== formatHex(blob.tableHash))
      throw invalid(id, 'its evidence names another table than its blob')
    // Evidence is a violation if and only if it shows another chain: epochs of two chains cannot be compared.
    if ((piece.kind === 'violation') !== (piece.root !== persona.root))
      throw invalid(id, 'its evidence does not prove what it claims')
  }
}

function checkBlob(id: string, text: string, state: State): VerifiedBlob {
  const bytes = parseBase64url(text)
  if (bytes === null) throw invalid(id, 'one of its blobs is not base64url')
  try {
    const blob = verifyBlob(decodeBlob(bytes), state.engine, state.inceptions)
    if (formatHex(blob.personaId) === id) return blob
  } catch (error) {
    if (error instanceof BlobError) throw invalid(id, `one of its blobs does not verify (${error.code})`)
    throw error
  }
  throw invalid(id, 'one of its blobs belongs to another persona')
}

/** Checks that the position in the chain leads to a c_0 that K_0 signed. {@link checkOwnRoot} compares it with the pinned one later. */
function checkOwn(own: OwnRecord, state: State): void {
  const position = positionOf(own)
  const root = chainRoot(position, state.engine)
  const isWhole = own.links.length === Math.max(0, own.epoch - 1) * 32
  const isFirst = own.epoch === 0 && own.inception === null && own.signingKey === own.personaId
  checkPredecessor(own, { personaId: position.personaId, root }, state)
  if (isWhole && isFirst) return
  const isSigned = own.epoch > 0 && position.inception !== null && isCommitted(position, root, state.engine)
  if (!isWhole || !isSigned) throw invalid(own.personaId, 'its position in the key chain is not valid')
}

function checkPredecessor({ personaId, predecessor }: OwnRecord, successor: PersonaRoot, state: State): void {
  if (predecessor === undefined || predecessor === null) return
  const statement = parseStatement(predecessor)
  if (statement !== null && isWholeStatement(statement, successor, state.engine)) return
  throw invalid(personaId, 'the statement that it follows another persona is not valid')
}

/** @param pinned c_0 of the own persona, 64 hex digits @throws {SnapshotError} SNAPSHOT_INVALID */
export function checkOwnRoot(own: OwnRecord, pinned: string, state: State): void {
  if (formatHex(chainRoot(positionOf(own), state.engine)) === pinned) return
  throw invalid(own.personaId, 'its position in the key chain leads to another chain than the one pinned')
}

function invalid(personaId: string, reason: string): SnapshotError {
  const hint = 'nothing was imported; make the snapshot again, and if it fails again, do not trust its source'
  return new SnapshotError('SNAPSHOT_INVALID', `persona ${personaId} in the snapshot: ${reason}`, hint)
}
