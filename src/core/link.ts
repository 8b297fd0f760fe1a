/** Contact links: PersonaID, c_0 and epoch in one line that people send each other (docs/format.md, section 13). */
import { formatBase32, parseBase32 } from './encoding/base32.ts'
import { concatBytes, equalBytes } from './encoding/bytes.ts'
import { COMMITMENT_BYTES } from './chain.ts'
import { isStrictPublicKey } from './curve/ed25519.ts'
import type { Engine } from './engine.ts'
import { LinkError } from './errors.ts'
import { LABEL_LINK } from './labels.ts'
import { MAX_EPOCH, TOKEN_PREFIX } from './limits.ts'

/** The content of a link. A new contact pins it before seeing any blob. */
export interface ContactLink {
  /** K_0, 32 bytes. */
  readonly personaId: Uint8Array
  /** c_0, 32 bytes. */
  readonly root: Uint8Array
  /** Epoch of the persona when the link was made; blobs of lower epochs are refused. */
  readonly epoch: number
}

export const LINK_SCHEME = 'personad:' // format: differs from a token's prefix, so that a link in a status message is part of the words
export const LINK_CHECKSUM_BYTES = 4 // format: a typing mistake passes once in 2^32; no defence against forgery, since anybody can compute it
const LINK_VERSION = 1
const KEY_BYTES = 32
const CONTACT_LINK_BYTES = 2 + KEY_BYTES + COMMITMENT_BYTES + LINK_CHECKSUM_BYTES // format: 70 bytes fill 112 characters exactly

const WHITE_SPACE = /[\t\n\v\f\r ]+/g

/** Writes a link as one line of 121 characters. In upper case they all fit the compact alphabet of a QR code. */
export function formatLink({ personaId, root, epoch }: ContactLink, engine: Engine): string {
  const body = concatBytes(Uint8Array.of(LINK_VERSION, epoch), personaId, root)
  return LINK_SCHEME + formatBase32(concatBytes(body, checksumOf(body, engine)))
}

/**
 * Reads a link in either case. It ignores white space anywhere, since mail programs break lines. A link proves nothing: whoever can alter
 * it chooses which persona the reader adds.
 * @throws {LinkError} LINK_UNKNOWN | LINK_DAMAGED | LINK_UNKNOWN_VERSION | LINK_EPOCH_RANGE | LINK_KEY_INVALID
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
  if (version !== LINK_VERSION) {
    throw new LinkError(
      'LINK_UNKNOWN_VERSION',
      `this program does not know version ${version} of contact links; install a newer one`,
    )
  }
  if (bytes.length !== CONTACT_LINK_BYTES)
    throw new LinkError('LINK_DAMAGED', `a contact link has ${CONTACT_LINK_BYTES} bytes, not ${bytes.length}`)
  if (epoch! > MAX_EPOCH)
    throw new LinkError('LINK_EPOCH_RANGE', `the contact link has epoch ${epoch}; the highest is ${MAX_EPOCH}`)
  const personaId = body.slice(2, 2 + KEY_BYTES)
  if (!isStrictPublicKey(personaId)) {
    throw new LinkError('LINK_KEY_INVALID', 'the PersonaID in the contact link is not a valid public key')
  }
  return { personaId, root: body.slice(2 + KEY_BYTES), epoch: epoch! }
}

function checksumOf(body: Uint8Array, engine: Engine): Uint8Array {
  return engine.sha512(LABEL_LINK, body).subarray(0, LINK_CHECKSUM_BYTES)
}
