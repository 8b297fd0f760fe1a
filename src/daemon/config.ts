/** The daemon's YAML configuration: read strictly, every refusal with line and column (config/personad.yaml names every key). */
import { PersonadError } from '../errors/personad-error.ts'
import { constants } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import { isMap, isNode, LineCounter, parseDocument, visit, type Document } from 'yaml'
import { z } from 'zod'
import { decodeUtf8 } from '../core/encoding/bytes.ts'
import type { Policy } from '../core/trust.ts'
import { TOX_KEYS, toxFields, toxReload, toxSection, type ToxConfig, type ToxKey } from './companion/config.ts'
import { DEFAULT_AT_MOST_SEC, DEFAULT_IDLE_SEC, MAX_OPEN_SEC, MIN_OPEN_SEC } from './custody/auto-lock.ts'
import type { WatchedPlaces } from './profiles/places.ts'
import { absolutePath, oneOf, section, setOf, wholeNumber } from '../process/config-values.ts'
import type { LogLevel } from '../process/log.ts'

export type EngineChoice = 'auto' | 'sodium' | 'portable'

export type DefaultCapability = 'read' | 'observe' | 'publish'

export interface Config extends ToxConfig {
  readonly logLevel: LogLevel
  readonly engine: EngineChoice
  /** Connections at a time, counted for each of the two sockets. */
  readonly maxConnections: number
  /** What an app may do that was given nothing else. */
  readonly defaultCapabilities: readonly DefaultCapability[]
  /** Of contacts that are met from now on. */
  readonly defaultPolicy: Policy
  readonly watchProfiles: WatchedPlaces
  /** Whether the table is written back into own profiles that no longer show it. */
  readonly watchRepair: boolean
  /** Where the passphrase of encrypted profiles stands; null for none. */
  readonly watchPassphraseFile: string | null
  /** For how many seconds the signing key stays open without a use. */
  readonly custodyIdleSec: number
  /** For how many seconds it stays open at most. */
  readonly custodyAtMostSec: number
}

export type ConfigErrorCode =
  | 'CONFIG_UNREADABLE' // not there though named, not a regular file, or the system refuses to read it
  | 'CONFIG_UNSAFE' // somebody else may write to it
  | 'CONFIG_SYNTAX' // too large, not UTF-8, not YAML, or YAML that a configuration has no use for
  | 'CONFIG_UNKNOWN_KEY'
  | 'CONFIG_VALUE'

export class ConfigError extends PersonadError<ConfigErrorCode> {
  override readonly name = 'ConfigError'
  /** From 1; null when no place in the text is at fault. */
  readonly line: number | null
  /** From 1, in UTF-16 units as editors count; null with `line`. */
  readonly column: number | null

  constructor(code: ConfigErrorCode, message: string, place: Place | null, options?: ErrorOptions) {
    super(code, message, options)
    this.line = place?.line ?? null
    this.column = place?.column ?? null
  }
}

interface Place {
  readonly line: number
  readonly column: number
}

export const MAX_CONFIG_BYTES = 65_536 // sanity: some twenty times the commented default file; bounds parsing of a wrong file

export const MAX_CONNECTIONS = 4096 // sanity: each holds a descriptor and buffers; the usual hard limit of descriptors is 4096 and more

export const MAX_WATCH_PLACES = 64 // sanity: each is looked at whenever one of them changes

const LOG_LEVELS = ['error', 'warn', 'info', 'debug'] as const

const OPEN_READ = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY

const schema = section({
  log: section({ level: oneOf(LOG_LEVELS).default('info') }),
  engine: oneOf(['auto', 'sodium', 'portable']).default('auto'),
  socket: section({ max_connections: wholeNumber(1, MAX_CONNECTIONS).default(256) }),
  apps: section({ default_capabilities: setOf(['read', 'observe', 'publish']).default(['read']) }),
  policy: section({ default: oneOf(['auto', 'ask', 'pin']).default('auto') }),
  watch: section({
    profiles: watchedPlaces().default('off'),
    repair: z.boolean({ error: 'true or false' }).default(false),
    passphrase_file: absolutePath().nullable().default(null),
  }),
  custody: section({
    idle_seconds: wholeNumber(MIN_OPEN_SEC, MAX_OPEN_SEC).default(DEFAULT_IDLE_SEC),
    at_most_seconds: wholeNumber(MIN_OPEN_SEC, MAX_OPEN_SEC).default(DEFAULT_AT_MOST_SEC),
  }),
  tox: toxSection(),
})

const GENERAL_KEYS = [
  'log.level',
  'engine',
  'socket.max_connections',
  'apps.default_capabilities',
  'policy.default',
  'watch.profiles',
  'watch.repair',
  'watch.passphrase_file',
  'custody.idle_seconds',
  'custody.at_most_seconds',
] as const

