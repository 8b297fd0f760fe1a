/** The configuration of persona-relay (config/persona-relay.yaml explains every key). */
import { isIP } from 'node:net'
import * as z from '../../schema/zod.ts'
import { keysOf, parseSections, readConfigText, type ConfigSection } from '../../process/config-file.ts'
import { absolutePath, oneOf } from '../../process/config-values.ts'
import type { LogLevel } from '../../process/log.ts'
import { isNetwork } from '../http/callers.ts'
import { DATABASE_URL, databaseUrlProblem } from './database-url.ts'
import { LIMITS_SECTION, type LimitsConfig } from './limits-config.ts'

export interface ListenAddress {
  /** A numeric address. */
  readonly host: string
  /** 0 for any free port. */
  readonly port: number
}

interface Loose {
  /** The relay's own URL, as clients write it; null for the address it listens on. */
  readonly url: string | null
  readonly listen: ListenAddress
  readonly trustProxy: readonly string[]
  /** URL of a PostgreSQL database that keeps all; null for the data directory. */
  readonly store: string | null
  /** Where /metrics is: a path of a socket, an address; null for the socket in the data directory. */
  readonly metrics: string | ListenAddress | null
  readonly senders: 'everybody' | 'token'
  /** PersonaIDs whose cards are kept by right. */
  readonly personas: readonly string[]
  readonly maxDiskBytes: number
}

export interface RelayConfig extends Loose {
  readonly log: { readonly level: LogLevel }
  readonly tls: { readonly cert: string | null; readonly key: string | null }
  readonly operator: { readonly name: string; readonly contact: string }
  readonly terms: { readonly text: string; readonly price: string; readonly url: string | null }
  readonly limits: LimitsConfig
}

const MAX_TEXT_CHARS = 2000 // sanity: a page of terms; longer ones have a URL
const MAX_URL_CHARS = 255 // format: clients take no longer address of a relay
const MAX_PROXIES = 64 // sanity: the networks of a large provider of proxies are some twenty
const MAX_PERSONAS = 10_000 // sanity: each put looks through all of them, in 0.1 ms
const MIN_DISK_BYTES = 1 << 20 // sanity: one full box
const MAX_DISK_BYTES = 2 ** 50 // sanity: 1 PiB
const UNITS: Readonly<Record<string, number>> = { KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40 }

function text(maxChars: number): z.ZodString {
  const error = `a text of at most ${maxChars} characters`
  return z.string({ error }).max(maxChars, { error })
}

/** A value that a text stands for. */
function parsed<T>(error: string, parse: (value: string) => T | null): z.ZodType<T> {
  return z.string({ error }).transform((value, context): T => {
    const made = parse(value)
    if (made !== null) return made
    context.addIssue({ code: 'custom', message: error })
    return z.NEVER
  })
}

function parseAddress(value: string): ListenAddress | null {
  const [, bracketed, plain, digits] = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(value) ?? []
  const host = bracketed ?? plain ?? ''
  const port = Number(digits)
  return isIP(host) === (bracketed === undefined ? 4 : 6) && port < 65_536 ? { host, port } : null
}

