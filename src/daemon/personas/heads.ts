/** Reads the blobs of a record: the head, the held blob, the devices that a blob offers (docs/format.md, section 8). */
import { parseBase64url } from '../../core/encoding/bytes.ts'
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

/** Null while we have only a contact link. */
export function headOf(persona: PersonaRecord, by: { readonly engine: Engine }): VerifiedBlob | null {
  return persona.head === null ? null : decodeStored(persona.head, by)
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
