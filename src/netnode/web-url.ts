/** The URLs that personad-net calls: those of addresses that are called at all (core/encoding/web-address.ts), in their one spelling. */
import { refusalOfAddress } from '../core/encoding/web-address.ts'
import { NetError } from './errors.ts'

/** Where a call goes. */
export interface WebTarget {
  readonly url: URL
  /** In lower case, IPv6 without brackets. */
  readonly host: string
  readonly port: number
}

/**
 * @param text as `URL` would spell it, without user, query and fragment
 * @param exceptions the hosts of `net.private`
 * @throws {NetError} NET_ADDRESS
 */
export function checkUrl(text: string, exceptions: ReadonlySet<string>): WebTarget {
  const url = URL.parse(text)
  // `URL` drops line breaks and guesses what is missing: whatever it would mend is refused.
  if (url === null || url.href !== text) throw refusal('it is no URL in its usual spelling')
  if (url.username !== '' || url.password !== '') throw refusal('it has a user')
  if (/[?#]/.test(text)) throw refusal('it has a query or a fragment')
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
  const port = url.port === '' ? null : Number(url.port)
  const reason = refusalOfAddress({ protocol: url.protocol, host, port }, exceptions.has(host))
  if (reason !== null) throw refusal(reason)
  return { url, host, port: port ?? (url.protocol === 'https:' ? 443 : 80) }
}

function refusal(reason: string): NetError {
  return new NetError('NET_ADDRESS', `this address is not called: ${reason}`)
}
