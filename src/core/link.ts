/** Contact links: PersonaID, c_0 and epoch in one line that people pass on (docs/format.md, section 13). */
import { formatBase32, parseBase32 } from './encoding/base32.ts'
import { concatBytes, equalBytes } from './encoding/bytes.ts'
import { COMMITMENT_BYTES } from './chain.ts'
import { isStrictPublicKey } from './curve/ed25519.ts'
import type { Engine } from './engine.ts'
import { LinkError } from './errors.ts'
import { LABEL_LINK } from './labels.ts'
import { MAX_EPOCH, TOKEN_PREFIX } from './limits.ts'

/** What who meets a persona pins, before any blob was seen. */
export interface ContactLink {
  /** K_0, 32 bytes. */
  readonly personaId: Uint8Array
  /** c_0, 32 bytes. */
  readonly root: Uint8Array
  /** Of the persona when the link was made: blobs of lower epochs are refused. */
  readonly epoch: number
}

export const LINK_SCHEME = 'personad:' // format: not that of a token, so that a link in a status message is words
export const LINK_CHECKSUM_BYTES = 4 // format: a slip of the finger passes once in 2^32; who forges a link makes a right one
const LINK_VERSION = 1
const KEY_BYTES = 32
const CONTACT_LINK_BYTES = 2 + KEY_BYTES + COMMITMENT_BYTES + LINK_CHECKSUM_BYTES // format: 70, 112 characters without a bit to spare

const WHITE_SPACE = /[\t\n\v\f\r ]+/g

/** The link as a text of one line, 121 characters, all of which a QR code writes in its short alphabet once they are upper case. */
export function formatLink({ personaId, root, epoch }: ContactLink, engine: Engine): string {
  const body = concatBytes(Uint8Array.of(LINK_VERSION, epoch), personaId, root)
  return LINK_SCHEME + formatBase32(concatBytes(body, checksumOf(body, engine)))
}

/**
 * Reads a link, in either case and with white space anywhere, as mail programs break it. It proves nothing: who can alter the link chooses
 * who is met.
 * @throws {LinkError} LINK_UNKNOWN | LINK_DAMAGED | LINK_UNKNOWN_VERSION | LINK_EPOCH_RANGE | LINK_KEY_INVALID
 */
export function parseLink(text: string, engine: Engine): ContactLink {
  const line = text.replaceAll(WHITE_SPACE, '')
  if (line.slice(0, LINK_SCHEME.length).toLowerCase() !== LINK_SCHEME) {
    const what = line.includes(TOKEN_PREFIX) ? 'a status message, and no contact link' : 'no contact link'
    throw new LinkError('LINK_UNKNOWN', `this is ${what}: a link begins with "${LINK_SCHEME}"`)
  }
  const bytes = parseBase32(line.slice(LINK_SCHEME.length))
  const body = bytes?.subarray(0, -LINK_CHECKSUM_BYTES) ?? new Uint8Array()
  // Before the version, which a slip may have hit.
  if (bytes === null || body.length === 0 || !equalBytes(checksumOf(body, engine), bytes.subarray(body.length))) {
    throw new LinkError('LINK_DAMAGED', 'the contact link is not whole: a character is wrong or missing')
  }
  const [version, epoch] = body
  if (version !== LINK_VERSION) {
    throw new LinkError(
      'LINK_UNKNOWN_VERSION',
      `the contact link is of version ${version}, which this program does not know`,
    )
  }
  if (bytes.length !== CONTACT_LINK_BYTES)
    throw new LinkError('LINK_DAMAGED', `a contact link has ${CONTACT_LINK_BYTES} bytes, not ${bytes.length}`)
  if (epoch! > MAX_EPOCH)
    throw new LinkError('LINK_EPOCH_RANGE', `the contact link is of epoch ${epoch}, at most ${MAX_EPOCH}`)
  const personaId = body.slice(2, 2 + KEY_BYTES)
  if (!isStrictPublicKey(personaId)) {
    throw new LinkError('LINK_KEY_INVALID', 'the PersonaID of the contact link is no public key')
  }
  return { personaId, root: body.slice(2 + KEY_BYTES), epoch: epoch! }
}

function checksumOf(body: Uint8Array, engine: Engine): Uint8Array {
  return engine.sha512(LABEL_LINK, body).subarray(0, LINK_CHECKSUM_BYTES)
}
