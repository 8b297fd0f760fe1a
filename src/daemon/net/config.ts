/** The section `net` of the configuration: how the daemon reaches the network (config/personad.yaml explains every key). */
import { isIP } from 'node:net'
import * as z from '../../schema/zod.ts'
import { formatHostPort } from '../../core/encoding/host-port.ts'
import { isWebAddress, MAX_ADDRESS_BYTES, withSlash } from '../../core/encoding/web-address.ts'
import type { ConfigKey, ConfigSection } from '../../process/config-file.ts'
import { ICE_URL, MAX_ICE_SERVERS } from '../../rtcnode/settings.ts'
import { absolutePath, wholeNumber } from '../../process/config-values.ts'
import {
  MAX_BOOTSTRAP_NODES,
  MAX_HOST_CHARS,
  MAX_PRIVATE_HOSTS,
  type HostPort,
  type NetSettings,
} from '../../netnode/settings.ts'

export interface NetConfig extends Omit<NetSettings, 'ca'> {
  /** Whether channels may use the direct way. */
  readonly direct: boolean
  /** STUN and TURN servers for it. */
  readonly ice: readonly string[]
  /** The address of this machine by which it goes; null for all. */
  readonly directAddress: string | null
  /** A file with certificates that are trusted beside those of Node; null for none. */
  readonly caFile: string | null
  /** Addresses of relays where the owner receives. */
  readonly relays: readonly string[]
  /** Directories that the owner and peers share, for channels. `~/` is not expanded. */
  readonly folders: readonly string[]
  /** The unix socket of veilid-server; null for none of the configuration. `~/` is not expanded. */
  readonly veilidSocket: string | null
  /** Its host and port; null for none of the configuration. */
  readonly veilid: HostPort | null
  /** Between two checks of a box, where a relay has no streams. */
  readonly checkSec: number
}

export const MAX_OWN_RELAYS = 16 // sanity: an invite names four at most
export const MAX_FOLDERS = 16 // sanity: each is watched
const MIN_CHECK_SEC = 10 // sanity: a relay grants an address ten requests a second, and a daemon may have 256 boxes
const MAX_CHECK_SEC = 3600 // format: a message lives for an hour
const CHECK_SEC = 60 // format: the text's once a minute

/** personad-net gets all values when it starts, so a reload changes nothing in a running one. */
export const NET_SECTION: ConfigSection<NetConfig> = {
  name: 'net',
  keys: {
    bootstrap: atStart('bootstrap', bootstrapNodes().default([])),
    proxy: atStart('proxy', socksProxy().nullable().default(null)),
    private: atStart('private', privateHosts().default([])),
    caFile: atStart('ca_file', absolutePath().nullable().default(null)),
    relays: atStart('relays', relayAddresses().default([])),
    folders: atStart('folders', sharedFolders().default([])),
    veilidSocket: atStart('veilid_socket', absolutePath().nullable().default(null)),
    veilid: atStart('veilid', veilidServer().nullable().default(null)),
    direct: atStart('direct', z.boolean({ error: 'true or false' }).default(false)),
    ice: atStart('ice', iceServers().default([])),
    directAddress: atStart('direct_address', ownAddress().nullable().default(null)),
    checkSec: atStart('check', wholeNumber(MIN_CHECK_SEC, MAX_CHECK_SEC).default(CHECK_SEC)),
  },
}

function atStart<T>(key: string, value: z.ZodType<T>): ConfigKey<T> {
  return { key, value, reloadable: false }
}

/**
 * Whether the daemon needs the network from its start on: for the DHT, with bootstrap nodes and no proxy, which the DHT would go around. Relays
 * need it at the first call only.
 */
export function needsNetwork({ bootstrap, proxy }: Pick<NetConfig, 'bootstrap' | 'proxy'>): boolean {
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
  const node = hostPort(error, (text) => {
    const parsed = parseHostPort(text)
    // The DHT is asked over IPv4 only.
    return parsed !== null && isIP(parsed.host) !== 6 ? parsed : null
  })
  return z.array(node, { error }).max(MAX_BOOTSTRAP_NODES, { error })
}

function socksProxy(): z.ZodType<HostPort> {
  const error = '"socks5://", a host, ":" and a port, such as socks5://127.0.0.1:9050'
  return hostPort(error, (text) =>
    text.startsWith('socks5://') ? parseHostPort(text.slice('socks5://'.length)) : null,
  )
}

function veilidServer(): z.ZodType<HostPort> {
  return hostPort('a host, ":" and a port, such as "localhost:5959"', parseHostPort)
}

function hostPort(error: string, parse: (text: string) => HostPort | null): z.ZodType<HostPort> {
  return z.string({ error }).transform((text, context): HostPort => {
    const parsed = parse(text)
    if (parsed !== null) return parsed
    context.addIssue({ code: 'custom', message: error })
    return z.NEVER
  })
}

function privateHosts(): z.ZodType<string[]> {
  const error = `a list of at most ${MAX_PRIVATE_HOSTS} hosts with their ports, such as ["127.0.0.1:8787", "[fd00::1]:8787", "relay.home:443"]`
  const entry = z.string({ error }).transform((text, context) => {
    if (isHost(text)) return normalHost(text)
    const parsed = parseHostPort(text)
    if (parsed !== null) return formatHostPort({ host: normalHost(parsed.host), port: parsed.port })
    context.addIssue({ code: 'custom', message: error })
    return z.NEVER
  })
  return z.array(entry, { error }).max(MAX_PRIVATE_HOSTS, { error })
}

/** The host as a URL has it, without brackets. */
function normalHost(host: string): string {
  return isIP(host) === 6 ? new URL(`http://[${host}]/`).hostname.slice(1, -1) : host.toLowerCase()
}

/** Entries of net.private that name no port. */
export function hostsWithoutPort(config: Pick<NetConfig, 'private'>): string[] {
  return config.private.filter(isHost)
}

function relayAddresses(): z.ZodType<string[]> {
  const error = `a list of at most ${MAX_OWN_RELAYS} addresses such as https://relay.example/, of at most ${MAX_ADDRESS_BYTES} bytes`
  const address = z.string({ error }).transform((text, context) => {
    const whole = withSlash(text)
    if (isWebAddress(whole)) return whole
    context.addIssue({ code: 'custom', message: error })
    return z.NEVER
  })
  return z.array(address, { error }).max(MAX_OWN_RELAYS, { error })
}

function iceServers(): z.ZodType<string[]> {
  const error = `a list of at most ${MAX_ICE_SERVERS} texts such as "stun:stun.example:3478" or "turn:user:password@turn.example:3478"`
  return z.array(z.string({ error }).regex(ICE_URL, { error }), { error }).max(MAX_ICE_SERVERS, { error })
}

function ownAddress(): z.ZodType<string> {
  const error = 'a numeric address of this machine, such as 192.0.2.7'
  return z.string({ error }).refine((text) => isIP(text) !== 0 && !text.includes('%'), { error })
}

function sharedFolders(): z.ZodType<string[]> {
  const error = `a list of at most ${MAX_FOLDERS} paths that begin with / or ~/`
  return z.array(absolutePath(), { error }).max(MAX_FOLDERS, { error })
}
