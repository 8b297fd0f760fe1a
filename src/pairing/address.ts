/**
 * Where a device listens for the device it pairs with: `192.168.1.7:40123`, `[fd00::7]:40123` or
 * `laptop.local:40123`.
 */

export interface Address {
  readonly host: string
  readonly port: number
}

// A name, an IPv4 address, or an IPv6 address with its zone. No other part of a URI or shell command can get in.
// Whether it exists is for the system to find out.
const ADDRESS =
  /^(?:\[([0-9A-Fa-f:.]{2,45}(?:%[\w.-]{1,32})?)\]|([A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?)):(\d{1,5})$/

/** @returns null for anything that is not a host and a port from 1 to 65535 */
export function parseAddress(text: string): Address | null {
  const [, six, name, digits] = ADDRESS.exec(text) ?? []
  const port = Number(digits)
  const host = six ?? name
  return host === undefined || port < 1 || port > 65_535 ? null : { host, port }
}
