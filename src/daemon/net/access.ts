/** Opens the network of the daemon if the configuration needs it, and says how it is. Without need it loads nothing. */
import type { Engine } from '../../core/engine.ts'
import { notice, ok, problem, type Finding } from '../../ipc/shapes/doctor.ts'
import type { NetStatus } from '../../ipc/shapes/net.ts'
import type { Log } from '../../process/log.ts'
import { needsNetwork, type NetConfig } from './config.ts'
import type { Net } from './net.ts'

export interface AccessOptions {
  readonly config: NetConfig
  readonly log: Log
  readonly verify: Engine['verify']
  /** PERSONAD_NET_SOCKET names the socket of personad-net's unit. The daemon's own unit sets it. */
  readonly env: Readonly<Record<string, string | undefined>>
}

/** The network, as wings and the daemon see it. */
export interface NetAccess {
  /** null if nothing in the configuration needs the network. */
  readonly net: Net | null
  status(): NetStatus | null
  findings(): Finding[]
  close(): Promise<void>
}

export async function openAccess({ config, log, verify, env }: AccessOptions): Promise<NetAccess> {
  if (!needsNetwork(config))
    return { net: null, status: () => null, findings: () => proxyFindings(config), close: () => Promise.resolve() }
  const [{ Net }, { connectUnit, startChild }] = await Promise.all([import('./net.ts'), import('./program.ts')])
  const path = env['PERSONAD_NET_SOCKET']
  const net =
    path === undefined || path === ''
      ? new Net({ config, log, verify, how: 'child', open: startChild })
      : new Net({ config, log, verify, how: 'unit', open: () => connectUnit(path) })
  return { net, status: () => net.status(), findings: () => findingsOf(net.status()), close: () => net.stop() }
}

/** Bootstrap nodes beside a proxy are of no use. */
function proxyFindings({ bootstrap }: NetConfig): Finding[] {
  if (bootstrap.length === 0) return []
  const hint = 'take net.proxy out of the configuration to use the DHT, or net.bootstrap to end this notice'
  return [notice('NET_PROXY', 'the DHT is off, because it cannot go through the proxy', hint)]
}

function findingsOf({ state, how, problem: why }: NetStatus): Finding[] {
  if (why === null) return state === 'running' ? [ok('NET', 'personad-net runs')] : []
  if (why.code === 'NET_UNIT_MISSING') return [problem('NET_UNIT_MISSING', why.message, 'install its unit')]
  const hint =
    how === 'unit'
      ? 'its log has more: journalctl --user -u personad-net; the daemon keeps trying'
      : 'the daemon keeps trying to start it'
  return [problem('NET_ENDED', `personad-net does not run: ${why.message} (${why.code})`, hint)]
}
