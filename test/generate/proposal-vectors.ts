/** Vectors of proposals: the texts of two daemons, and the invite that both choose (docs/links.md). */
import { encodeUtf8, formatBase64url, formatHex, parseHex } from '../../src/core/encoding/bytes.ts'
import { formatCanonicalJson, type JsonObject } from '../../src/core/encoding/canonical-json.ts'
import type { CryptoEngine } from '../../src/crypto/engine.ts'
import { portableEngine } from '../../src/crypto/portable.ts'
import { ProposalError, type ProposalErrorCode } from '../../src/link/errors.ts'
import { readOffer } from '../../src/link/offer.ts'
import { openedHash } from '../../src/link/opened.ts'
import { formatText, MAX_TEXT_BYTES, parseText, type ProposalText } from '../../src/link/text.ts'
import { formatWord, MAX_WORD_BYTES, parseWord, type Word } from '../../src/link/word.ts'
import { inviteFor, KIM, LEO, offerFor, TARGET_APP } from '../support/proposals.ts'

interface Fields {
  readonly name: string
  readonly section: number
  readonly comment: string
}

/** One text that Leo's daemon sends to Kim's. */
export interface ProposalVector extends Fields {
  readonly kind: 'proposal'
  /** PersonaIDs. */
  readonly writer: string
  readonly reader: string
  /** The bytes of the control text, as UTF-8. */
  readonly text: string
  readonly expect:
    | { readonly code: ProposalErrorCode }
    /** `invite` and `pair` are hashes I. */
    | Readonly<Record<string, string | number>>
}

/** The invites of both sides, and the hash of M2 of the channel that was made. */
export interface OpeningVector extends Fields {
  readonly kind: 'opening'
  readonly app: string
  readonly writer: string
  readonly reader: string
  /** The invite of the writer for the reader, and the other way round. */
  readonly invites: readonly [string, string]
  readonly m2Hash: string
  readonly expect: { readonly host: 'writer' | 'reader'; readonly opened: string }
}

/** One content between two daemons of one persona. */
export interface WordVector extends Fields {
  readonly kind: 'word'
  readonly word: Word['kind']
  /** The content without its first byte, as UTF-8. */
  readonly text: string
  readonly expect: { readonly code: ProposalErrorCode } | Readonly<Record<string, string | number | boolean>>
}

export function judgeWord({ word, text }: Pick<WordVector, 'word' | 'text'>): WordVector['expect'] {
  try {
    const { kind: _, ...read } = parseWord(word, encodeUtf8(text))
    return 'text' in read ? { ...read, text: formatHex(read.text) } : read
  } catch (error) {
    if (error instanceof ProposalError) return { code: error.code }
    throw error
  }
}

export function judgeProposal(vector: ProposalVector, engine: CryptoEngine): ProposalVector['expect'] {
  try {
    const { app, n, seen, saying } = parseText(encodeUtf8(vector.text), vector, engine)
    const { offer, ...said } = { offer: null, ...saying }
    return { app, n, seen, ...said, ...(offer === null ? {} : { invite: offer.hash, expires: offer.expiresAtSec }) }
  } catch (error) {
    if (error instanceof ProposalError) return { code: error.code }
    throw error
  }
}

export function judgeOpening(vector: OpeningVector, engine: CryptoEngine): OpeningVector['expect'] {
  const { app, writer, reader, invites } = vector
  const [own, theirs] = [
    readOffer(invites[0], { app, by: writer, for: reader }, engine),
    readOffer(invites[1], { app, by: reader, for: writer }, engine),
  ]
  const host = own.hash < theirs.hash ? 'writer' : 'reader'
  return { host, opened: openedHash(parseHex(vector.m2Hash)!, engine) }
}

const [writer, reader] = [formatHex(LEO), formatHex(KIM)]
const invite = inviteFor(LEO, KIM, 1)
const offer = offerFor(LEO, KIM, 1)
const pair = offerFor(KIM, LEO, 2).hash
const opened = openedHash(portableEngine.sha256(encodeUtf8('m2')), portableEngine)
const HASH = formatBase64url(parseHex(opened)!)

