/**
 * Where a URL leads, and whether it is called (docs/relay.md, section 2). Whether the name of a host leads into the network of the owner shows when
 * it is resolved (netnode/address.ts).
 */
import type { PrivateHosts } from './private-hosts.ts'
import { isPublicName, isPublicPort } from './web-address.ts'

/** The parts of a `URL` that decide whether it is called. */
interface UrlParts {
  /** `https:` or another, with the colon. */
  readonly protocol: string
  /** In lower case, IPv6 in brackets. */
  readonly hostname: string
  /** Empty for the port of the protocol. */
  readonly port: string
}

/** Where a call goes. */
export interface WebTarget {
  /** In lower case, IPv6 without brackets. */
  readonly host: string
  readonly port: number
}

export function targetOf({ protocol, hostname, port }: UrlParts): WebTarget {
  const host = hostname.replace(/^\[(.*)\]$/, '$1')
  return { host, port: port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port) }
}

/**
 * Why a URL is not called; null if it may be.
 * @param exceptions what the owner named: http and numeric addresses are allowed there
 */
export function refusalOfUrl(url: UrlParts, exceptions: PrivateHosts): string | null {
  const { host, port } = targetOf(url)
  const isPrivate = exceptions.has(host, port)
  if (url.protocol !== 'https:' && !(isPrivate && url.protocol === 'http:')) return 'it is not https'
  if (isPrivate) return null
  if (!isPublicName(host)) return 'its host is not a name of the public network'
  if (!isPublicPort(port)) return 'its port is neither 443 nor above 1023'
  return null
}
