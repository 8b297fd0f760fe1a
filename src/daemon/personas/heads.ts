/** Reads the blobs of a record: the head, the held blob, the devices that a blob offers (docs/format.md, section 8). */
import { personaIdIn } from '../../core/blob.ts'
import { formatHex, parseBase64url } from '../../core/encoding/bytes.ts'
import type { Engine } from '../../core/engine.ts'
import { BlobError } from '../../core/errors.ts'
import { nameDevices, type Device } from '../../core/table.ts'
import { decodeVerified, judgeStatus, type VerifiedBlob } from '../../core/verify.ts'
import type { PersonaRecord } from '../state/persona-record.ts'
import type { State } from '../state/state.ts'

/** A blob of a record. It was verified when it came in, so its signatures are not checked again. */
export function decodeStored(blob: string, { engine }: { readonly engine: Engine }): VerifiedBlob {
  const bytes = parseBase64url(blob)
  if (bytes === null) throw new Error('the store holds a blob that is not base64url')
  return decodeVerified(bytes, engine)
}

/** Heads by the record that has them. A changed record is another object, so its head is decoded anew. */
export type Heads = WeakMap<PersonaRecord, VerifiedBlob>

/** Null while we have only a contact link. @param by with `heads`, the head of a record is decoded once */
export function headOf(
  persona: PersonaRecord,
  by: { readonly engine: Engine; readonly heads?: Heads },
): VerifiedBlob | null {
  if (persona.head === null) return null
  const decoded = by.heads?.get(persona) ?? decodeStored(persona.head, by)
  by.heads?.set(persona, decoded)
  return decoded
}

/**
 * The head of a persona that is exactly this base64url, or null. Only a verified blob becomes a head, and a record holds it in its one
 * canonical form, so an equal text needs no second decoding or verification.
 */
export function sameHead(encoded: string, state: State): VerifiedBlob | null {
  const personaId = personaIdIn(encoded)
  const record = personaId === null ? undefined : state.persona(formatHex(personaId))
  return record !== undefined && record.head === encoded ? headOf(record, state) : null
}

/** The devices of a blob. Where its document lacks names and companions, those that we know fill the gaps. */
export function offeredDevices(persona: Pick<PersonaRecord, 'names' | 'devices'> | null, blob: VerifiedBlob): Device[] {
  const known = new Map(persona?.names)
  const companions = new Set(persona?.devices.filter((device) => device.companion).map(({ key }) => key))
  return nameDevices(
    blob,
    (key) => known.get(key),
    (key) => companions.has(key),
  )
}

/** The verified blob of a status message or bare token; null if it holds no valid one. */
export function blobOf(text: string, state: State): VerifiedBlob | null {
  try {
    return judgeStatus(text, state.engine, state.inceptions).blob
  } catch (error) {
    if (error instanceof BlobError) return null
    throw error
  }
}
