/** Links of a page (docs/channel.md, section 2). */
import { formatInviteLink, parseInvite } from '../channel/invite/invite-text.ts'
import { InviteError } from '../channel/invite/errors.ts'
import { inviteWithoutK, type Invite } from '../channel/invite/invite.ts'
import { encodeUtf8, formatBase64url } from '../core/encoding/bytes.ts'
import { portableBoxes } from '../crypto/portable-boxes.ts'
import { browser } from './browser.ts'
import { ConnectoidError } from './errors.ts'

const LOCAL_HOSTS = ['localhost', '127.0.0.1']

/** Hosts whose relays may be called without https: those of this computer, by a page that comes from there. */
export function privateHosts(): readonly string[] {
  return LOCAL_HOSTS.includes(browser.location.hostname) ? LOCAL_HOSTS : []
}

/** @throws {ConnectoidError} BAD_PAGE */
export function formatLink(page: string, invite: Invite): string {
  try {
    return formatInviteLink(page, invite)
  } catch (cause) {
    if (!(cause instanceof InviteError)) throw cause
    throw new ConnectoidError('BAD_PAGE', `no link can lead to ${page}`, {
      hint: 'name a page of https with a host and a path',
      cause,
    })
  }
}

/**
 * Reads a link or line that somebody sent.
 * @throws {ConnectoidError} NOT_A_LINK | DAMAGED | CUT
 */
export function readLink(text: string): Invite {
  try {
    const read = parseInvite(text)
    if (read.kind === 'invite') return read.invite
  } catch (cause) {
    if (!(cause instanceof InviteError)) throw cause
    const isNone = cause.code === 'INVITE_UNKNOWN'
    throw new ConnectoidError(isNone ? 'NOT_A_LINK' : 'DAMAGED', isNone ? 'this is no link' : 'the link is damaged', {
      hint: 'copy the whole link again',
      cause,
    })
  }
  throw new ConnectoidError('CUT', 'the link is cut off after its first half', {
    hint: 'copy the whole link, or use its QR code: some messengers cut links',
  })
}

/** The hash I of an invite, base64url: one link makes one peer. */
export function linkOf(invite: Invite): string {
  return formatBase64url(portableBoxes.sha256(encodeUtf8(inviteWithoutK(invite))))
}
