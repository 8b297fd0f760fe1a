/** The findings of doctor about the network: personad-net, personad-rtc, and settings that exclude each other. */
import { formatHostPort } from '../../core/encoding/host-port.ts'
import { notice, ok, problem, type Finding } from '../../ipc/shapes/doctor.ts'
import type { NetStatus } from '../../ipc/shapes/net.ts'
import type { RtcError } from '../../rtcnode/errors.ts'
import { hostsWithoutPort, type NetConfig } from './config.ts'

/**
 * The direct way of channels.
 * @param why why personad-rtc ended last; null if it did not
 * @param isInstalled whether node-datachannel is there
 */
export function rtcFindings(
  config: Pick<NetConfig, 'direct' | 'proxy'>,
  why: RtcError | null,
  isInstalled: boolean,
): Finding[] {
  if (!config.direct) return []
  if (config.proxy !== null) {
    const hint = 'take net.proxy out of the configuration to use it, or net.direct to end this notice'
    return [notice('DIRECT_PROXY', 'the direct way is off, because it cannot go through the proxy', hint)]
  }
  if (!isInstalled)
    return [
      problem(
        'DIRECT_LIBRARY',
        'net.direct is set, and node-datachannel is not installed: channels go by their other carriers',
        'install personad again with its optional packages',
      ),
    ]
  if (why === null) return [ok('DIRECT', 'channels may use the direct way')]
  const { code, message } = why
  if (code === 'RTC_UNIT_MISSING') return [problem('DIRECT_UNIT_MISSING', message, 'install its unit')]
  const hint = 'the next channel that needs it starts it again'
  return [problem('DIRECT_ENDED', `personad-rtc does not run: ${message} (${code})`, hint)]
}

/** Bootstrap nodes beside a proxy are of no use. */
export function proxyFindings({ bootstrap, proxy }: NetConfig): Finding[] {
  if (bootstrap.length === 0 || proxy === null) return []
  const hint = 'take net.proxy out of the configuration to use the DHT, or net.bootstrap to end this notice'
  return [notice('NET_PROXY', 'the DHT is off, because it cannot go through the proxy', hint)]
}

/** Strangers choose the addresses of relays, so they choose among all ports of such a host. */
export function privateFindings(config: NetConfig): Finding[] {
  const hosts = hostsWithoutPort(config)
  if (hosts.length === 0) return []
  const message = `net.private names ${hosts.join(', ')} without a port: whoever makes an invite can have calls go to any port above 1023 there`
  return [
    notice(
      'NET_PRIVATE',
      message,
      `add the port of the relay to each, such as "${formatHostPort({ host: hosts[0]!, port: 8787 })}"`,
    ),
  ]
}

/** @param status of personad-net */
export function netFindings({ state, how, problem: why }: NetStatus): Finding[] {
  if (why === null) return state === 'running' ? [ok('NET', 'personad-net runs')] : []
  if (why.code === 'NET_UNIT_MISSING') return [problem('NET_UNIT_MISSING', why.message, 'install its unit')]
  const hint =
    how === 'unit'
      ? 'its log has more: journalctl --user -u personad-net; the daemon keeps trying'
      : 'the daemon keeps trying to start it'
  return [problem('NET_ENDED', `personad-net does not run: ${why.message} (${why.code})`, hint)]
}
