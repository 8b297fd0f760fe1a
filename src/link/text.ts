/**
 * The texts by which two daemons speak of a proposal, over a channel of another app (docs/links.md, section "Texts"). Each text tells all that its
 * writer has to say, so that the newest one alone counts.
 */
import { isAppName } from '../core/encoding/app-name.ts'
import { decodeUtf8, encodeUtf8, formatBase64url, formatHex, parseBase64url, parseHex } from '../core/encoding/bytes.ts'
import {
  formatCanonicalJson,
  parseCanonicalObject,
  type JsonObject,
  type JsonValue,
} from '../core/encoding/canonical-json.ts'
import type { Sha256 } from '../core/engine.ts'
import { ProposalError } from './errors.ts'
import { readOffer, type Offer } from './offer.ts'

export const MAX_TEXT_BYTES = 7000 // format: an invite of 6000 characters, and all other members
const HASH_BYTES = 32 // format: SHA-256, and H
const VERSION = 1

/** The word of the writer on the proposal. */
export type Saying =
  | { readonly says: 'offer'; readonly offer: Offer }
  /** The writer's owner has agreed. @property pair I of the reader's invite */
  | { readonly says: 'accept'; readonly offer: Offer; readonly pair: string }
  | { readonly says: 'decline' }
  | { readonly says: 'withdraw' }
  /** The channel is open. @property opened see {@link openedHash} */
  | { readonly says: 'open'; readonly opened: string }

export interface ProposalText {
  /** The app in which the contact is proposed. */
  readonly app: string
  /** Counts up with each other text of this writer for this app and reader. */
  readonly n: number
  /** The number of the newest text of the reader that the writer has; 0 for none. */
  readonly seen: number
  readonly saying: Saying
}

/** The two personas of the channel that carries a text. */
export interface TextBetween {
  readonly writer: string
  readonly reader: string
}

const MEMBERS: Readonly<Record<Saying['says'], readonly string[]>> = {
  offer: ['invite'],
  accept: ['invite', 'pair'],
  decline: [],
  withdraw: [],
  open: ['opened'],
}

/** The app that a text of any form speaks of; null for none. */
export function appOf(bytes: Uint8Array): string | null {
  const app = parseCanonicalObject(decodeUtf8(bytes) ?? '')?.['app']
  return typeof app === 'string' ? app : null
}

export function formatText({ app, n, seen, saying }: ProposalText): Uint8Array {
  const base = { v: VERSION, app, n, seen, says: saying.says }
  return encodeUtf8(formatCanonicalJson({ ...base, ...membersOf(saying) }))
}

function membersOf(saying: Saying): JsonObject {
  switch (saying.says) {
    case 'offer':
      return { invite: saying.offer.invite }
    case 'accept':
      return { invite: saying.offer.invite, pair: formatHash(saying.pair) }
    case 'open':
      return { opened: formatHash(saying.opened) }
    case 'decline':
    case 'withdraw':
      return {}
  }
}

/**
 * Reads a text. It is strict: whatever is read is written back as the same bytes.
 * @throws {ProposalError} TEXT_TOO_LONG | TEXT_DAMAGED | TEXT_VERSION | TEXT_MEMBER | TEXT_INVITE
 */
export function parseText(bytes: Uint8Array, { writer, reader }: TextBetween, engine: Sha256): ProposalText {
  if (bytes.length > MAX_TEXT_BYTES)
    throw new ProposalError('TEXT_TOO_LONG', `the text has ${bytes.length} bytes, and may have ${MAX_TEXT_BYTES}`)
  const members = parseCanonicalObject(decodeUtf8(bytes) ?? '')
  if (members === null) throw new ProposalError('TEXT_DAMAGED', 'the text is not an object in canonical JSON')
  if (members['v'] !== VERSION)
    throw new ProposalError('TEXT_VERSION', 'this program does not know the version of the text', {
      hint: 'install a newer version',
    })
  const { v: _, app, n, seen, says, ...more } = members
  if (typeof app !== 'string' || !isAppName(app)) throw badMember('app')
  const saying = readSaying(says, more, (invite) => readOffer(invite, { app, by: writer, for: reader }, engine))
  return { app, n: readCount(n, 1, 'n'), seen: readCount(seen, 0, 'seen'), saying }
}

function readSaying(says: JsonValue | undefined, more: JsonObject, offerIn: (invite: string) => Offer): Saying {
  const known = (Object.keys(MEMBERS) as Saying['says'][]).find((each) => each === says)
  if (known === undefined) throw badMember('says')
  const unknown = Object.keys(more).find((name) => !MEMBERS[known].includes(name))
  if (unknown !== undefined) throw badMember(unknown)
  const offer = (): Offer => {
    if (typeof more['invite'] !== 'string') throw badMember('invite')
    return offerIn(more['invite'])
  }
  switch (known) {
    case 'offer':
      return { says: known, offer: offer() }
    case 'accept':
      return { says: known, pair: readHash(more['pair'], 'pair'), offer: offer() }
    case 'open':
      return { says: known, opened: readHash(more['opened'], 'opened') }
    case 'decline':
    case 'withdraw':
      return { says: known }
  }
}

function readCount(value: JsonValue | undefined, least: number, member: string): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < least) throw badMember(member)
  return value
}

function formatHash(hex: string): string {
  return formatBase64url(parseHex(hex)!)
}

function readHash(value: JsonValue | undefined, member: string): string {
  const bytes = typeof value === 'string' ? parseBase64url(value) : null
  if (bytes?.length !== HASH_BYTES) throw badMember(member)
  return formatHex(bytes)
}

function badMember(member: string): ProposalError {
  return new ProposalError('TEXT_MEMBER', `the text is refused: its member "${member}" is missing or not as it must be`)
}
