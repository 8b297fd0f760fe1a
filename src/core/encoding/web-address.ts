/** Addresses of relays that come from others, as texts (docs/card.md, section 2). Which hosts may be called is decided by who calls them. */

export const MAX_ADDRESS_BYTES = 255 // format: as a name of the DNS, and more than any relay needs
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
