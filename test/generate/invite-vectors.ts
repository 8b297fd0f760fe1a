/** Vectors of invites (docs/channel.md, section 2). */
import { createHash } from 'node:crypto'
import { InviteError, type InviteErrorCode } from '../../src/channel/invite/errors.ts'
import { formatConnectoid } from '../../src/channel/invite/address.ts'
import { formatInviteJson, inviteWithoutK, type Invite } from '../../src/channel/invite/invite.ts'
import { formatInvite, formatInviteLink, parseInvite } from '../../src/channel/invite/invite-text.ts'
import { encodeUtf8, formatBase64url, formatHex, parseBase64url } from '../../src/core/encoding/bytes.ts'
import { makeDeviceKey, makePersona } from '../support/made-persona.ts'

export interface InviteVector {
  readonly kind: 'invite'
  readonly name: string
  readonly section: 2
  readonly comment: string
  readonly text: string
  readonly expect:
    | { readonly code: InviteErrorCode }
    /** `json` is the canonical JSON of the invite; `hash` is I. */
    | { readonly json: string; readonly hash: string; readonly appUrl: string | null }
    | { readonly connectoid: string; readonly appUrl: string }
}

/** The result of the code under test for a text. */
export function judgeInvite({ text }: Pick<InviteVector, 'text'>): InviteVector['expect'] {
  try {
    const read = parseInvite(text)
    if (read.kind === 'bare') return { connectoid: read.connectoid, appUrl: read.appUrl }
    return { ...good(read.invite), appUrl: read.appUrl }
  } catch (error) {
    if (error instanceof InviteError) return { code: error.code }
    throw error
  }
}

function good(invite: Invite): { readonly json: string; readonly hash: string } {
  const hash = createHash('sha256').update(inviteWithoutK(invite)).digest()
  return { json: formatInviteJson(invite), hash: formatHex(hash) }
}

const { personaId } = makePersona(1).positions[0]!
const RELAY = { url: 'https://relay.example/', ext: null }
const OTHER_RELAY = { url: 'https://relay.example.org:8443/box', ext: new Uint8Array(16).fill(7) }
const FOLDER = { url: 'folder:0123456789abcdef', ext: null }
const APP_URL = 'https://list.example.com/'

export const PLAIN_INVITE: Invite = {
  address: { pub: makeDeviceKey(70), where: [RELAY] },
  k: new Uint8Array(16).map((_, i) => 0xa0 + i),
  app: 'com.example.list',
  expiresAtSec: 1_800_604_800,
}
export const FULL_INVITE: Invite = {
  ...PLAIN_INVITE,
  address: { pub: makeDeviceKey(71), where: [OTHER_RELAY, FOLDER] },
  name: 'Ada Lovelace',
  persona: { personaId, epoch: 1 },
  for: makePersona(2).positions[0]!.personaId,
}

const LINE = formatInvite(PLAIN_INVITE)
const LINK = formatInviteLink(APP_URL, FULL_INVITE)
const VALUE = formatConnectoid(FULL_INVITE.address.pub, OTHER_RELAY)

function lineOf(json: string): string {
  return `persona-invite:${formatBase64url(encodeUtf8(json))}`
}

/** The plain invite with another text in place of a part of its JSON. */
function altered(part: string | RegExp, by: string): string {
  const json = formatInviteJson(PLAIN_INVITE)
  const changed = json.replace(part, by)
  if (changed === json) throw new Error(`the invite has no ${part}`)
  return lineOf(changed)
}

function rest(change: (json: string) => string): string {
  const at = LINK.indexOf('#i=') + 3
  const json = new TextDecoder().decode(parseBase64url(LINK.slice(at)))
  return LINK.slice(0, at) + formatBase64url(encodeUtf8(change(json)))
}

const four = '{"url":"folder:0123456789abcdef"},'.repeat(4)
const longLabel = `${'a'.repeat(63)}.`

type Case = readonly [name: string, comment: string, text: string, expect: InviteVector['expect'] | InviteErrorCode]

