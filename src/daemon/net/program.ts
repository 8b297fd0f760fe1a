/** The two ways to personad-net: a child of the daemon, or the unit whose socket the service manager names. */
import { spawn } from 'node:child_process'
import { processLink, socketLink, type Link } from '../../process/link.ts'
import { NetError } from '../../netnode/errors.ts'
import { netFlags, NET_MAIN } from '../../netnode/start.ts'

/** A process with two pipes, no environment and no other descriptors. */
export function startChild(): Link {
  return processLink(spawn(process.execPath, [...netFlags(), NET_MAIN], { stdio: ['pipe', 'pipe', 'ignore'], env: {} }))
}

/**
 * Connects to the unit. The service manager starts it.
 * @throws {NetError} NET_UNIT_MISSING, or the error of the system
 */
export async function connectUnit(path: string): Promise<Link> {
  try {
    return await socketLink(path)
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : null
    if (code !== 'ENOENT' && code !== 'ECONNREFUSED') throw cause
    const message = `the daemon runs as a service, and nothing listens at ${path}: the unit of personad-net is not installed, or it is stopped`
    throw new NetError('NET_UNIT_MISSING', message, { cause })
  }
}
