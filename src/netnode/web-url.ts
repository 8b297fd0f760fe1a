/** The URLs that personad-net calls: those of addresses that are called at all (core/encoding/web-target.ts), in their one spelling. */
import type { PrivateHosts } from '../core/encoding/private-hosts.ts'
import { refusalOfUrl, targetOf, type WebTarget } from '../core/encoding/web-target.ts'
import { NetError } from './errors.ts'

/** A call's URL, and where it leads. */
export interface CallTarget extends WebTarget {
  readonly url: URL
}

/** Pairs of a name and a value without escapes, as the calls of inboxes have them. */
const QUERY = /^\?[\w.~-]+=[\w.~-]*(?:&[\w.~-]+=[\w.~-]*)*$/

/**
 * @param text as `URL` would spell it, without user and fragment. Addresses of others have no query either; calls below them may have one
 * @param exceptions those of `net.private`
 * @throws {NetError} NET_ADDRESS
 */
export function checkUrl(text: string, exceptions: PrivateHosts): CallTarget {
  const url = URL.parse(text)
  // `URL` drops line breaks and guesses what is missing: whatever it would mend is refused.
  if (url === null || url.href !== text) throw refusal('it is no URL in its usual spelling')
  if (url.username !== '' || url.password !== '') throw refusal('it has a user')
  if (text.includes('#')) throw refusal('it has a fragment')
  const queryAt = text.indexOf('?')
  if (queryAt >= 0 && !QUERY.test(text.slice(queryAt))) throw refusal('its query has another form')
  const reason = refusalOfUrl(url, exceptions)
  if (reason !== null) throw refusal(reason)
  return { url, ...targetOf(url) }
}

function refusal(reason: string): NetError {
  return new NetError('NET_ADDRESS', `this address is not called: ${reason}`)
}