const CASES: readonly Case[] = [
  ['good-line', 'A line with what every invite has.', LINE, { ...good(PLAIN_INVITE), appUrl: null }],
  [
    'good-line-full',
    'Every member, and two places.',
    formatInvite(FULL_INVITE),
    { ...good(FULL_INVITE), appUrl: null },
  ],
  [
    'good-line-broken',
    'A mail program broke the line.',
    ` ${LINE.slice(0, 70)}\r\n ${LINE.slice(70)}\n`,
    { ...good(PLAIN_INVITE), appUrl: null },
  ],
  [
    'good-link',
    'A link of an app, with all but its first place in the fragment.',
    LINK,
    { ...good(FULL_INVITE), appUrl: APP_URL },
  ],
  [
    'good-link-plain',
    'A link with one place, of an app that lies at a path.',
    formatInviteLink('https://example.com/list/', PLAIN_INVITE),
    { ...good(PLAIN_INVITE), appUrl: 'https://example.com/list/' },
  ],
  [
    'good-link-cut',
    'A messenger cut the fragment.',
    LINK.slice(0, LINK.indexOf('#')),
    { connectoid: VALUE, appUrl: APP_URL },
  ],
  [
    'good-p384',
    'A key of P-384, compressed.',
    formatInvite({
      ...PLAIN_INVITE,
      address: { pub: Uint8Array.of(2, ...new Uint8Array(48).fill(5)), where: [RELAY] },
    }),
    {
      ...good({ ...PLAIN_INVITE, address: { pub: Uint8Array.of(2, ...new Uint8Array(48).fill(5)), where: [RELAY] } }),
      appUrl: null,
    },
  ],
  [
    'good-unknown-carrier',
    'A place of a carrier that a later version may have.',
    altered('https://relay.example/', 'veilid:VLD0:abc'),
    {
      ...good({
        ...PLAIN_INVITE,
        address: { ...PLAIN_INVITE.address, where: [{ url: 'veilid:VLD0:abc', ext: null }] },
      }),
      appUrl: null,
    },
  ],
  ['unknown-empty', 'An empty text.', '', 'INVITE_UNKNOWN'],
  ['unknown-link', 'A link without a connectoid value.', APP_URL, 'INVITE_UNKNOWN'],
  ['unknown-http', 'A link of an app without encryption.', LINK.replace('https:', 'http:'), 'INVITE_UNKNOWN'],
  [
    'unknown-user',
    'A link with a user name before its host.',
    LINK.replace('https://', 'https://relay@'),
    'INVITE_UNKNOWN',
  ],
  ['unknown-contact-link', 'A contact link.', 'personad:aeaaaa', 'INVITE_UNKNOWN'],
  ['too-long', 'More characters than any invite has.', `persona-invite:${'A'.repeat(5986)}`, 'INVITE_TOO_LONG'],
  [
    'damaged-character',
    'A character that is not base64url.',
    `${LINE.slice(0, 50)}+${LINE.slice(51)}`,
    'INVITE_DAMAGED',
  ],
  ['damaged-cut', 'The last character is missing.', LINE.slice(0, -1), 'INVITE_DAMAGED'],
  [
    'damaged-utf8',
    'Bytes that are not UTF-8.',
    `persona-invite:${formatBase64url(Uint8Array.of(0xff))}`,
    'INVITE_DAMAGED',
  ],
  ['damaged-not-json', 'A text that is not JSON.', lineOf('invite'), 'INVITE_DAMAGED'],
  ['damaged-list', 'A list.', lineOf('[]'), 'INVITE_DAMAGED'],
  ['damaged-space', 'A space in the JSON.', altered('{', '{ '), 'INVITE_DAMAGED'],
  [
    'damaged-order',
    'The members in another order.',
    lineOf(JSON.stringify(Object.fromEntries(Object.entries(JSON.parse(formatInviteJson(PLAIN_INVITE))).toReversed()))),
    'INVITE_DAMAGED',
  ],
  ['damaged-doubled', 'A member twice.', altered('"v":1', '"v":1,"v":1'), 'INVITE_DAMAGED'],
  ['damaged-number', 'Another spelling of a number.', altered('"v":1', '"v":1.0'), 'INVITE_DAMAGED'],
  [
    'damaged-escape',
    'Another spelling of a character.',
    altered('com.example', String.raw`\u0063om.example`),
    'INVITE_DAMAGED',
  ],
  ['damaged-connectoid', 'The connectoid value has four parts.', LINK.replace('#', '.AA#'), 'INVITE_DAMAGED'],
  [
    'damaged-connectoid-one-part',
    'The connectoid value has one part.',
    `${APP_URL}?connectoid=${VALUE.split('.')[0]!}`,
    'INVITE_DAMAGED',
  ],
  ['damaged-fragment', 'A fragment of another form.', LINK.replace('#i=', '#k='), 'INVITE_DAMAGED'],
  ['damaged-fragment-cut', 'The end of the fragment is missing.', LINK.slice(0, -9), 'INVITE_DAMAGED'],
  ['version-2', 'A later version may have any members.', altered('"v":1', '"v":2'), 'INVITE_VERSION'],
  ['version-missing', 'No version.', altered(',"v":1', ''), 'INVITE_VERSION'],
  ['member-unknown', 'A member that version 1 does not have.', altered('{', '{"a":1,'), 'INVITE_MEMBER'],
  ['member-null', 'A member that is null.', altered('"pub"', '"name":null,"pub"'), 'INVITE_MEMBER'],
  ['member-app-missing', 'No app.', altered(/"app":"[^"]*",/, ''), 'INVITE_MEMBER'],
  [
    'member-app-upper-case',
    'A name of an app in upper case.',
    altered('com.example.list', 'com.example.List'),
    'INVITE_MEMBER',
  ],
  [
    'member-app-101',
    'A name of an app with 101 characters.',
    altered('com.example.list', `${longLabel}${'b'.repeat(37)}`),
    'INVITE_MEMBER',
  ],
  ['member-expires-text', 'A time that is a text.', altered(/"expires":(\d+)/, '"expires":"$1"'), 'INVITE_MEMBER'],
  ['member-expires-negative', 'A time before 1970.', altered(/"expires":\d+/, '"expires":-1'), 'INVITE_MEMBER'],
  ['member-name-invisible', 'A name with U+202E.', altered('"pub"', '"name":"A\u202E","pub"'), 'INVITE_MEMBER'],
  [
    'member-persona-lower-case',
    'A PersonaID in lower case.',
    altered('"pub"', `"persona":{"epoch":0,"id":"${formatHex(personaId).toLowerCase()}"},"pub"`),
    'INVITE_MEMBER',
  ],
  [
    'member-persona-epoch-17',
    'A chain does not have this many keys.',
    altered('"pub"', `"persona":{"epoch":17,"id":"${formatHex(personaId)}"},"pub"`),
    'INVITE_MEMBER',
  ],
  [
    'member-for-small-order',
    'A PersonaID of small order.',
    altered('"k"', `"for":"01${'0'.repeat(62)}","k"`),
    'INVITE_MEMBER',
  ],
  ['member-place-unknown', 'A place with an unknown member.', altered('{"url"', '{"a":1,"url"'), 'INVITE_MEMBER'],
  ['member-k-missing', 'No secret, in a form that always has it.', altered(/"k":"[^"]*",/, ''), 'INVITE_MEMBER'],
  [
    'member-fragment-pub',
    'The fragment names another key.',
    rest((json) => json.replace('"v":1', '"pub":"AA","v":1')),
    'INVITE_MEMBER',
  ],
  [
    'member-fragment-empty-list',
    'An empty list is a second spelling of none.',
    rest((json) => json.replace(/"where":\[.*\]/, '"where":[]')),
    'INVITE_MEMBER',
  ],
  [
    'key-31-bytes',
    'No kind of key has 31 bytes.',
    altered(/"pub":"[^"]*"/, `"pub":"${formatBase64url(new Uint8Array(31))}"`),
    'INVITE_KEY',
  ],
  [
    'key-k-15-bytes',
    'A secret of 15 bytes.',
    altered(/"k":"[^"]*"/, `"k":"${formatBase64url(new Uint8Array(15))}"`),
    'INVITE_KEY',
  ],
  ['where-none', 'No place.', altered(/"where":\[.*\]/, '"where":[]'), 'INVITE_WHERE'],
  ['where-five', 'Five places.', altered('"where":[', `"where":[${four}`), 'INVITE_WHERE'],
  ['where-user', 'An address with a user.', altered('https://relay', 'https://user@relay'), 'INVITE_WHERE'],
  ['where-query', 'An address with a query.', altered('relay.example/', 'relay.example/?a'), 'INVITE_WHERE'],
  [
    'where-port-25',
    'An address with the port of a mail server.',
    altered('relay.example/', 'relay.example:25/'),
    'INVITE_WHERE',
  ],
  ['where-dots', 'A path that leads up.', altered('relay.example/', 'relay.example/../'), 'INVITE_WHERE'],
  [
    'where-256',
    'An address of 256 bytes.',
    altered('relay.example/', `relay.example/${'a'.repeat(234)}`),
    'INVITE_WHERE',
  ],
  ['where-folder-path', 'A folder by its path.', altered('https://relay.example/', 'folder:/tmp'), 'INVITE_WHERE'],
  [
    'where-ext-65',
    'An extension of 65 bytes.',
    altered('{"url"', `{"ext":"${formatBase64url(new Uint8Array(65))}","url"`),
    'INVITE_WHERE',
  ],
]

/** All vectors of invites. */
export function inviteVectors(): InviteVector[] {
  return CASES.map(([name, comment, text, end]) => ({
    kind: 'invite',
    name,
    section: 2,
    comment,
    text,
    expect: typeof end === 'string' ? { code: end } : end,
  }))
}
