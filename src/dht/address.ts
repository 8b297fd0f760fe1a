/** Addresses and ids of DHT nodes, as messages carry them (BEP 5, "Contact Encoding"). IPv4 only. */

export const NODE_ID_BYTES = 20 // format: BEP 5, SHA-1
const NODE_BYTES: number = NODE_ID_BYTES + 6 // format: BEP 5, "compact node info"

/** Where a node listens. */
export interface NodeAddress {
  /** IPv4 address, such as `192.0.2.1`. */
  readonly host: string
  /** 1..65535 */
  readonly port: number
}

/** A node as another node lists it. */
export interface ListedNode extends NodeAddress {
  /** 20 bytes */
  readonly id: Uint8Array
}

/** One text for each address. */
export function formatAddress({ host, port }: NodeAddress): string {
  return `${host}:${port}`
}

/**
 * Decodes a list of nodes. Nodes with port 0 are left out: no packet reaches them.
 * @returns null when the length is not a whole number of nodes
 */
export function parseNodes(bytes: Uint8Array): ListedNode[] | null {
  if (bytes.length % NODE_BYTES !== 0) return null
  const nodes: ListedNode[] = []
  for (let at = 0; at < bytes.length; at += NODE_BYTES) {
    const hostAt = at + NODE_ID_BYTES
    const port = bytes[hostAt + 4]! * 256 + bytes[hostAt + 5]!
    if (port === 0) continue
    const host = `${bytes[hostAt]}.${bytes[hostAt + 1]}.${bytes[hostAt + 2]}.${bytes[hostAt + 3]}`
    nodes.push({ id: bytes.slice(at, hostAt), host, port })
  }
  return nodes
}

/** Encodes a list of nodes. */
export function formatNodes(nodes: readonly ListedNode[]): Uint8Array {
  return Uint8Array.from(
    nodes.flatMap(({ id, host, port }) => [...id, ...host.split('.').map(Number), port >> 8, port & 0xff]),
  )
}

/** Compares two ids by their distance to the target: negative when `a` is closer (BEP 5, XOR metric). */
export function compareDistance(target: Uint8Array, a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < NODE_ID_BYTES; i++) {
    const difference = (a[i]! ^ target[i]!) - (b[i]! ^ target[i]!)
    if (difference !== 0) return difference
  }
  return 0
}
