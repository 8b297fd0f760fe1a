/** Bootstrap nodes, with which a companion finds the Tox network: lines such as "192.0.2.1:33445 KEY", in the configuration or in a file. */
import { CompanionError } from './errors.ts'
import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { isIP } from 'node:net'
import { MAX_BOOTSTRAP_NODES, type BootstrapNode } from '../../toxnode/protocol.ts'

const MAX_FILE_BYTES = 65_536 // sanity: several hundred nodes
const LINE = /^(?:\[([0-9A-Fa-f:.]+)\]|([0-9.]+)):([0-9]{1,5})\s+([0-9A-Fa-f]{64})$/

/** Parses one node; null for any other text. The address is numeric, since looking up a name would bypass the proxy. */
export function parseBootstrapNode(line: string): BootstrapNode | null {
  const [, six, four, digits, key] = LINE.exec(line) ?? []
  const [host, port] = [six ?? four ?? '', Number(digits)]
  if (key === undefined || isIP(host) === 0 || port < 1 || port > 65_535) return null
  return { host, port, key: key.toUpperCase() }
}

/**
 * Reads the nodes of a file, one per line. Empty lines and comments (#) are skipped.
 * @throws {CompanionError} TOX_BOOTSTRAP_FILE
 */
export async function readBootstrapFile(path: string): Promise<BootstrapNode[]> {
  let text: string
  try {
    // Without O_NONBLOCK a FIFO would block the start forever.
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
    try {
      const buffer = Buffer.alloc(MAX_FILE_BYTES)
      const { bytesRead } = await file.read(buffer, 0, MAX_FILE_BYTES, 0)
      text = buffer.toString('utf8', 0, bytesRead)
    } finally {
      await file.close()
    }
  } catch (cause) {
    throw refusal(
      `${path} cannot be read: ${cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown'}`,
    )
  }
  const nodes: BootstrapNode[] = []
  for (const [i, line] of text.split('\n').entries()) {
    const entry = line.replace(/#.*/, '').trim()
    if (entry === '' || nodes.length === MAX_BOOTSTRAP_NODES) continue
    const node = parseBootstrapNode(entry)
    if (node === null) throw refusal(`line ${i + 1} of ${path} is not a bootstrap node`)
    nodes.push(node)
  }
  return nodes
}

function refusal(message: string): CompanionError {
  return new CompanionError(
    'TOX_BOOTSTRAP_FILE',
    message,
    'each line needs a numeric address, ":", a port, a space, and a key of 64 hex digits',
  )
}
