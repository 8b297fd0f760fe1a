/** Invites as texts that people send each other: one line, or a Connectoid link of an app (docs/channel.md, section 2). */
import { decodeUtf8, encodeUtf8, formatBase64url, parseBase64url } from '../../core/encoding/bytes.ts'
import { formatCanonicalJson, parseCanonicalObject, type JsonObject } from '../../core/encoding/canonical-json.ts'
import { formatConnectoid, parseConnectoid, type Address } from './address.ts'
import { InviteError } from './errors.ts'
import { formatInviteJson, inviteMembers, inviteWithoutK, parseInviteJson, readInvite, type Invite } from './invite.ts'

export const INVITE_SCHEME = 'persona-invite:' // format: start of the line
export const CHAT_KEY_SCHEME = 'persona-chat:' // format: start of an invite without its secret
export const MAX_INVITE_CHARS = 6000 // sanity: four places of the greatest length, each with an extension, fit

const QUERY = '?connectoid='
const FRAGMENT = '#i='
const WHITE_SPACE = /[\t\n\v\f\r ]+/g
// A page of this computer, under development, may do without https. A reader never calls this address.
const APP_URL =
  /^(?:https:\/\/[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|http:\/\/(?:localhost|127\.0\.0\.1))(?::[1-9]\d{0,4})?\/(?:[A-Za-z0-9_~-][A-Za-z0-9._~-]*\/?)*$/

/** The result of reading a text. A messenger may have cut the fragment: then only the address is left, and nothing shows that the text was given. */
export type ReadInvite =
  | { readonly kind: 'invite'; readonly invite: Invite; readonly appUrl: string | null }
  | { readonly kind: 'bare'; readonly address: Address; readonly connectoid: string; readonly appUrl: string }

/** Writes an invite as one line. @throws {InviteError} those of formatInviteJson, and INVITE_TOO_LONG */
export function formatInvite(invite: Invite): string {
  return checkLength(INVITE_SCHEME + formatBase64url(encodeUtf8(formatInviteJson(invite))))
}

/**
 * Writes an invite as a link of an app. The value of `connectoid` is that of Connectoid 0.1; all else is in the fragment, which no browser
 * sends to a server.
 * @param appUrl where the app is: `https://`, a host, perhaps a port, and a path that begins with `/`
 * @throws {InviteError} those of formatInviteJson, INVITE_UNKNOWN for another form of the URL, INVITE_TOO_LONG
 */
export function formatInviteLink(appUrl: string, invite: Invite): string {
  if (!APP_URL.test(appUrl))
    throw new InviteError('INVITE_UNKNOWN', 'the address of the app is not https with a host and a path')
  formatInviteJson(invite)
  const { pub, where } = invite.address
  return checkLength(
    appUrl + QUERY + formatConnectoid(pub, where[0]!) + FRAGMENT + formatBase64url(encodeUtf8(formatRest(invite))),
  )
}

/** The members that are not in the connectoid value: all but `pub` and the first place. */
function formatRest(invite: Invite): string {
  const { pub: _, where, ...others } = inviteMembers(invite)
  const [, ...more] = where as readonly JsonObject[]
  return formatCanonicalJson({ ...others, ...(more.length === 0 ? {} : { where: more }) })
}

/**
 * Reads an invite in either form. White space anywhere is ignored, since mail programs break lines. Reading does nothing else: programs that
 * look at links open them too.
 * @throws {InviteError} every code
 */
export function parseInvite(text: string): ReadInvite {
  const line = text.replaceAll(WHITE_SPACE, '')
  if (line.startsWith(INVITE_SCHEME)) {
    checkLength(line)
    return { kind: 'invite', invite: parseInviteJson(decode(line.slice(INVITE_SCHEME.length))), appUrl: null }
  }
  const queryAt = line.indexOf(QUERY)
  const appUrl = line.slice(0, Math.max(0, queryAt))
  if (!APP_URL.test(appUrl))
    throw new InviteError(
      'INVITE_UNKNOWN',
      `this is not an invite; an invite begins with "${INVITE_SCHEME}", or is a link of an app`,
    )
  checkLength(line)
  const hashAt = line.indexOf('#')
  const connectoid = line.slice(queryAt + QUERY.length, hashAt < 0 ? undefined : hashAt)
  const { pub, intake } = parseConnectoid(connectoid)
  if (hashAt < 0) return { kind: 'bare', address: { pub, where: [intake] }, connectoid, appUrl }
  if (!line.startsWith(FRAGMENT, hashAt)) throw damaged()
  const rest = parseCanonicalObject(decode(line.slice(hashAt + FRAGMENT.length)))
  if (rest === null) throw damaged()
  return { kind: 'invite', invite: joined(connectoid, rest), appUrl }
}

/**
 * Writes an invite between two people who know each other's keys: it is a line without k, which both make themselves.
 * @throws {InviteError} those of formatInviteJson, and INVITE_TOO_LONG
 */
export function formatChatKey(invite: Invite): string {
  formatInviteJson(invite)
  return checkLength(CHAT_KEY_SCHEME + formatBase64url(encodeUtf8(inviteWithoutK(invite))))
}

/** Reads such a line. White space anywhere is ignored. @param k the secret of the pair @throws {InviteError} every code */
export function parseChatKey(text: string, k: Uint8Array): ReadInvite {
  const line = text.replaceAll(WHITE_SPACE, '')
  if (!line.startsWith(CHAT_KEY_SCHEME))
    throw new InviteError('INVITE_UNKNOWN', `this is not a chat key; a chat key begins with "${CHAT_KEY_SCHEME}"`, {
      details: { kind: 'chat key' },
    })
  const json = decodedText(checkLength(line).slice(CHAT_KEY_SCHEME.length))
  const members = json === null ? null : parseCanonicalObject(json)
  if (members === null || 'k' in members) throw damaged('chat key')
  return { kind: 'invite', invite: readInvite({ ...members, k: formatBase64url(k) }), appUrl: null }
}

function joined(connectoid: string, rest: JsonObject): Invite {
  const { pub, intake } = parseConnectoid(connectoid)
  const { where, ...others } = rest
  const first: JsonObject =
    intake.ext === null ? { url: intake.url } : { url: intake.url, ext: formatBase64url(intake.ext) }
  // A list that is empty would be a second spelling of none.
  if ('pub' in rest || (where !== undefined && !(Array.isArray(where) && where.length > 0)))
    throw new InviteError('INVITE_MEMBER', 'the fragment of the invite has a member that does not belong there')
  const more = (where ?? []) as readonly JsonObject[]
  return readInvite({ ...others, pub: formatBase64url(pub), where: [first, ...more] })
}

function decode(base64url: string): string {
  const text = decodedText(base64url)
  if (text === null) throw damaged()
  return text
}

function decodedText(base64url: string): string | null {
  const bytes = parseBase64url(base64url)
  return bytes === null ? null : decodeUtf8(bytes)
}

function damaged(kind: 'invite' | 'chat key' = 'invite'): InviteError {
  return new InviteError('INVITE_DAMAGED', `the ${kind} is damaged: a character is wrong or missing; copy it again`, {
    details: { kind },
  })
}

function checkLength(text: string): string {
  if (text.length > MAX_INVITE_CHARS)
    throw new InviteError(
      'INVITE_TOO_LONG',
      `the invite has ${text.length} characters, and may have ${MAX_INVITE_CHARS}`,
    )
  return text
}
