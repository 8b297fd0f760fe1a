/** The greetings in the handshake. They hold no secret, because people have not compared the words yet (docs/pairing.md, section 2). */
import { PairingStateError } from './errors.ts'
import * as z from '../../schema/zod.ts'
import { decodeUtf8, encodeUtf8 } from '../../core/encoding/bytes.ts'
import { keyHex } from '../../ipc/shapes/scalars.ts'
import { tableDevice, type TableDevice } from '../../ipc/shapes/contact.ts'

const MAX_NAME_CHARS = 64 // sanity: a nickname, or a substitute for one; it names a source

/** From the device that has the persona. */
export interface OfferGreeting {
  readonly personaId: string
  readonly epoch: number
  /** The joining device names this one so as a source of observations. */
  readonly name: string
}

/** From the device that joins. */
export interface JoinGreeting {
  /** The device to add to the table; null to add none. */
  readonly device: TableDevice | null
}

const offerGreeting: z.ZodType<OfferGreeting> = z.strictObject({
  personaId: keyHex,
  epoch: z.int().min(0).max(16),
  name: z.string().min(1).max(MAX_NAME_CHARS),
})
const joinGreeting: z.ZodType<JoinGreeting> = z.strictObject({ device: tableDevice.nullable() })

export function encodeGreeting(greeting: OfferGreeting | JoinGreeting): Uint8Array {
  return encodeUtf8(JSON.stringify(greeting))
}

/** @throws {PairingStateError} PAIRING_VERSION */
export function decodeOfferGreeting(bytes: Uint8Array): OfferGreeting {
  return decode(offerGreeting, bytes)
}

/** @throws {PairingStateError} PAIRING_VERSION */
export function decodeJoinGreeting(bytes: Uint8Array): JoinGreeting {
  return decode(joinGreeting, bytes)
}

function decode<T>(shape: z.ZodType<T>, bytes: Uint8Array): T {
  const parsed = shape.safeParse(parseJson(decodeUtf8(bytes) ?? ''))
  if (parsed.success) return parsed.data
  throw otherVersion("this version cannot read the other device's greeting")
}

export function otherVersion(message: string): PairingStateError {
  return new PairingStateError('PAIRING_VERSION', message, 'install the same version of personad on both devices')
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return null
  }
}
