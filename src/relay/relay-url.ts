/** The address of a relay (docs/relay.md, "Addresses"). */
import { PrivateHosts } from '../core/encoding/private-hosts.ts'
import { MAX_ADDRESS_BYTES, withSlash } from '../core/encoding/web-address.ts'
import { refusalOfUrl } from '../core/encoding/web-target.ts'
import { RelayError } from './errors.ts'

export interface RelayAddress {
  /** Where requests go, with a slash at its end. */
  readonly url: string
  /** Scheme, host and port, as a question of this relay names them. */
  readonly origin: string
}

/**
 * Reads the address of a relay: https with a DNS name, port 443 or above 1023, without user, query or fragment, at most 255 bytes.
 * @param privateHosts entries of PrivateHosts: http and IP addresses are allowed there
 * @throws {RelayError} RELAY_URL
 */
export function parseRelayUrl(text: string, privateHosts: readonly string[] = []): RelayAddress {
  const url = parse(text)
  if (text.length > MAX_ADDRESS_BYTES || url === null) throw refusal('it is no URL, or a long one')
  if (text.includes('?') || text.includes('#')) throw refusal('it has a query or a fragment')
  if (url.username !== '' || url.password !== '') throw refusal('it has a user')
  const reason = refusalOfUrl(url, new PrivateHosts(privateHosts))
  if (reason !== null) throw refusal(reason)
  return { url: withSlash(url.href), origin: url.origin }
}

function parse(text: string): URL | null {
  try {
    return new URL(text)
  } catch {
    return null
  }
}

function refusal(reason: string): RelayError {
  return new RelayError('RELAY_URL', `this is not the address of a relay: ${reason}`, {
    hint: 'an address looks like https://relay.example/',
  })
}