type GeneralKey = (typeof GENERAL_KEYS)[number]

export type ConfigKey = GeneralKey | ToxKey

/** The keys by their YAML path, in the order of config/personad.yaml. */
export const CONFIG_KEYS: readonly ConfigKey[] = [...GENERAL_KEYS, ...TOX_KEYS]

const fields: Readonly<Record<ConfigKey, { readonly field: keyof Config; readonly reloadable: boolean }>> = {
  'log.level': { field: 'logLevel', reloadable: true },
  engine: { field: 'engine', reloadable: false },
  'socket.max_connections': { field: 'maxConnections', reloadable: false },
  'apps.default_capabilities': { field: 'defaultCapabilities', reloadable: true },
  'policy.default': { field: 'defaultPolicy', reloadable: true },
  'watch.profiles': { field: 'watchProfiles', reloadable: true },
  'watch.repair': { field: 'watchRepair', reloadable: true },
  'watch.passphrase_file': { field: 'watchPassphraseFile', reloadable: true },
  'custody.idle_seconds': { field: 'custodyIdleSec', reloadable: true },
  'custody.at_most_seconds': { field: 'custodyAtMostSec', reloadable: true },
  ...toxReload,
}

/** Whether SIGHUP brings a new value of the key into force; the others wait for the next start. */
export function isReloadable(key: ConfigKey): boolean {
  return fields[key].reloadable
}

/**
 * Reads the configuration. Without a file the defaults hold, unless the user named it.
 * @param path absolute or relative to the working directory
 * @param named true when the path comes from --config, so that its absence is a mistake
 * @throws {ConfigError} any ConfigErrorCode
 */
export async function readConfig(path: string, named: boolean): Promise<Config> {
  const bytes = await readBounded(path, named)
  if (bytes === null) return parseConfig('', path)
  if (bytes.length > MAX_CONFIG_BYTES) {
    throw new ConfigError('CONFIG_SYNTAX', `config file ${path} is larger than ${MAX_CONFIG_BYTES} bytes`, null)
  }
  const text = decodeUtf8(bytes)
  if (text === null) throw new ConfigError('CONFIG_SYNTAX', `config file ${path} is not UTF-8: save it as UTF-8`, null)
  return parseConfig(text, path)
}

/**
 * Parses and checks the text of a configuration; what it leaves out has its default.
 * @param path for error texts
 * @throws {ConfigError} CONFIG_SYNTAX | CONFIG_UNKNOWN_KEY | CONFIG_VALUE
 */
export function parseConfig(text: string, path: string): Config {
  const lines = new LineCounter()
  const document = parseStrict(text, path, lines)
  const result = schema.safeParse(document.toJS({ maxAliasCount: 0 }))
  if (!result.success) throw issueError(result.error.issues[0]!, document, path, lines)
  const { log, engine, socket, apps, policy, watch, custody, tox } = result.data
  return {
    logLevel: log.level,
    engine,
    maxConnections: socket.max_connections,
    defaultCapabilities: apps.default_capabilities,
    defaultPolicy: policy.default,
    watchProfiles: watch.profiles,
    watchRepair: watch.repair,
    watchPassphraseFile: watch.passphrase_file,
    custodyIdleSec: custody.idle_seconds,
    custodyAtMostSec: custody.at_most_seconds,
    ...toxFields(tox),
  }
}

/**
 * What a reload puts into force: the reloadable values of the file as it is now, and the others as they run.
 * @returns the configuration to use, which reloadable keys changed, and which others a restart would change
 */
export function mergeReloaded(
  running: Config,
  read: Config,
): { config: Config; changed: ConfigKey[]; needRestart: ConfigKey[] } {
  const differing = CONFIG_KEYS.filter((key) => !equalValues(running[fields[key].field], read[fields[key].field]))
  const changed = differing.filter(isReloadable)
  const taken = Object.fromEntries(changed.map((key) => [fields[key].field, read[fields[key].field]]))
  return { config: { ...running, ...taken }, changed, needRestart: differing.filter((key) => !isReloadable(key)) }
}

function equalValues(a: Config[keyof Config], b: Config[keyof Config]): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}

async function readBounded(path: string, named: boolean): Promise<Uint8Array | null> {
  let file: FileHandle | undefined
  try {
    // Without O_NONBLOCK a FIFO would hold up the start for ever.
    file = await open(path, OPEN_READ)
    await checkFile(file, path)
    const buffer = new Uint8Array(MAX_CONFIG_BYTES + 1)
    let length = 0
    for (;;) {
      const { bytesRead } = await file.read(buffer, length, buffer.length - length)
      if (bytesRead === 0) return buffer.subarray(0, length)
      length += bytesRead
    }
  } catch (cause) {
    if (cause instanceof ConfigError) throw cause
    const errno = cause instanceof Error && 'code' in cause ? String(cause.code) : 'an unknown error'
    if (errno === 'ENOENT' && !named) return null
    const message = `cannot read config file ${path}: the system says ${errno}`
    throw new ConfigError('CONFIG_UNREADABLE', message, null, { cause })
  } finally {
    await file?.close()
  }
}

