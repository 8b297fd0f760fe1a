/** The section `tox` of the configuration: the companion (config/personad.yaml explains every key). */
import { isIP } from 'node:net'
import * as z from '../../schema/zod.ts'
import { encodeUtf8 } from '../../core/encoding/bytes.ts'
import { MAX_BOOTSTRAP_NODES, type BootstrapNode } from '../../toxnode/protocol.ts'
import { MAX_TOX_NAME_BYTES } from '../../tox/save/savefile.ts'
import { parseBootstrapNode } from './bootstrap-nodes.ts'
import type { ConfigKey, ConfigSection } from '../../process/config-file.ts'
import { absolutePath, oneOf, wholeNumber } from '../../process/config-values.ts'

export interface ToxConfig {
  readonly enabled: boolean
  /** The contacts whose devices the companion befriends by itself: all, or those that the user has named. */
  readonly friends: 'all' | 'named'
  /** The name of the companion that friends see. */
  readonly name: string
  /** The status message, before the token. */
  readonly words: string
  readonly bootstrap: readonly BootstrapNode[]
  readonly bootstrapFile: string | null
  /** SOCKS5 */
  readonly proxy: { readonly host: string; readonly port: number } | null
  readonly udp: boolean
  readonly port: number | null
  readonly loopback: boolean
}

const MAX_WORDS_CHARS = 256 // sanity: code points; words that do not fit beside the token are left out

const FLAG = { error: 'true or false' }

/** The node gets all values when it starts, so a reload changes nothing in a running node. */
export const TOX_SECTION: ConfigSection<ToxConfig> = {
  name: 'tox',
  keys: {
    enabled: atStart('enabled', z.boolean(FLAG).default(false)),
    friends: atStart('friends', oneOf(['all', 'named']).default('all')),
    name: atStart('name', textUpTo(MAX_TOX_NAME_BYTES, 'bytes', (text) => encodeUtf8(text).length).default('')),
    words: atStart('words', textUpTo(MAX_WORDS_CHARS, 'characters', (text) => Array.from(text).length).default('')),
    bootstrap: atStart('bootstrap', bootstrapNodes().default([])),
    bootstrapFile: atStart('bootstrap_file', absolutePath().nullable().default(null)),
    proxy: atStart('proxy', socksProxy().nullable().default(null)),
    udp: atStart('udp', z.boolean(FLAG).default(true)),
    port: atStart('port', wholeNumber(1, 65_535).nullable().default(null)),
    loopback: atStart('loopback', z.boolean(FLAG).default(false)),
  },
  check: {
    key: 'loopback',
    error: 'false with a proxy, without UDP, or with a bootstrap node that is not 127.x.x.x',
    holds: (tox) => !tox.loopback || isLocal(tox),
  },
}

function atStart<T>(key: string, value: z.ZodType<T>): ConfigKey<T> {
  return { key, value, reloadable: false }
}

/** Whether the node stays on this machine. A file of nodes is read when the node starts. */
function isLocal({ proxy, udp, bootstrap }: ToxConfig): boolean {
  return proxy === null && udp && bootstrap.every(({ host }) => host.startsWith('127.'))
}

function textUpTo(most: number, unit: string, count: (text: string) => number): z.ZodString {
  const error = `a text of at most ${most} ${unit}, without NUL and lone surrogates`
  const isShown = (text: string): boolean => text.isWellFormed() && !text.includes('\0')
  return z.string({ error }).refine((text) => isShown(text) && count(text) <= most, { error })
}

function bootstrapNodes(): z.ZodType<BootstrapNode[]> {
  const error = `a list of at most ${MAX_BOOTSTRAP_NODES} texts such as "192.0.2.1:33445 KEY", with a numeric address and a key of 64 hex digits`
  const node = z.string({ error }).transform((line, context): BootstrapNode => {
    const parsed = parseBootstrapNode(line)
    if (parsed !== null) return parsed
    context.addIssue({ code: 'custom', message: error })
    return z.NEVER
  })
  return z.array(node, { error }).max(MAX_BOOTSTRAP_NODES, { error })
}

function socksProxy(): z.ZodType<{ host: string; port: number }> {
  const error = 'a numeric address, ":" and a port, such as 127.0.0.1:9050'
  return z.string({ error }).transform((text, context) => {
    const at = text.lastIndexOf(':')
    const [host, port] = [text.slice(0, at).replace(/^\[(.*)\]$/, '$1'), Number(text.slice(at + 1))]
    if (at > 0 && isIP(host) !== 0 && Number.isInteger(port) && port > 0 && port < 65_536) return { host, port }
    context.addIssue({ code: 'custom', message: error })
    return z.NEVER
  })
}
