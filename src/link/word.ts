/** The words by which two daemons of one persona work on a proposal together (docs/links.md, section "Contents"). */
import { decodeUtf8, encodeUtf8, formatBase64url, formatHex, parseBase64url, parseHex } from '../core/encoding/bytes.ts'
import { formatCanonicalJson, parseCanonicalObject, type JsonValue } from '../core/encoding/canonical-json.ts'
import { ProposalError } from './errors.ts'
import { MAX_TEXT_BYTES } from './text.ts'

export const MAX_WORD_BYTES = 10_000 // format: a text of 7000 bytes is 9334 characters of base64url, and all other members
const MAX_NAME_BYTES = 256 // format: the longest name that a person gives has 64 code points
const MAX_CHANNEL_CHARS = 100 // format: longer than any name of a channel
const KEY_BYTES = 32 // format: a PersonaID, and the key of a device
const VERSION = 1

/** A device of a contact: both daemons know it by these two. */
export interface WordAbout {
  /** PersonaID of the contact. */
  readonly persona: string
  /** The key of their device for the source app, in upper-case hex. */
  readonly device: string
}

/** The source app has this contact, and provides them or does not any more. */
export interface ContactWord extends WordAbout {
  readonly kind: 'contact'
  /** Names the source channel. Another name is that of a channel that took its place. */
  readonly channel: string
  /** The local name of the contact. */
  readonly name: string
  readonly isProvided: boolean
  /** The number of the newest text that has gone over the source channel; 0 for none. */
  readonly n: number
}

/** `heard`: a text that has come over the source channel. `say`: one that is to go over it. */
export interface TextWord extends WordAbout {
  readonly kind: 'heard' | 'say'
  readonly text: Uint8Array
}

export type Word = ContactWord | TextWord

export function formatWord(word: Word): Uint8Array {
  const base = { v: VERSION, persona: word.persona, device: word.device }
  if (word.kind !== 'contact') return encodeUtf8(formatCanonicalJson({ ...base, text: formatBase64url(word.text) }))
  const { channel, name, isProvided: provided, n } = word
  return encodeUtf8(formatCanonicalJson({ ...base, channel, name, provided, n }))
}

/**
 * Reads a word of the kind that its content names.
 * @throws {ProposalError} TEXT_TOO_LONG | TEXT_DAMAGED | TEXT_VERSION | TEXT_MEMBER
 */
export function parseWord(kind: Word['kind'], bytes: Uint8Array): Word {
  if (bytes.length > MAX_WORD_BYTES)
    throw new ProposalError('TEXT_TOO_LONG', `the word has ${bytes.length} bytes, and may have ${MAX_WORD_BYTES}`)
  const members = parseCanonicalObject(decodeUtf8(bytes) ?? '')
  if (members === null) throw new ProposalError('TEXT_DAMAGED', 'the word is not an object in canonical JSON')
  const { v, persona, device, ...more } = members
  if (v !== VERSION)
    throw new ProposalError('TEXT_VERSION', 'this program does not know the version of the word', {
      hint: 'install a newer version on both devices',
    })
  const about = { persona: readKey(persona, 'persona'), device: readKey(device, 'device') }
  if (kind !== 'contact') {
    checkMembers(more, ['text'])
    return { kind, ...about, text: readText(more['text']) }
  }
  checkMembers(more, ['channel', 'name', 'provided', 'n'])
  const { provided, n } = more
  if (typeof provided !== 'boolean') throw badMember('provided')
  if (typeof n !== 'number' || !Number.isSafeInteger(n) || n < 0) throw badMember('n')
  const channel = readString(more['channel'], MAX_CHANNEL_CHARS, 'channel')
  return { kind, ...about, channel, name: readString(more['name'], MAX_NAME_BYTES, 'name'), isProvided: provided, n }
}

function checkMembers(members: object, known: readonly string[]): void {
  const unknown = Object.keys(members).find((name) => !known.includes(name))
  if (unknown !== undefined) throw badMember(unknown)
}

function readKey(value: JsonValue | undefined, member: string): string {
  const bytes = typeof value === 'string' ? parseHex(value) : null
  // One spelling: parseHex takes both cases.
  if (bytes?.length !== KEY_BYTES || formatHex(bytes) !== value) throw badMember(member)
  return value
}

function readText(value: JsonValue | undefined): Uint8Array {
  const bytes = typeof value === 'string' ? parseBase64url(value) : null
  if (bytes === null || bytes.length === 0 || bytes.length > MAX_TEXT_BYTES) throw badMember('text')
  return bytes
}

function readString(value: JsonValue | undefined, mostBytes: number, member: string): string {
  if (typeof value !== 'string' || value === '' || encodeUtf8(value).length > mostBytes) throw badMember(member)
  return value
}

function badMember(member: string): ProposalError {
  return new ProposalError('TEXT_MEMBER', `the word is refused: its member "${member}" is missing or not as it must be`)
}
