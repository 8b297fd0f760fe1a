/** Addresses of boxes and other intakes, and the connectoid value, which is one of them as a text (docs/channel.md, section 2). */
import { decodeUtf8, encodeUtf8, formatBase64url, parseBase64url } from '../../core/encoding/bytes.ts'
import { isWebAddress, MAX_ADDRESS_BYTES } from '../../core/encoding/web-address.ts'
import { InviteError } from './errors.ts'

/** The place on a carrier where an end receives. */
export interface Intake {
  /** `https://...` for a box of a relay, `folder:` and 16 hex digits for a folder; other schemes for other carriers. */
  readonly url: string
  /** The right to send there, 1..64 bytes; null where none is needed. */
  readonly ext: Uint8Array | null
}

/** How to reach an end: the key of its boxes, and its intakes. */
export interface Address {
  /** An HPKE public key: X25519 of 32 bytes, or P-384 of 49, 97 or 120 bytes. */
  readonly pub: Uint8Array
  /** 1..MAX_INTAKES. A sender writes to all that it can reach. */
  readonly where: readonly Intake[]
}

export const MAX_INTAKES = 4 // sanity: an end with more relays than this has one too many; each gets every frame
export const MAX_URL_BYTES: number = MAX_ADDRESS_BYTES
export const MAX_EXT_BYTES = 64 // sanity: ours has 16; others may need a token
const PUB_BYTES: readonly number[] = [32, 49, 97, 120] // format: the forms of a key (docs/relay.md, "Keys")
const FOLDER_URL = /^folder:[0-9a-f]{16}$/
const OTHER_URL = /^[a-z][a-z0-9+.-]*:[!-~]*$/

/**
 * Whether the text has the form of an intake; {@link isWebAddress} checks one of the web. Which hosts may be called is decided by who calls
 * them. A scheme that is not known is allowed, since a later version may have a carrier for it.
 */
export function isIntakeUrl(url: string): boolean {
  if (url.length > MAX_URL_BYTES) return false
  if (/^https?:/.test(url)) return isWebAddress(url)
  return url.startsWith('folder:') ? FOLDER_URL.test(url) : OTHER_URL.test(url)
}

/** Checks an address that this program makes or has read. @throws {InviteError} INVITE_KEY | INVITE_WHERE */
export function checkAddress(address: Address): Address {
  checkPub(address.pub)
  if (address.where.length < 1 || address.where.length > MAX_INTAKES)
    throw new InviteError(
      'INVITE_WHERE',
      `the address names ${address.where.length} places, and may name 1 to ${MAX_INTAKES}`,
    )
  for (const intake of address.where) checkIntake(intake)
  return address
}

function checkPub(pub: Uint8Array): void {
  if (!PUB_BYTES.includes(pub.length))
    throw new InviteError(
      'INVITE_KEY',
      `the key of the address has ${pub.length} bytes, and keys have 32, 49, 97 or 120`,
    )
}

function checkIntake({ url, ext }: Intake): void {
  if (!isIntakeUrl(url)) throw new InviteError('INVITE_WHERE', 'a place of the address is not written as it must be')
  if (ext !== null && (ext.length < 1 || ext.length > MAX_EXT_BYTES))
    throw new InviteError(
      'INVITE_WHERE',
      `the extension of a place has ${ext.length} bytes, and may have 1 to ${MAX_EXT_BYTES}`,
    )
}

/** The connectoid value of one intake: `<pub>.<service>` or `<pub>.<service>.<ext>`, each part base64url. */
export function formatConnectoid(pub: Uint8Array, { url, ext }: Intake): string {
  const parts = [pub, encodeUtf8(url), ...(ext === null ? [] : [ext])]
  return parts.map(formatBase64url).join('.')
}

/**
 * Reads exactly the texts that {@link formatConnectoid} writes.
 * @throws {InviteError} INVITE_DAMAGED | INVITE_KEY | INVITE_WHERE
 */
export function parseConnectoid(text: string): { readonly pub: Uint8Array; readonly intake: Intake } {
  const parts = text.split('.').map(parseBase64url)
  const [pub, service, ext = null] = parts
  const url = service ? decodeUtf8(service) : null
  if (parts.length > 3 || parts.includes(null) || !pub || url === null)
    throw new InviteError('INVITE_DAMAGED', 'the connectoid value is damaged; copy the link again')
  const intake: Intake = { url, ext }
  checkPub(pub)
  checkIntake(intake)
  return { pub, intake }
}

/** The connectoid values of an address, one for each intake. */
export function formatConnectoids({ pub, where }: Address): string[] {
  return where.map((intake) => formatConnectoid(pub, intake))
}

/**
 * Reads the values of one address: they must have the same key.
 * @throws {InviteError} INVITE_DAMAGED | INVITE_KEY | INVITE_WHERE
 */
export function parseConnectoids(texts: readonly string[]): Address {
  const read = texts.map(parseConnectoid)
  const keys = new Set(read.map(({ pub }) => formatBase64url(pub)))
  if (keys.size !== 1) throw new InviteError('INVITE_KEY', 'the address has no key, or more than one')
  return checkAddress({ pub: read[0]!.pub, where: read.map(({ intake }) => intake) })
}