function good(name: string, comment: string, saying: ProposalText['saying'], seen = 0): ProposalVector {
  const text = new TextDecoder().decode(formatText({ app: TARGET_APP, n: 1_800_000_000, seen, saying }))
  const vector = { kind: 'proposal', name, section: 2, comment, writer, reader, text } as const
  return { ...vector, expect: judgeProposal({ ...vector, expect: {} }, portableEngine) }
}

const OFFER: JsonObject = { v: 1, app: TARGET_APP, n: 7, seen: 3, says: 'offer', invite }

function bad(name: string, comment: string, code: ProposalErrorCode, members: JsonObject | string): ProposalVector {
  const text = typeof members === 'string' ? members : formatCanonicalJson(members)
  return { kind: 'proposal', name, section: 2, comment, writer, reader, text, expect: { code } }
}

/** All vectors of the texts. */
export function proposalVectors(): ProposalVector[] {
  const { invite: _, ...noInvite } = OFFER
  const other = (more: JsonObject): JsonObject => ({ ...OFFER, ...more })
  return [
    good('offer', 'The first text of a side.', { says: 'offer', offer }),
    good('accept', 'The owner has agreed.', { says: 'accept', offer, pair }, 5),
    good('decline', 'The owner has declined.', { says: 'decline' }, 5),
    good('withdraw', 'The contact is not provided any more.', { says: 'withdraw' }, 5),
    good('open', 'The channel is open.', { says: 'open', opened }, 5),
    bad('too-long', 'A text has at most 7000 bytes.', 'TEXT_TOO_LONG', 'x'.repeat(MAX_TEXT_BYTES + 1)),
    bad('longest', 'A text of 7000 bytes is read.', 'TEXT_DAMAGED', 'x'.repeat(MAX_TEXT_BYTES)),
    bad('empty', 'A text is an object.', 'TEXT_DAMAGED', ''),
    bad('list', 'A text is an object.', 'TEXT_DAMAGED', '[]'),
    bad('space', 'A text has one form.', 'TEXT_DAMAGED', formatCanonicalJson(OFFER).replace(':', ': ')),
    bad('order', 'Members stand in their order.', 'TEXT_DAMAGED', JSON.stringify(OFFER)),
    bad('version', 'A later version is not read.', 'TEXT_VERSION', other({ v: 2 })),
    bad('no-version', 'A text has a version.', 'TEXT_VERSION', { says: 'withdraw' }),
    bad('app', 'The name of the app has another form.', 'TEXT_MEMBER', other({ app: 'Org.Example' })),
    bad('zero', 'The first number is 1.', 'TEXT_MEMBER', other({ n: 0 })),
    bad('fraction', 'A number is whole.', 'TEXT_MEMBER', other({ n: 1.5 })),
    bad('great', 'A number is below 2^53.', 'TEXT_MEMBER', other({ n: 2 ** 53 })),
    bad('seen-negative', 'A number is not negative.', 'TEXT_MEMBER', other({ seen: -1 })),
    bad('says', 'There are five things to say.', 'TEXT_MEMBER', other({ says: 'maybe' })),
    bad('unknown-member', 'A text has no other members.', 'TEXT_MEMBER', other({ name: 'Kim' })),
    bad('no-invite', 'An offer has an invite.', 'TEXT_MEMBER', noInvite),
    bad('invite-in-decline', 'A decline has no invite.', 'TEXT_MEMBER', other({ says: 'decline' })),
    bad('no-pair', 'An accept names the invite of the reader.', 'TEXT_MEMBER', other({ says: 'accept' })),
    bad('short-pair', 'A hash has 32 bytes.', 'TEXT_MEMBER', other({ says: 'accept', pair: HASH.slice(0, 40) })),
    bad('pair-in-hex', 'A hash is base64url.', 'TEXT_MEMBER', other({ says: 'accept', pair })),
    bad('open-and-invite', 'An open channel needs no invite.', 'TEXT_MEMBER', other({ says: 'open', opened: HASH })),
    bad('damaged-invite', 'The invite cannot be read.', 'TEXT_INVITE', other({ invite: invite.slice(0, -3) })),
    bad('white-space', 'The invite has one spelling.', 'TEXT_INVITE', other({ invite: `${invite} ` })),
    bad('other-app', 'The invite is for another app.', 'TEXT_INVITE', {
      ...OFFER,
      invite: inviteFor(LEO, KIM, 1, { app: 'org.example.other' }),
    }),
    bad('other-maker', 'The invite is of the reader, and not of the writer.', 'TEXT_INVITE', {
      ...OFFER,
      invite: inviteFor(KIM, KIM, 1),
    }),
    bad('other-reader', 'The invite is bound to another persona.', 'TEXT_INVITE', {
      ...OFFER,
      invite: inviteFor(LEO, LEO, 1),
    }),
  ]
}

