/** What of the configuration concerns the companion, the daemon's own Tox node (config/personad.yaml explains every key). */
import { isIP } from 'node:net'
import { z } from 'zod'
import { encodeUtf8 } from '../../core/encoding/bytes.ts'
import { MAX_BOOTSTRAP_NODES, type BootstrapNode } from '../../toxnode/protocol.ts'
import { MAX_TOX_NAME_BYTES } from '../../tox/save/savefile.ts'
import { parseBootstrapNode } from './bootstrap-nodes.ts'
import { absolutePath, oneOf, section, wholeNumber } from '../../process/config-values.ts'

export interface ToxConfig {
  readonly toxEnabled: boolean
  /** Whose devices the companion befriends by itself: those of all contacts, or of contacts that the user has named. */
  readonly toxFriends: 'all' | 'named'
  /** What friends see as its name. */
  readonly toxName: string
  /** What it shows before the token. */
  readonly toxWords: string
  readonly toxBootstrap: readonly BootstrapNode[]
  readonly toxBootstrapFile: string | null
  /** SOCKS5 */
  readonly toxProxy: { readonly host: string; readonly port: number } | null
  readonly toxUdp: boolean
  readonly toxPort: number | null
  readonly toxLoopback: boolean
}

const MAX_WORDS_CHARS = 256 // sanity: code points; what does not fit beside the token is left out

/** The keys by their YAML path, in the order of config/personad.yaml. */
export const TOX_KEYS = [
  'tox.enabled',
  'tox.friends',
  'tox.name',
  'tox.words',
  'tox.bootstrap',
  'tox.bootstrap_file',
  'tox.proxy',
  'tox.udp',
  'tox.port',
  'tox.loopback',
] as const
export type ToxKey = (typeof TOX_KEYS)[number]

/** The node is started with them all, so none takes effect in a running one. */
export const toxReload: Readonly<Record<ToxKey, { readonly field: keyof ToxConfig; readonly reloadable: boolean }>> = {
  'tox.enabled': { field: 'toxEnabled', reloadable: false },
  'tox.friends': { field: 'toxFriends', reloadable: false },
  'tox.name': { field: 'toxName', reloadable: false },
  'tox.words': { field: 'toxWords', reloadable: false },
  'tox.bootstrap': { field: 'toxBootstrap', reloadable: false },
  'tox.bootstrap_file': { field: 'toxBootstrapFile', reloadable: false },
  'tox.proxy': { field: 'toxProxy', reloadable: false },
  'tox.udp': { field: 'toxUdp', reloadable: false },
  'tox.port': { field: 'toxPort', reloadable: false },
  'tox.loopback': { field: 'toxLoopback', reloadable: false },
}

interface ToxSection {
  enabled: boolean
  friends: 'all' | 'named'
  name: string
  words: string
  bootstrap: BootstrapNode[]
  bootstrap_file: string | null
  proxy: { host: string; port: number } | null
  udp: boolean
  port: number | null
  loopback: boolean
}

export function toxSection(): z.ZodType<ToxSection> {
  const flag = { error: 'true or false' }
  const loopback = 'false where there is a proxy, no UDP, or a bootstrap node that is not 127.x.x.x'
  return section({
    enabled: z.boolean(flag).default(false),
    friends: oneOf(['all', 'named']).default('all'),
    name: textUpTo(MAX_TOX_NAME_BYTES, 'bytes', (text) => encodeUtf8(text).length).default(''),
    words: textUpTo(MAX_WORDS_CHARS, 'characters', (text) => Array.from(text).length).default(''),
    bootstrap: bootstrapNodes().default([]),
    bootstrap_file: absolutePath().nullable().default(null),
    proxy: socksProxy().nullable().default(null),
    udp: z.boolean(flag).default(true),
    port: wholeNumber(1, 65_535).nullable().default(null),
    loopback: z.boolean(flag).default(false),
  }).refine((tox) => !tox.loopback || isLocal(tox), { error: loopback, path: ['loopback'] })
}

export function toxFields(tox: ToxSection): ToxConfig {
  return {
    toxEnabled: tox.enabled,
    toxFriends: tox.friends,
    toxName: tox.name,
    toxWords: tox.words,
    toxBootstrap: tox.bootstrap,
    toxBootstrapFile: tox.bootstrap_file,
    toxProxy: tox.proxy,
    toxUdp: tox.udp,
    toxPort: tox.port,
    toxLoopback: tox.loopback,
  }
}

/** What stays on this machine; a file of nodes is looked at when the node starts. */
function isLocal({ proxy, udp, bootstrap }: ToxSection): boolean {
  return proxy === null && udp && bootstrap.every(({ host }) => host.startsWith('127.'))
}

function textUpTo(most: number, unit: string, count: (text: string) => number): z.ZodString {
  const error = `a text of at most ${most} ${unit}, without NUL and lone surrogates`
  const isShown = (text: string): boolean => text.isWellFormed() && !text.includes('\0')
  return z.string({ error }).refine((text) => isShown(text) && count(text) <= most, { error })
}

function bootstrapNodes(): z.ZodType<BootstrapNode[]> {
  const error = `a list of at most ${MAX_BOOTSTRAP_NODES} texts such as "192.0.2.1:33445 KEY", with an address in figures and a key of 64 hex digits`
  const node = z.string({ error }).transform((line, context): BootstrapNode => {
    const parsed = parseBootstrapNode(line)
    if (parsed !== null) return parsed
    context.addIssue({ code: 'custom', message: error })
    return z.NEVER
  })
  return z.array(node, { error }).max(MAX_BOOTSTRAP_NODES, { error })
}

function socksProxy(): z.ZodType<{ host: string; port: number }> {
  const error = 'an address in figures, ":" and a port, such as 127.0.0.1:9050'
  return z.string({ error }).transform((text, context) => {
    const at = text.lastIndexOf(':')
    const [host, port] = [text.slice(0, at).replace(/^\[(.*)\]$/, '$1'), Number(text.slice(at + 1))]
    if (at > 0 && isIP(host) !== 0 && Number.isInteger(port) && port > 0 && port < 65_536) return { host, port }
    context.addIssue({ code: 'custom', message: error })
    return z.NEVER
  })
}
