/** Contact links: PersonaID, c_0, epoch and, if the owner wants, a name, in one line that people send each other (docs/format.md, section 13). */
import { formatBase32, parseBase32 } from './encoding/base32.ts'
import { concatBytes, decodeUtf8, encodeUtf8, equalBytes } from './encoding/bytes.ts'
import { COMMITMENT_BYTES } from './chain.ts'
import { isStrictPublicKey } from './curve/ed25519.ts'
import type { Engine } from './engine.ts'
import { BlobError, LinkError } from './errors.ts'
import { LABEL_LINK } from './labels.ts'
import { MAX_EPOCH, MAX_NICKNAME_BYTES, TOKEN_PREFIX } from './limits.ts'
import { checkNickname } from './nickname.ts'

/** The content of a link. A new contact pins it before seeing any blob. */
export interface ContactLink {
  /** K_0, 32 bytes. */
  readonly personaId: Uint8Array
  /** c_0, 32 bytes. */
  readonly root: Uint8Array
  /** Epoch of the persona when the link was made; blobs of lower epochs are refused. */
  readonly epoch: number
  /** How the owner calls themselves, a nickname (section 12). It proves nothing: a reader may use it for a new contact. */
  readonly name?: string
}

export const LINK_SCHEME = 'personad:' // format: differs from a token's prefix, so that a link in a status message is part of the words
export const LINK_CHECKSUM_BYTES = 4 // format: a typing mistake passes once in 2^32; no defence against forgery, since anybody can compute it
const VERSION_PLAIN = 1
const VERSION_NAMED = 2 // format: the same with a name; programs before it say LINK_UNKNOWN_VERSION
const KEY_BYTES = 32
const NAME_AT = 2 + KEY_BYTES + COMMITMENT_BYTES
const CONTACT_LINK_BYTES = NAME_AT + LINK_CHECKSUM_BYTES // format: 70 bytes fill 112 characters exactly; a name comes on top

const WHITE_SPACE = /[\t\n\v\f\r ]+/g

/**
 * Writes a link as one line of 121 characters, with a name up to 224. In upper case they all fit the compact alphabet of a QR code.
 * @throws {BlobError} those of checkNickname, for the name
 */
export function formatLink({ personaId, root, epoch, name }: ContactLink, engine: Engine): string {
  const version = name === undefined ? VERSION_PLAIN : VERSION_NAMED
  const nameBytes = name === undefined ? new Uint8Array() : encodeUtf8(checkNickname(name))
  const body = concatBytes(Uint8Array.of(version, epoch), personaId, root, nameBytes)
  return LINK_SCHEME + formatBase32(concatBytes(body, checksumOf(body, engine)))
}

/**
 * Reads a link in either case. It ignores white space anywhere, since mail programs break lines. A link proves nothing: whoever can alter
 * it chooses which persona the reader adds.
 * @throws {LinkError} LINK_UNKNOWN | LINK_DAMAGED | LINK_UNKNOWN_VERSION | LINK_EPOCH_RANGE | LINK_KEY_INVALID | LINK_NAME_INVALID
 */
export function parseLink(text: string, engine: Engine): ContactLink {
  const line = text.replaceAll(WHITE_SPACE, '')
  if (line.slice(0, LINK_SCHEME.length).toLowerCase() !== LINK_SCHEME) {
    const what = line.includes(TOKEN_PREFIX) ? 'a status message, not a contact link' : 'not a contact link'
    throw new LinkError('LINK_UNKNOWN', `this is ${what}; a contact link begins with "${LINK_SCHEME}"`)
  }
  const bytes = parseBase32(line.slice(LINK_SCHEME.length))
  const body = bytes?.subarray(0, -LINK_CHECKSUM_BYTES) ?? new Uint8Array()
  // Checked before the version, since a typing mistake may be in the version.
  if (bytes === null || body.length === 0 || !equalBytes(checksumOf(body, engine), bytes.subarray(body.length))) {
    throw new LinkError('LINK_DAMAGED', 'the contact link is damaged: a character is wrong or missing; copy it again')
  }
  const [version, epoch] = body
  if (version !== VERSION_PLAIN && version !== VERSION_NAMED) {
    throw new LinkError(
      'LINK_UNKNOWN_VERSION',
      `this program does not know version ${version} of contact links; install a newer one`,
    )
  }
  const maxNameBytes = version === VERSION_NAMED ? MAX_NICKNAME_BYTES : 0
  if (bytes.length < CONTACT_LINK_BYTES || bytes.length > CONTACT_LINK_BYTES + maxNameBytes)
    throw new LinkError('LINK_DAMAGED', `a contact link of version ${version} cannot have ${bytes.length} bytes`)
  if (epoch! > MAX_EPOCH)
    throw new LinkError('LINK_EPOCH_RANGE', `the contact link has epoch ${epoch}; the highest is ${MAX_EPOCH}`)
  const personaId = body.slice(2, 2 + KEY_BYTES)
  if (!isStrictPublicKey(personaId)) {
    throw new LinkError('LINK_KEY_INVALID', 'the PersonaID in the contact link is not a valid public key')
  }
  const link = { personaId, root: body.slice(2 + KEY_BYTES, NAME_AT), epoch: epoch! }
  return version === VERSION_NAMED ? { ...link, name: parseName(body.subarray(NAME_AT)) } : link
}

/** @throws {LinkError} LINK_NAME_INVALID */
function parseName(bytes: Uint8Array): string {
  const name = decodeUtf8(bytes)
  try {
    if (name !== null) return checkNickname(name)
  } catch (cause) {
    if (!(cause instanceof BlobError)) throw cause
    throw new LinkError('LINK_NAME_INVALID', `the name in the contact link is not allowed: ${cause.message}`, { cause })
  }
  throw new LinkError('LINK_NAME_INVALID', 'the name in the contact link is not UTF-8')
}

function checksumOf(body: Uint8Array, engine: Engine): Uint8Array {
  return engine.sha512(LABEL_LINK, body).subarray(0, LINK_CHECKSUM_BYTES)
}