/** Both orders of the two hashes. */
export function openingVectors(): OpeningVector[] {
  const made = [1, 2, 3, 4].map((number): OpeningVector => {
    const vector = {
      kind: 'opening',
      section: 3,
      app: TARGET_APP,
      writer,
      reader,
      invites: [inviteFor(LEO, KIM, number), inviteFor(KIM, LEO, number)],
      m2Hash: formatHex(portableEngine.sha256(encodeUtf8(`m2 ${number}`))),
    } as const
    const expect = judgeOpening(
      { ...vector, name: '', comment: '', expect: { host: 'writer', opened } },
      portableEngine,
    )
    const comment = `The invite of the ${expect.host} has the lower hash.`
    return { ...vector, name: `${expect.host}-hosts`, comment, expect }
  })
  return (['writer', 'reader'] as const).map((host) => made.find(({ expect }) => expect.host === host)!)
}

const CONTACT: JsonObject = {
  v: 1,
  persona: reader,
  device: writer,
  channel: 'a0cbd41b',
  name: 'Kim',
  provided: true,
  n: 1_800_000_000,
}

function badWord(name: string, comment: string, code: ProposalErrorCode, members: JsonObject | string): WordVector {
  const text = typeof members === 'string' ? members : formatCanonicalJson(members)
  return { kind: 'word', name, section: 5, comment, word: 'contact', text, expect: { code } }
}

/** All vectors of the contents. */
export function wordVectors(): WordVector[] {
  const other = (more: JsonObject): JsonObject => ({ ...CONTACT, ...more })
  const about = { persona: reader, device: writer }
  const withdraw = formatText({ app: TARGET_APP, n: 7, seen: 3, saying: { says: 'withdraw' } })
  const contact: Word = { kind: 'contact', ...about, channel: 'a0cbd41b', name: 'Kim', isProvided: false, n: 0 }
  const good = (name: string, comment: string, made: Word): WordVector => {
    const text = new TextDecoder().decode(formatWord(made))
    return {
      kind: 'word',
      name,
      section: 5,
      comment,
      word: made.kind,
      text,
      expect: judgeWord({ word: made.kind, text }),
    }
  }
  return [
    good('contact', 'A contact whom the source app does not provide any more.', contact),
    good('heard', 'A text that has come.', { kind: 'heard', ...about, text: withdraw }),
    good('say', 'A text that is to go.', { kind: 'say', ...about, text: withdraw }),
    badWord('too-long', 'A word has at most 10000 bytes.', 'TEXT_TOO_LONG', 'x'.repeat(MAX_WORD_BYTES + 1)),
    badWord('longest', 'A word of 10000 bytes is read.', 'TEXT_DAMAGED', 'x'.repeat(MAX_WORD_BYTES)),
    badWord('order', 'Members stand in their order.', 'TEXT_DAMAGED', JSON.stringify(CONTACT)),
    badWord('version', 'A later version is not read.', 'TEXT_VERSION', other({ v: 2 })),
    badWord('persona', 'A PersonaID is in upper case.', 'TEXT_MEMBER', other({ persona: reader.toLowerCase() })),
    badWord('device', 'A key has 32 bytes.', 'TEXT_MEMBER', other({ device: writer.slice(2) })),
    badWord('no-channel', 'A channel has a name.', 'TEXT_MEMBER', other({ channel: '' })),
    badWord('long-name', 'A name has at most 256 bytes.', 'TEXT_MEMBER', other({ name: 'é'.repeat(129) })),
    badWord('provided', 'It is provided or not.', 'TEXT_MEMBER', other({ provided: 1 })),
    badWord('n-negative', 'A number is not negative.', 'TEXT_MEMBER', other({ n: -1 })),
    badWord('unknown-member', 'A word has no other members.', 'TEXT_MEMBER', other({ text: 'AA' })),
  ]
}
