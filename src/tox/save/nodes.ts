/**
 * Tox network nodes that a profile remembers: the sections DHT, TCP_RELAY and PATH_NODE (c-toxcore DHT.c,
 * Messenger.c).
 */
import { SectionReader } from './reader.ts'

const DHT_COOKIE = 0x0159000d // toxcore: DHT_STATE_COOKIE_GLOBAL
const DHT_NODES_TYPE = 4 // toxcore: DHT_STATE_TYPE_NODES
const DHT_NODES_COOKIE = 0x11ce // toxcore: DHT_STATE_COOKIE_TYPE
const KEY_BYTES = 32
export const MAX_NODES = 4096 // sanity: toxcore saves at most 2080; a section of 64 MiB would become millions of objects

export interface ToxNode {
  readonly transport: 'udp' | 'tcp'
  /** IPv4 in dotted form, IPv6 in its shortest form */
  readonly ip: string
  readonly port: number
  /** 32 bytes: the node's DHT key, not a user's key */
  readonly publicKey: Uint8Array
}

interface Family {
  readonly transport: 'udp' | 'tcp'
  readonly ipBytes: 4 | 16
}

/** toxcore: TOX_AF_INET, TOX_AF_INET6, TOX_TCP_INET, TOX_TCP_INET6 */
const FAMILIES: ReadonlyMap<number, Family> = new Map([
  [2, { transport: 'udp', ipBytes: 4 }],
  [10, { transport: 'udp', ipBytes: 16 }],
  [130, { transport: 'tcp', ipBytes: 4 }],
  [138, { transport: 'tcp', ipBytes: 16 }],
])

/**
 * Decodes a TCP_RELAY or PATH_NODE section.
 * @throws {ToxError} TOX_BAD_NODES
 */
export function decodeNodes(bytes: Uint8Array): ToxNode[] {
  const reader = new SectionReader(bytes, 'TOX_BAD_NODES')
  const nodes: ToxNode[] = []
  while (reader.left > 0) {
    if (nodes.length === MAX_NODES) throw reader.refuse(`more than ${MAX_NODES} nodes`)
    nodes.push(readNode(reader))
  }
  return nodes
}

/**
 * Decodes a DHT section, which has its own head and parts.
 * @throws {ToxError} TOX_BAD_NODES
 */
export function decodeDht(bytes: Uint8Array): ToxNode[] {
  const reader = new SectionReader(bytes, 'TOX_BAD_NODES')
  if (reader.u32le() !== DHT_COOKIE) throw reader.refuse('the DHT section does not start with its cookie')
  const nodes: ToxNode[] = []
  while (reader.left > 0) {
    const length = reader.u32le()
    const type = reader.u16le()
    if (reader.u16le() !== DHT_NODES_COOKIE || type !== DHT_NODES_TYPE)
      throw reader.refuse(`a part of type ${type} is not a list of nodes`)
    for (const node of decodeNodes(reader.bytes(length))) {
      if (nodes.length === MAX_NODES) throw reader.refuse(`more than ${MAX_NODES} nodes`)
      nodes.push(node)
    }
  }
  return nodes
}

function readNode(reader: SectionReader): ToxNode {
  const type = reader.u8()
  const family = FAMILIES.get(type)
  if (family === undefined) throw reader.refuse(`a node has the unknown address family ${type}`)
  const ip = family.ipBytes === 4 ? [...reader.bytes(4)].join('.') : formatIpv6(reader.bytes(16))
  return { transport: family.transport, ip, port: reader.u16be(), publicKey: reader.bytes(KEY_BYTES) }
}

function formatIpv6(bytes: Uint8Array): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const groups = Array.from({ length: 8 }, (_, i) => view.getUint16(2 * i).toString(16))
  // URL is the platform's only way to write the shortest form (RFC 5952).
  return new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1)
}
