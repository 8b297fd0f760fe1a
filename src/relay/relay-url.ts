/** The address of a relay (docs/relay.md, "Addresses"). */
import { RelayError } from './errors.ts'

export interface RelayAddress {
  /** Where requests go, with a slash at its end. */
  readonly url: string
  /** Scheme, host and port, as a question of this relay names them. */
  readonly origin: string
}

const MAX_URL_BYTES = 255 // format: an address travels in links and QR codes
const FIRST_FREE_PORT = 1024 // sanity: below it, services of a network that speak no HTTP would get our requests

/** Names that end in a label with a letter: no IP address is one. */
const DNS_NAME = /^([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)+(?=[a-z0-9-]*[a-z])[a-z0-9-]{2,63}$/

/**
 * Reads the address of a relay: https with a DNS name, port 443 or above 1023, without user, query or fragment.
 * @param privateHosts hosts that the owner named: http, IP addresses and any port are allowed there
 * @throws {RelayError} RELAY_URL
 */
export function parseRelayUrl(text: string, privateHosts: readonly string[] = []): RelayAddress {
  const url = parse(text)
  if (text.length > MAX_URL_BYTES || url === null) throw refusal('it is no URL, or a long one')
  if (text.includes('?') || text.includes('#')) throw refusal('it has a query or a fragment')
  if (url.username !== '' || url.password !== '') throw refusal('it has a user')
  const isPrivate = privateHosts.includes(url.hostname)
  if (url.protocol !== 'https:' && !(isPrivate && url.protocol === 'http:')) throw refusal('it is not https')
  if (!isPrivate && !DNS_NAME.test(url.hostname)) throw refusal('its host is not a name of the public network')
  const port = url.port === '' ? null : Number(url.port)
  if (!isPrivate && port !== null && port < FIRST_FREE_PORT) throw refusal('its port is neither 443 nor above 1023')
  return { url: url.href.endsWith('/') ? url.href : `${url.href}/`, origin: url.origin }
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
