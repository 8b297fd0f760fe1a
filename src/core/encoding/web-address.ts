/**
 * Addresses of relays that come from others, as texts (docs/card.md, section 2; docs/relay.md, section 2). web-target.ts decides which of them
 * are called.
 */

export const MAX_ADDRESS_BYTES = 255 // format: as a name of the DNS, and more than any relay needs
const HTTPS_PORT = 443
const MIN_OTHER_PORT = 1024 // format: below it are services that must not get requests of strangers
const MAX_PORT = 65_535

const HOST = String.raw`[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\]`
const ADDRESS = new RegExp(String.raw`^https?://(?:${HOST})(?::([1-9]\d{2,4}))?/(?:[A-Za-z0-9_~-][A-Za-z0-9._~-]*/?)*$`)

/**
 * Whether the text is an address of the web in the one form that cards and invites have: no user, no query, no fragment, no `..`, at most
 * 255 bytes; the port is above 1023 or left out.
 */
export function isWebAddress(text: string): boolean {
  if (text.length > MAX_ADDRESS_BYTES) return false
  const found = ADDRESS.exec(text)
  if (found === null) return false
  const port = found[1]
  return port === undefined || (Number(port) >= MIN_OTHER_PORT && Number(port) <= MAX_PORT)
}

/** People leave the slash at the end out. */
export function withSlash(address: string): string {
  return address.endsWith('/') ? address : `${address}/`
}

const LABEL = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?'
// The last label begins with a letter: whatever reads `127.1`, `0x7f.1` or `1.2.3.0x4` as a numeric address finds none here.
const DNS_NAME = new RegExp(String.raw`^(?:${LABEL}\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])$`)
const MAX_NAME_CHARS = 253 // format: RFC 1035, a name without its last dot

/** A name of the public DNS, in lower case: at least two labels, and never a numeric address. */
export function isPublicName(host: string): boolean {
  return host.length <= MAX_NAME_CHARS && DNS_NAME.test(host)
}

/** Whether addresses that come from others may name this port. */
export function isPublicPort(port: number): boolean {
  return port === HTTPS_PORT || port >= MIN_OTHER_PORT
}
