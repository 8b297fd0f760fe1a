/**
 * The addresses that personad-net may send to: the globally routable ones, and those that the owner names in
 * `net.private` (docs/threat-model.md). Addresses come from strangers, who must not reach the owner's own network by us.
 */
import { BlockList, isIPv4, isIPv6 } from 'node:net'
import type { PrivateHosts } from '../core/encoding/private-hosts.ts'
import type { HostPort } from './settings.ts'

/** IANA's special-purpose registry for IPv4, RFC 6890: everything that is not globally reachable. */
const SPECIAL_IPV4: readonly (readonly [network: string, bits: number])[] = [
  ['0.0.0.0', 8], // this network
  ['10.0.0.0', 8], // private
  ['100.64.0.0', 10], // behind the NAT of a provider (CGNAT)
  ['127.0.0.0', 8], // loopback
  ['169.254.0.0', 16], // link-local, where clouds serve their secrets
  ['172.16.0.0', 12], // private
  ['192.0.0.0', 24], // protocol assignments
  ['192.0.2.0', 24], // documentation
  ['192.88.99.0', 24], // relays of 6to4, deprecated
  ['192.168.0.0', 16], // private
  ['198.18.0.0', 15], // benchmarks
  ['198.51.100.0', 24], // documentation
  ['203.0.113.0', 24], // documentation
  ['224.0.0.0', 4], // multicast
  ['240.0.0.0', 4], // reserved, and broadcast
]

/**
 * IPv6 has one range of global unicast addresses. Outside of it lie loopback, unique local (fc00::/7), link-local
 * (fe80::/10), multicast, mapped (::ffff:0:0/96) and NAT64 addresses (64:ff9b::/96, 64:ff9b:1::/48).
 */
const GLOBAL_IPV6 = ['2000::', 3] as const

/** The parts of the global range that are not globally reachable, or that carry an IPv4 address. */
const SPECIAL_IPV6: readonly (readonly [network: string, bits: number])[] = [
  ['2001::', 23], // protocol assignments, Teredo among them
  ['2001:db8::', 32], // documentation
  ['2002::', 16], // 6to4: carries an IPv4 address
  ['3fff::', 20], // documentation
]

const refusedIpv4 = new BlockList()
for (const [network, bits] of SPECIAL_IPV4) refusedIpv4.addSubnet(network, bits, 'ipv4')
const globalIpv6 = new BlockList()
globalIpv6.addSubnet(...GLOBAL_IPV6, 'ipv6')
const refusedIpv6 = new BlockList()
for (const [network, bits] of SPECIAL_IPV6) refusedIpv6.addSubnet(network, bits, 'ipv6')

/**
 * Whether the text is a numeric address that is globally routable. Names, other spellings of an address (`127.1`,
 * `0x7f000001`) and addresses with a zone are not.
 */
export function isRoutable(address: string): boolean {
  if (isIPv4(address)) return !refusedIpv4.check(address, 'ipv4')
  if (!isIPv6(address) || address.includes('%')) return false
  return globalIpv6.check(address, 'ipv6') && !refusedIpv6.check(address, 'ipv6')
}

/**
 * Whether personad-net may send there.
 * @param to host: a numeric address
 * @param exceptions those of `net.private`
 * @param name the host that gave the address, if it came by a name
 */
export function maySendTo({ host, port }: HostPort, exceptions: PrivateHosts, name: string = host): boolean {
  return isRoutable(host) || exceptions.has(host, port) || exceptions.has(name, port)
}
