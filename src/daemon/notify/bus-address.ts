/** The address of the session bus (D-Bus Specification, section "Server Addresses"). */
import { existsSync } from 'node:fs'
import { join } from 'node:path'

type Env = Readonly<Record<string, string | undefined>>

/**
 * Finds the sockets of the session bus that Node can connect to, the preferred one first. An abstract socket begins with a NUL.
 * The list is empty without a bus, and with `DBUS_SESSION_BUS_ADDRESS=disabled:`. The session may begin after the daemon, so ask each time.
 */
export function busSockets(env: Env): string[] {
  const address = env['DBUS_SESSION_BUS_ADDRESS']
  if (address !== undefined) return address.split(';').flatMap(socketOf)
  // The service manager makes it there, and sets the variable only in what it starts itself.
  const ofManager = join(env['XDG_RUNTIME_DIR'] ?? '/nonexistent', 'bus')
  return existsSync(ofManager) ? [ofManager] : []
}

/** One address, such as `unix:path=/run/user/1000/bus,guid=...`. Other transports, such as tcp, are left out. */
function socketOf(address: string): string[] {
  const [, list] = /^unix:(.*)$/.exec(address) ?? []
  if (list === undefined) return []
  const pairs = new Map(list.split(',').map((pair) => [pair.split('=', 1)[0]!, pair.slice(pair.indexOf('=') + 1)]))
  const [path, name] = [unescape(pairs.get('path')), unescape(pairs.get('abstract'))]
  if (path !== null) return [path]
  return name === null ? [] : [`\0${name}`]
}

/** A byte outside of a small set is written as % and two hex digits. */
function unescape(value: string | undefined): string | null {
  if (value === undefined || value === '') return null
  try {
    return decodeURIComponent(value)
  } catch {
    return null
  }
}
