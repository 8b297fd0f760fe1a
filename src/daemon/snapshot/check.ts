/** Nothing that a snapshot says of personas is believed: each blob in it is verified as if a stranger had shown it, and the chain computed again. */
import { SnapshotError } from './errors.ts'
import { decodeBlob } from '../../core/blob.ts'
import { formatHex, parseBase64url, parseHex } from '../../core/encoding/bytes.ts'
import { chainRoot, inceptionMessage } from '../../core/chain.ts'
import { BlobError } from '../../core/errors.ts'
import { verifyBlob, type VerifiedBlob } from '../../core/verify.ts'
import type { State } from '../state/state.ts'
import { positionOf } from '../own/table.ts'
import type { DeviceRecord, OwnRecord, PersonaRecord, SnapshotItem } from '../state/records.ts'

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
      // Its shape is all there is to check: it says what this owner wanted, signed, or was told.
      return
  }
}

function checkPending({ pending }: DeviceRecord, state: State): void {
  if (pending === null) return
  const bytes = parseBase64url(pending.blob)
  // Whosever it is: verified it is that persona's.
  checkBlob(formatHex((bytes ?? new Uint8Array(0)).slice(2, 34)), pending.blob, state)
}

function checkPersona(id: string, persona: PersonaRecord, state: State): void {
  const head = persona.head === null ? null : checkBlob(id, persona.head, state)
  if (persona.personaId !== id) throw invalid(id, 'its record has another PersonaID')
  // Of a contact of whom only a link is known there is nothing to verify the pin by, as there is nothing when a link is added.
  const hasMore = persona.devices.length > 0 || persona.held !== null || persona.pending !== null
  if (head === null && hasMore) throw invalid(id, 'it lacks its head')
  if (head !== null && formatHex(head.root) !== persona.root)
    throw invalid(id, 'its head is of another chain than the one pinned')
  if (persona.held !== null && formatHex(checkBlob(id, persona.held, state).root) !== persona.root) {
    throw invalid(id, 'the blob held for it is of another chain')
  }
  for (const piece of persona.evidence) {
    const blob = checkBlob(id, piece.blob, state)
    const isSo = piece.epoch === blob.epoch && piece.seq === blob.seq && piece.root === formatHex(blob.root)
    if (!isSo || piece.tableHash !== formatHex(blob.tableHash)) throw invalid(id, 'its evidence is of another table')
    // Epochs of a second chain say nothing of this one, and what is called a violation is one.
    if ((piece.kind === 'violation') !== (piece.root !== persona.root))
      throw invalid(id, 'its evidence proves something else than it says')
  }
}

function checkBlob(id: string, text: string, state: State): VerifiedBlob {
  const bytes = parseBase64url(text)
  if (bytes === null) throw invalid(id, 'a blob of it is no base64url')
  try {
    const blob = verifyBlob(decodeBlob(bytes), state.engine, state.inceptions)
    if (formatHex(blob.personaId) === id) return blob
  } catch (error) {
    if (error instanceof BlobError) throw invalid(id, `a blob of it is not good (${error.code})`)
    throw error
  }
  throw invalid(id, 'a blob of it is of another persona')
}

/** @param own whose position in the chain must lead to a c_0 that K_0 signed; the pinned one is compared when its persona is taken */
function checkOwn(own: OwnRecord, state: State): void {
  const position = positionOf(own)
  const root = chainRoot(position, state.engine)
  const isWhole = own.links.length === Math.max(0, own.epoch - 1) * 32
  const isFirst = own.epoch === 0 && own.inception === null && own.signingKey === own.personaId
  if (isWhole && isFirst) return
  const inception = own.inception === null ? null : parseHex(own.inception)
  const isSigned =
    own.epoch > 0 &&
    inception !== null &&
    state.engine.verify(inception, inceptionMessage(position.personaId, root), position.personaId)
  if (!isWhole || !isSigned) throw invalid(own.personaId, 'its position in the key chain is not good')
}

/** @param pinned c_0 of the own persona, 64 hex digits @throws {SnapshotError} SNAPSHOT_INVALID */
export function checkOwnRoot(own: OwnRecord, pinned: string, state: State): void {
  if (formatHex(chainRoot(positionOf(own), state.engine)) === pinned) return
  throw invalid(own.personaId, 'its position in the key chain leads to another chain than the one pinned')
}

function invalid(personaId: string, what: string): SnapshotError {
  const hint = 'nothing of it was taken; make it again, and if it stays so, do not trust where it came from'
  return new SnapshotError('SNAPSHOT_INVALID', `persona ${personaId} in the snapshot: ${what}`, hint)
}
