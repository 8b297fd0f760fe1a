/** The section `net` of the configuration: how the daemon reaches the network (config/personad.yaml explains every key). */
import { isIP } from 'node:net'
import { z } from 'zod'
import type { ConfigKey, ConfigSection } from '../../process/config-file.ts'
import {
  MAX_BOOTSTRAP_NODES,
  MAX_HOST_CHARS,
  MAX_PRIVATE_HOSTS,
  type HostPort,
  type NetSettings,
} from '../../netnode/settings.ts'

export type NetConfig = NetSettings

/** personad-net gets all values when it starts, so a reload changes nothing in a running one. */
export const NET_SECTION: ConfigSection<NetConfig> = {
  name: 'net',
  keys: {
    bootstrap: atStart('bootstrap', bootstrapNodes().default([])),
    proxy: atStart('proxy', socksProxy().nullable().default(null)),
    private: atStart('private', privateHosts().default([])),
  },
}

function atStart<T>(key: string, value: z.ZodType<T>): ConfigKey<T> {
  return { key, value, reloadable: false }
}

/** Whether anything in the configuration needs the network: bootstrap nodes, and no proxy, which the DHT would go around. */
export function needsNetwork({ bootstrap, proxy }: NetConfig): boolean {
  return bootstrap.length > 0 && proxy === null
}

/** A numeric address, or a name as DNS has it. */
function isHost(text: string): boolean {
  if (isIP(text) !== 0) return !text.includes('%')
  const label = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?'
  // Something like 127.1 is a name to this expression, and an address to some programs.
  return (
    new RegExp(`^(?:${label}\\.)*${label}$`, 'i').test(text) &&
    text.length <= MAX_HOST_CHARS &&
    !/(?:^|\.)\d+$/.test(text)
  )
}

function parseHostPort(text: string): HostPort | null {
  const at = text.lastIndexOf(':')
  const [host, port] = [text.slice(0, at).replace(/^\[(.*)\]$/, '$1'), Number(text.slice(at + 1))]
  const isPort = /^[1-9]\d{0,4}$/.test(text.slice(at + 1)) && port < 65_536
  return at > 0 && isHost(host) && isPort ? { host, port } : null
}

function bootstrapNodes(): z.ZodType<HostPort[]> {
  const error = `a list of at most ${MAX_BOOTSTRAP_NODES} texts such as "192.0.2.1:6881" or "node.example:6881", for IPv4`
  const node = z.string({ error }).transform((text, context): HostPort => {
    const parsed = parseHostPort(text)
    // The DHT is asked over IPv4 only.
    if (parsed !== null && isIP(parsed.host) !== 6) return parsed
    context.addIssue({ code: 'custom', message: error })
    return z.NEVER
  })
  return z.array(node, { error }).max(MAX_BOOTSTRAP_NODES, { error })
}

function socksProxy(): z.ZodType<HostPort> {
  const error = '"socks5://", a host, ":" and a port, such as socks5://127.0.0.1:9050'
  return z.string({ error }).transform((text, context): HostPort => {
    const parsed = text.startsWith('socks5://') ? parseHostPort(text.slice('socks5://'.length)) : null
    if (parsed !== null) return parsed
    context.addIssue({ code: 'custom', message: error })
    return z.NEVER
  })
}

function privateHosts(): z.ZodType<string[]> {
  const error = `a list of at most ${MAX_PRIVATE_HOSTS} names or numeric addresses, without a port, such as [127.0.0.1, relay.home]`
  return z.array(z.string({ error }).refine(isHost, { error }), { error }).max(MAX_PRIVATE_HOSTS, { error })
}
