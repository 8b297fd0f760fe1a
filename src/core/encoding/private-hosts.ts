/** The exceptions of `net.private`: hosts that the owner lets calls reach although they are not of the public network. */
import { formatHostPort } from './host-port.ts'
import { isPublicPort } from './web-address.ts'

const HTTP_PORT = 80

export class PrivateHosts {
  readonly #entries: ReadonlySet<string>

  /** @param entries in lower case: hosts, IPv6 in its short form and without brackets; or hosts with a port, as formatHostPort has them */
  constructor(entries: readonly string[]) {
    this.#entries = new Set(entries)
  }

  /** Whether the owner named this port of this host. An entry without a port names 80, 443 and all above 1023. */
  has(host: string, port: number): boolean {
    if (this.#entries.has(formatHostPort({ host, port }))) return true
    return this.#entries.has(host) && (port === HTTP_PORT || isPublicPort(port))
  }
}
