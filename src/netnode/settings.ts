/** The settings of personad-net, from the section `net` of the configuration. */

/** A host and a port. */
export interface HostPort {
  /** A name or a numeric address. */
  readonly host: string
  readonly port: number
}

export interface NetSettings {
  /** Nodes of the DHT to begin with. */
  readonly bootstrap: readonly HostPort[]
  /** SOCKS5, for everything except the DHT. With a proxy there is no DHT, because UDP would go around it. */
  readonly proxy: HostPort | null
  /** Entries of PrivateHosts: what personad-net may reach although it is not globally routable. */
  readonly private: readonly string[]
  /** Certificates that are trusted beside those of Node, as PEM; null for none. */
  readonly ca: string | null
}

export const MAX_BOOTSTRAP_NODES = 64 // sanity: a few nodes that answer are enough
export const MAX_PRIVATE_HOSTS = 64 // sanity: the relays of one household, and some to spare
export const MAX_HOST_CHARS = 253 // format: RFC 1035, a name without its last dot
export const MAX_PRIVATE_CHARS: number = MAX_HOST_CHARS + ':65535'.length // format: a host and a port
export const MAX_CA_CHARS = 16_384 // sanity: some eight certificates; they travel in the head of a frame
