/**
 * The short status: a status message that names a persona without holding its table (docs/announce.md, section 10). It has the same length
 * for every table, and leads to the announcement.
 */
import { linkOf, LINK_BYTES } from '../chain.ts'
import { isStrictPublicKey } from '../curve/ed25519.ts'
import { concatBytes, equalBytes, formatBase64url, parseBase64url } from '../encoding/bytes.ts'
import type { Engine } from '../engine.ts'
import { LABEL_SHORT } from '../labels.ts'
import { SHORT_CHARS, TOKEN_PREFIX } from '../limits.ts'
import type { VerifiedBlob } from '../verify.ts'
import { READING_KEY_BYTES, readingKey } from './place.ts'
import { readSettings } from './settings.ts'

const KEY_BYTES = 32
const CHECK_BYTES = 4 // format: a client that cut or changed the text is noticed but once in 2^32
const PLAIN_BYTES: number = KEY_BYTES + READING_KEY_BYTES

/** The contents of a short status. Anybody who knows a table of the persona can make one, so it proves nothing about its device. */
export interface ShortStatus {
  /** K_e, 32 bytes */
  readonly signingKey: Uint8Array
  /** r, 32 bytes */
  readonly readingKey: Uint8Array
}

/** Formats the word of a status message: the prefix, and 91 characters. */
export function formatShort({ signingKey, readingKey: reading }: ShortStatus, engine: Engine): string {
  const plain = concatBytes(signingKey, reading)
  return TOKEN_PREFIX + formatBase64url(concatBytes(plain, checkOf(plain, engine)))
}

/**
 * Reads the characters after the prefix (parseStatus finds them).
 * @returns null if they are not exactly 91 characters of canonical base64url, if the check does not fit, or if the key is no strict Ed25519 key
 */
export function parseShort(encoded: string, engine: Engine): ShortStatus | null {
  const bytes = encoded.length === SHORT_CHARS ? parseBase64url(encoded) : null
  if (bytes === null) return null
  const plain = bytes.slice(0, PLAIN_BYTES)
  if (!equalBytes(bytes.slice(PLAIN_BYTES), checkOf(plain, engine))) return null
  const signingKey = plain.slice(0, KEY_BYTES)
  return isStrictPublicKey(signingKey) ? { signingKey, readingKey: plain.slice(KEY_BYTES) } : null
}

/** The short status of a table. @param blob with a readable document; null for any other */
export function shortOf(blob: VerifiedBlob, engine: Engine): ShortStatus | null {
  const { content, root, signingKey } = blob
  return content.ok ? { signingKey, readingKey: readingKey(root, readSettings(content.document).read, engine) } : null
}

/**
 * Whether a short status names the persona of this blob: the chain of the blob has this key, at its own epoch or at an earlier one, and the
 * chain with `read` gives this r.
 */
export function isNamedBy(
  { signingKey, readingKey: reading }: ShortStatus,
  blob: VerifiedBlob,
  engine: Engine,
): boolean {
  const current = shortOf(blob, engine)
  return current !== null && equalBytes(current.readingKey, reading) && epochOfKey(signingKey, blob, engine) !== null
}

/** The epoch of a key in the chain of a blob, 0..its epoch; null if the chain up to there does not have it. */
export function epochOfKey(key: Uint8Array, blob: VerifiedBlob, engine: Engine): number | null {
  const { personaId, signingKey, epoch, links } = blob
  if (equalBytes(key, signingKey)) return epoch
  if (equalBytes(key, personaId)) return 0
  const link = linkOf(key, engine)
  // h_1 .. h_(e-1)
  for (let at = 0; at < links.length; at += LINK_BYTES)
    if (equalBytes(links.subarray(at, at + LINK_BYTES), link)) return at / LINK_BYTES + 1
  return null
}

function checkOf(plain: Uint8Array, engine: Engine): Uint8Array {
  return engine.sha512(LABEL_SHORT, plain).slice(0, CHECK_BYTES)
}
