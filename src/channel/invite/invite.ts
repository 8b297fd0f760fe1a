/** Invites: what an end hands to somebody, once, so that they make a channel (docs/channel.md, section 2). */
import { formatBase64url, formatHex, parseBase64url, parseHex } from '../../core/encoding/bytes.ts'
import {
  formatCanonicalJson,
  parseCanonicalObject,
  type JsonObject,
  type JsonValue,
} from '../../core/encoding/canonical-json.ts'
import { isAppName } from '../../core/encoding/app-name.ts'
import { BlobError } from '../../core/errors.ts'
import { isStrictPublicKey } from '../../core/curve/ed25519.ts'
import { MAX_EPOCH } from '../../core/limits.ts'
import { checkNickname } from '../../core/nickname.ts'
import { checkAddress, type Address, type Intake } from './address.ts'
import { InviteError } from './errors.ts'

export interface Invite {
  /** The host's one-time key, and the intakes where it waits for the first message. */
  readonly address: Address
  /** The secret of the invite, 16 bytes: it shows that the guest was given the text. */
  readonly k: Uint8Array
  /** Name of the app, see {@link isAppName}. */
  readonly app: string
  /** Seconds since 1970 by the host's clock. */
  readonly expiresAtSec: number
  /** How the maker calls themselves, a nickname. It proves nothing. */
  readonly name?: string
  /** The persona of the maker. The guest ends the handshake if another one answers. */
  readonly persona?: InvitePersona
  /** PersonaID that alone may use the invite, 32 bytes. */
  readonly for?: Uint8Array
}

export interface InvitePersona {
  /** K_0, 32 bytes. */
  readonly personaId: Uint8Array
  readonly epoch: number
}

export const K_BYTES = 16 // format: nobody guesses 2^128
export const INVITE_LIFE_SEC: number = 7 * 86_400 // format: the time within which people answer; the host's one-time key is kept as long
const VERSION = 1
const MEMBERS = new Set(['v', 'where', 'pub', 'k', 'app', 'expires', 'name', 'persona', 'for'])

/** Whether the invite is over at this time. The host decides by its own clock. */
export function isExpired({ expiresAtSec }: Pick<Invite, 'expiresAtSec'>, nowSec: number): boolean {
  return nowSec >= expiresAtSec
}

/** The members of an invite. Without `k` they give the hash I. */
export function inviteMembers(invite: Invite): JsonObject {
  const { address, k, app, expiresAtSec, name, persona } = invite
  return {
    v: VERSION,
    pub: formatBase64url(address.pub),
    where: address.where.map(intakeMember),
    k: formatBase64url(k),
    app,
    expires: expiresAtSec,
    ...(name === undefined ? {} : { name }),
    ...(persona === undefined ? {} : { persona: { id: formatHex(persona.personaId), epoch: persona.epoch } }),
    ...(invite.for === undefined ? {} : { for: formatHex(invite.for) }),
  }
}

function intakeMember({ url, ext }: Intake): JsonObject {
  return ext === null ? { url } : { url, ext: formatBase64url(ext) }
}

/** The canonical JSON of the invite without `k`. Its SHA-256 is I. */
export function inviteWithoutK(invite: Invite): string {
  const { k: _, ...others } = inviteMembers(invite)
  return formatCanonicalJson(others)
}

/**
 * Writes an invite as canonical JSON (RFC 8785).
 * @throws {InviteError} those of {@link parseInviteJson}, for an invite that must not be written
 */
export function formatInviteJson(invite: Invite): string {
  const text = formatCanonicalJson(inviteMembers(invite))
  parseInviteJson(text)
  return text
}

/**
 * Reads an invite. It is strict: whatever is read is written back as the same text.
 * @throws {InviteError} INVITE_DAMAGED | INVITE_VERSION | INVITE_MEMBER | INVITE_KEY | INVITE_WHERE
 */
export function parseInviteJson(text: string): Invite {
  const members = parseCanonicalObject(text)
  if (members === null) throw new InviteError('INVITE_DAMAGED', 'the invite is damaged; copy it again')
  return readInvite(members)
}

/**
 * Reads the members of an invite.
 * @throws {InviteError} INVITE_VERSION | INVITE_MEMBER | INVITE_KEY | INVITE_WHERE
 */
export function readInvite(members: JsonObject): Invite {
  if (members['v'] !== VERSION) {
    throw new InviteError('INVITE_VERSION', 'this program does not know the version of the invite; install a newer one')
  }
  const unknown = Object.keys(members).find((name) => !MEMBERS.has(name))
  if (unknown !== undefined)
    throw new InviteError('INVITE_MEMBER', 'the invite has a member that this program does not know')
  const { app, expires, name, persona } = members
  if (typeof app !== 'string' || !isAppName(app)) throw bad('app')
  if (typeof expires !== 'number' || !Number.isSafeInteger(expires) || expires < 0) throw bad('expires')
  const invite: Invite = {
    address: readAddress(members),
    k: readK(members['k']),
    app,
    expiresAtSec: expires,
    ...(name === undefined ? {} : { name: readName(name) }),
    ...(persona === undefined ? {} : { persona: readPersona(persona) }),
    ...(members['for'] === undefined ? {} : { for: readPersonaId(members['for'], 'for') }),
  }
  return invite
}

function readAddress({ pub, where }: JsonObject): Address {
  const key = typeof pub === 'string' ? parseBase64url(pub) : null
  if (key === null) throw bad('pub')
  if (!Array.isArray(where)) throw bad('where')
  return checkAddress({ pub: key, where: (where as readonly JsonValue[]).map(readIntake) })
}

function readIntake(value: JsonValue): Intake {
  const { url, ext, ...others } = objectOf(value, 'where')
  const bytes = typeof ext === 'string' ? parseBase64url(ext) : null
  const isExtOk = ext === undefined || bytes !== null
  if (typeof url !== 'string' || !isExtOk || Object.keys(others).length > 0) throw bad('where')
  return { url, ext: bytes }
}

function readK(value: JsonValue | undefined): Uint8Array {
  const k = typeof value === 'string' ? parseBase64url(value) : null
  if (k === null) throw bad('k')
  if (k.length !== K_BYTES)
    throw new InviteError('INVITE_KEY', `the secret of the invite has ${k.length} bytes, not ${K_BYTES}`)
  return k
}

function readName(value: JsonValue): string {
  if (typeof value !== 'string') throw bad('name')
  try {
    return checkNickname(value)
  } catch (cause) {
    if (!(cause instanceof BlobError)) throw cause
    throw new InviteError('INVITE_MEMBER', `the name in the invite is not allowed: ${cause.message}`, { cause })
  }
}

function readPersona(value: JsonValue): InvitePersona {
  const { id, epoch, ...others } = objectOf(value, 'persona')
  const isEpoch = typeof epoch === 'number' && Number.isInteger(epoch) && epoch >= 0 && epoch <= MAX_EPOCH
  if (!isEpoch || Object.keys(others).length > 0) throw bad('persona')
  return { personaId: readPersonaId(id, 'persona'), epoch }
}

function readPersonaId(value: JsonValue | undefined, member: string): Uint8Array {
  const id = typeof value === 'string' && value === value.toUpperCase() ? parseHex(value) : null
  if (id === null || !isStrictPublicKey(id)) throw bad(member)
  return id
}

function objectOf(value: JsonValue, member: string): JsonObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw bad(member)
  return value as JsonObject
}

function bad(member: string): InviteError {
  return new InviteError(
    'INVITE_MEMBER',
    `the invite is refused: its member "${member}" is missing or not as it must be`,
  )
}
