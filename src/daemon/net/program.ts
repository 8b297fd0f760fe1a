/** The two ways to a program without keys: a child of the daemon, or the unit whose socket the service manager names. */
import { spawn } from 'node:child_process'
import { processLink, socketLink, type Link } from '../../process/link.ts'
import { NetError } from '../../netnode/errors.ts'
import { netFlags, NET_MAIN } from '../../netnode/start.ts'
import { RtcError } from '../../rtcnode/errors.ts'
import { rtcFlags, RTC_MAIN } from '../../rtcnode/start.ts'

export function startNet(): Link {
  return startChild(netFlags(), NET_MAIN)
}

export function startRtc(): Link {
  return startChild(rtcFlags(), RTC_MAIN)
}

/** A process with two pipes, no environment and no other descriptors. */
function startChild(flags: readonly string[], main: string): Link {
  return processLink(spawn(process.execPath, [...flags, main], { stdio: ['pipe', 'pipe', 'ignore'], env: {} }))
}

/** @throws {NetError} NET_UNIT_MISSING, or the error of the system */
export async function connectNet(path: string): Promise<Link> {
  return await connectUnit(
    path,
    'personad-net',
    (message, cause) => new NetError('NET_UNIT_MISSING', message, { cause }),
  )
}

/** @throws {RtcError} RTC_UNIT_MISSING, or the error of the system */
export async function connectRtc(path: string): Promise<Link> {
  return await connectUnit(
    path,
    'personad-rtc',
    (message, cause) => new RtcError('RTC_UNIT_MISSING', message, { cause }),
  )
}

/** Connects to the unit. The service manager starts it. */
async function connectUnit(
  path: string,
  name: string,
  missing: (message: string, cause: unknown) => Error,
): Promise<Link> {
  try {
    return await socketLink(path)
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : null
    if (code !== 'ENOENT' && code !== 'ECONNREFUSED') throw cause
    const where = `the daemon runs as a service, and nothing listens at ${path}`
    throw missing(`${where}: the unit of ${name} is not installed, or it is stopped`, cause)
  }
}