/** Who can write the configuration can give every app the capability to report what devices showed. */
async function checkFile(file: FileHandle, path: string): Promise<void> {
  const stat = await file.stat()
  if (!stat.isFile()) throw new ConfigError('CONFIG_UNREADABLE', `config file ${path} is not a regular file`, null)
  const owner = process.getuid?.()
  if (owner !== undefined && stat.uid !== owner && stat.uid !== 0) {
    const message = `config file ${path} belongs to user ${stat.uid}: it must be yours or root's`
    throw new ConfigError('CONFIG_UNSAFE', message, null)
  }
  if ((stat.mode & 0o022) !== 0) {
    const message = `config file ${path} can be written by others: run "chmod go-w" on it`
    throw new ConfigError('CONFIG_UNSAFE', message, null)
  }
}

function parseStrict(text: string, path: string, lineCounter: LineCounter): Document {
  const document = parseDocument(text, {
    version: '1.2',
    schema: 'core',
    strict: true,
    stringKeys: true,
    uniqueKeys: true,
    merge: false,
    resolveKnownTags: false,
    prettyErrors: false,
    lineCounter,
  })
  const refuse = (offset: number, what: string): never => {
    const place = placeOf(lineCounter, offset)
    throw new ConfigError('CONFIG_SYNTAX', `${where(path, place)}: ${what}`, place)
  }
  // The first is what the author did; the rest often only follows from it.
  const fault = document.errors[0] ?? document.warnings[0]
  if (fault !== undefined) refuse(fault.pos[0], `not valid YAML: ${fault.message}`)
  const { yaml, tags } = document.directives ?? {}
  // A directive can turn the reader into one of YAML 1.1, where `no` is false and 0777 is 511.
  if (yaml?.explicit === true || Object.keys(tags ?? {}).length > 1) refuse(0, 'directives are not allowed')
  visit(document, {
    Alias: (_key, node) => refuse(node.range?.[0] ?? 0, 'aliases are not allowed'),
    Value: (_key, node) => {
      if (node.anchor !== undefined) refuse(node.range?.[0] ?? 0, 'anchors are not allowed')
      if (node.tag !== undefined) refuse(node.range?.[0] ?? 0, 'tags are not allowed')
    },
  })
  return document
}

function issueError(issue: z.core.$ZodIssue, document: Document, path: string, lines: LineCounter): ConfigError {
  const keys = issue.path.map(String)
  if (issue.code === 'unrecognized_keys') {
    const full = [...keys, issue.keys[0]!]
    const place = keyPlace(document, full, lines)
    const siblings = CONFIG_KEYS.filter((key) => key.split('.').slice(0, keys.length).join('.') === keys.join('.'))
    const message = `${where(path, place)}: unknown key "${full.join('.')}", known are ${siblings.join(', ')}`
    return new ConfigError('CONFIG_UNKNOWN_KEY', message, place)
  }
  const place = valuePlace(document, issue.path, lines)
  const subject = keys.length === 0 ? 'the file' : `"${keys.join('.')}"`
  // The value is left out: it may be a passphrase that was put into the wrong place.
  return new ConfigError('CONFIG_VALUE', `${where(path, place)}: ${subject} must be ${issue.message}`, place)
}

function keyPlace(document: Document, keys: readonly string[], lines: LineCounter): Place {
  const mapping = keys.length === 1 ? document.contents : document.getIn(keys.slice(0, -1), true)
  const pair = isMap(mapping) ? mapping.items.find((item) => String(item.key) === keys.at(-1)) : undefined
  return placeOf(lines, isNode(pair?.key) ? (pair.key.range?.[0] ?? 0) : 0)
}

function valuePlace(document: Document, path: readonly PropertyKey[], lines: LineCounter): Place {
  const node = path.length === 0 ? document.contents : document.getIn(path, true)
  return placeOf(lines, isNode(node) ? (node.range?.[0] ?? 0) : 0)
}

function placeOf(lines: LineCounter, offset: number): Place {
  const { line, col } = lines.linePos(offset)
  return { line: Math.max(line, 1), column: Math.max(col, 1) }
}

export function where(path: string, place: Place): string {
  return `config file ${path}, line ${place.line}, column ${place.column}`
}

function watchedPlaces() {
  const error = `off, auto, or a list of 1 to ${MAX_WATCH_PLACES} paths that begin with / or ~/`
  const places = z.array(absolutePath(), { error }).min(1, { error }).max(MAX_WATCH_PLACES, { error })
  return z.union([z.literal('off'), z.literal('auto'), places], { error })
}