/** @returns the URL without a slash at its end; null if clients could not use it */
export function parseRelayUrl(value: string): string | null {
  if (value.length > MAX_URL_CHARS || !URL.canParse(value)) return null
  const { protocol, username, password, search, hash, hostname, href } = new URL(value)
  const isPlain = username + password + search + hash === '' && hostname !== '' && !/[?#]/.test(value)
  return /^https?:$/.test(protocol) && isPlain ? href.replace(/\/+$/, '') : null
}

function parseBytes(value: string): number | null {
  const [, digits, unit] = /^(\d{1,9}) ?(KiB|MiB|GiB|TiB)$/.exec(value) ?? []
  const bytes = Number(digits) * (UNITS[unit ?? ''] ?? Number.NaN)
  return bytes >= MIN_DISK_BYTES && bytes <= MAX_DISK_BYTES ? bytes : null
}

const ADDRESS = 'an address and a port, such as 127.0.0.1:8787 or [::1]:8787'

const LOOSE: ConfigSection<Loose> = {
  name: '',
  keys: {
    url: {
      key: 'url',
      value: parsed('a URL such as https://relay.example, without a query', parseRelayUrl).nullable().default(null),
      reloadable: false,
    },
    listen: {
      key: 'listen',
      value: parsed(ADDRESS, parseAddress).default({ host: '127.0.0.1', port: 8787 }),
      reloadable: false,
    },
    trustProxy: { key: 'trust_proxy', value: networks().default([]), reloadable: false },
    store: {
      key: 'store',
      value: databaseUrl().nullable().default(null),
      reloadable: false,
    },
    metrics: {
      key: 'metrics',
      value: z
        .union([absolutePath(), parsed(ADDRESS, parseAddress)], { error: `a path that begins with /, or ${ADDRESS}` })
        .nullable()
        .default(null),
      reloadable: false,
    },
    senders: { key: 'senders', value: oneOf(['everybody', 'token']).default('everybody'), reloadable: false },
    personas: { key: 'personas', value: personaIds().default([]), reloadable: true },
    maxDiskBytes: {
      key: 'disk_max',
      value: parsed('a size from 1 MiB to 1024 TiB, such as 512 MiB or 2 GiB', parseBytes).default(2 ** 30),
      reloadable: false,
    },
  },
}

function databaseUrl(): z.ZodType<string> {
  return z.string({ error: DATABASE_URL }).superRefine((value, context) => {
    const problem = databaseUrlProblem(value)
    if (problem !== null) context.addIssue({ code: 'custom', message: `${DATABASE_URL}; in this one ${problem}` })
  })
}

function networks(): z.ZodType<string[]> {
  const error = `a list of at most ${MAX_PROXIES} addresses or networks, such as [127.0.0.1, 10.0.0.0/8]`
  return z.array(z.string({ error }).refine(isNetwork, { error }), { error }).max(MAX_PROXIES, { error })
}

function personaIds(): z.ZodType<string[]> {
  const error = `a list of at most ${MAX_PERSONAS} PersonaIDs, each 64 digits of upper-case hex`
  const id = z.string({ error }).regex(/^[0-9A-F]{64}$/, { error })
  return z.array(id, { error }).max(MAX_PERSONAS, { error })
}

const TLS: ConfigSection<RelayConfig['tls']> = {
  name: 'tls',
  keys: {
    cert: { key: 'cert', value: absolutePath().nullable().default(null), reloadable: false },
    key: { key: 'key', value: absolutePath().nullable().default(null), reloadable: false },
  },
  check: {
    key: 'key',
    error: 'set together with "tls.cert"',
    holds: ({ cert, key }) => (cert === null) === (key === null),
  },
}

const OPERATOR: ConfigSection<RelayConfig['operator']> = {
  name: 'operator',
  keys: {
    name: { key: 'name', value: text(MAX_TEXT_CHARS).default(''), reloadable: true },
    contact: { key: 'contact', value: text(MAX_TEXT_CHARS).default(''), reloadable: true },
  },
}

const TERMS: ConfigSection<RelayConfig['terms']> = {
  name: 'terms',
  keys: {
    text: { key: 'text', value: text(MAX_TEXT_CHARS).default(''), reloadable: true },
    price: { key: 'price', value: text(MAX_TEXT_CHARS).default(''), reloadable: true },
    url: {
      key: 'url',
      value: parsed('a URL that begins with https://', parseTermsUrl).nullable().default(null),
      reloadable: true,
    },
  },
}

/** The page links to it, so it is no script. */
function parseTermsUrl(value: string): string | null {
  return URL.canParse(value) && /^https?:$/.test(new URL(value).protocol) ? value : null
}

const LOG: ConfigSection<RelayConfig['log']> = {
  name: 'log',
  keys: {
    level: { key: 'level', value: oneOf(['error', 'warn', 'info', 'debug']).default('info'), reloadable: true },
  },
}

/** The sections in the order of config/persona-relay.yaml. */
export const RELAY_SECTIONS: readonly ConfigSection<unknown>[] = [LOOSE, TLS, OPERATOR, TERMS, LIMITS_SECTION, LOG]

/**
 * Reads the configuration. Without a path the defaults apply.
 * @throws {ConfigError} any ConfigErrorCode
 */
export async function readRelayConfig(path: string | null): Promise<RelayConfig> {
  return path === null ? parseRelayConfig('', '') : parseRelayConfig(await readConfigText(path, true), path)
}

/** @param path for error texts @throws {ConfigError} CONFIG_SYNTAX | CONFIG_UNKNOWN_KEY | CONFIG_VALUE */
export function parseRelayConfig(source: string, path: string): RelayConfig {
  return parseSections(source, path, RELAY_SECTIONS) as unknown as RelayConfig
}

/** The keys whose new values wait for the next start. */
export function restartKeys(running: RelayConfig, read: RelayConfig): string[] {
  const valueOf = (config: RelayConfig, section: string, field: string): unknown => {
    const all = config as unknown as Record<string, unknown>
    return section === '' ? all[field] : (all[section] as Record<string, unknown>)[field]
  }
  return keysOf(RELAY_SECTIONS)
    .filter(({ reloadable }) => !reloadable)
    .filter(({ section, field }) => {
      const [before, now] = [running, read].map((config) => JSON.stringify(valueOf(config, section, field)))
      return before !== now
    })
    .map(({ path }) => path)
}
