/** The configuration of the daemon: its own sections and those of the wings (config/personad.yaml names every key). */
import type { Policy } from '../core/consent.ts'
import { BASE_CAPABILITIES, type Capability } from '../ipc/shapes/capabilities.ts'
import {
  keysOf,
  parseSections,
  readConfigText,
  type ConfigSection,
  type ConfigValues,
  type NamedKey,
} from '../process/config-file.ts'
import { oneOf, setOf, wholeNumber } from '../process/config-values.ts'
import type { LogLevel } from '../process/log.ts'
import { NET_SECTION, type NetConfig } from './net/config.ts'
import type { Wing } from './wing/wing.ts'
import {
  DEFAULT_AT_MOST_SEC,
  DEFAULT_IDLE_SEC,
  MAX_OPEN_SEC,
  MIN_OPEN_SEC,
  type OpenLimits,
} from './custody/auto-lock.ts'
import { APPS_SETTINGS, type AppsSetting } from './sealed/setting.ts'

export type EngineChoice = 'auto' | 'sodium' | 'portable'

/** The configuration by section. Only a wing knows the type of its own section. */
export interface Config extends ConfigValues {
  readonly log: { readonly level: LogLevel }
  readonly engine: EngineChoice
  /** The limit applies to each of the two sockets. */
  readonly socket: { readonly maxConnections: number }
  /** Every app has these capabilities, even without a token. */
  readonly apps: { readonly defaultCapabilities: readonly Capability[] }
  /** The policy of new contacts. */
  readonly policy: { readonly default: Policy }
  readonly custody: CustodyConfig
  readonly net: NetConfig
}

export interface CustodyConfig extends OpenLimits {
  /** When the key of what apps keep is open; null for the default, which depends on whether a passphrase seals the secrets. */
  readonly apps: AppsSetting | null
}

export const MAX_CONNECTIONS = 4096 // sanity: each one needs a descriptor and buffers; systems usually allow at least 4096 descriptors

const LOG_LEVELS = ['error', 'warn', 'info', 'debug'] as const

const LOG: ConfigSection<Config['log']> = {
  name: 'log',
  keys: { level: { key: 'level', value: oneOf(LOG_LEVELS).default('info'), reloadable: true } },
}

const ENGINE: ConfigSection<Pick<Config, 'engine'>> = {
  name: '',
  keys: {
    engine: { key: 'engine', value: oneOf(['auto', 'sodium', 'portable']).default('auto'), reloadable: false },
  },
}

const SOCKET: ConfigSection<Config['socket']> = {
  name: 'socket',
  keys: {
    maxConnections: {
      key: 'max_connections',
      value: wholeNumber(1, MAX_CONNECTIONS).default(256),
      reloadable: false,
    },
  },
}

function appsSection(capabilities: readonly Capability[]): ConfigSection<Config['apps']> {
  return {
    name: 'apps',
    keys: {
      defaultCapabilities: {
        key: 'default_capabilities',
        value: setOf(capabilities).default(['read']),
        reloadable: true,
      },
    },
  }
}

const POLICY: ConfigSection<Config['policy']> = {
  name: 'policy',
  keys: { default: { key: 'default', value: oneOf(['auto', 'ask', 'pin']).default('auto'), reloadable: true } },
}

const CUSTODY: ConfigSection<CustodyConfig> = {
  name: 'custody',
  keys: {
    idleSec: {
      key: 'idle_seconds',
      value: wholeNumber(MIN_OPEN_SEC, MAX_OPEN_SEC).default(DEFAULT_IDLE_SEC),
      reloadable: true,
    },
    atMostSec: {
      key: 'at_most_seconds',
      value: wholeNumber(MIN_OPEN_SEC, MAX_OPEN_SEC).default(DEFAULT_AT_MOST_SEC),
      reloadable: true,
    },
    apps: { key: 'apps', value: oneOf(APPS_SETTINGS).nullable().default(null), reloadable: true },
  },
}

/** The sections of a daemon with these wings, in the order of config/personad.yaml. */
export function configSections(wings: readonly Wing[]): ConfigSection<unknown>[] {
  const capabilities = [...BASE_CAPABILITIES, ...wings.flatMap(({ schema }) => schema.capabilities)]
  const ofWings = wings.flatMap(({ section }) => section ?? [])
  return [LOG, ENGINE, SOCKET, appsSection(capabilities), POLICY, CUSTODY, NET_SECTION, ...ofWings]
}

/**
 * Reads the configuration. Without a file the defaults apply, unless the user named it.
 * @param path absolute or relative to the working directory
 * @param named whether the path comes from --config, so that a missing file is an error
 * @throws {ConfigError} any ConfigErrorCode
 */
export async function readConfig(
  path: string,
  named: boolean,
  sections: readonly ConfigSection<unknown>[],
): Promise<Config> {
  return parseConfig(await readConfigText(path, named), path, sections)
}

/**
 * Parses and checks the text of a configuration. An absent key has its default.
 * @param path for error messages
 * @throws {ConfigError} CONFIG_SYNTAX | CONFIG_UNKNOWN_KEY | CONFIG_VALUE
 */
export function parseConfig(text: string, path: string, sections: readonly ConfigSection<unknown>[]): Config {
  return parseSections(text, path, sections) as Config
}

/**
 * Merges a reloaded configuration: reloadable keys get the values of the file, and the others keep their present values.
 * @returns the configuration to use, which reloadable keys changed, and which others a restart would change
 */
export function mergeReloaded(
  running: Config,
  read: Config,
  sections: readonly ConfigSection<unknown>[],
): { config: Config; changed: NamedKey[]; needRestart: NamedKey[] } {
  const differing = keysOf(sections).filter((key) => !equalValues(valueOf(running, key), valueOf(read, key)))
  const changed = differing.filter(({ reloadable }) => reloadable)
  let config: ConfigValues = running
  for (const key of changed) config = withValue(config, key, valueOf(read, key))
  return { config: config as Config, changed, needRestart: differing.filter(({ reloadable }) => !reloadable) }
}

/** The keys that a reload applies, such as `log.level`. All others need a restart. */
export function reloadableKeys(sections: readonly ConfigSection<unknown>[]): string[] {
  return keysOf(sections).flatMap(({ path, reloadable }) => (reloadable ? [path] : []))
}

function valueOf(config: ConfigValues, { section, field }: NamedKey): unknown {
  return fieldsOf(config, section)[field]
}

function withValue(config: ConfigValues, { section, field }: NamedKey, value: unknown): ConfigValues {
  const fields = { ...fieldsOf(config, section), [field]: value }
  return section === '' ? fields : { ...config, [section]: fields }
}

function fieldsOf(config: ConfigValues, section: string): ConfigValues {
  return section === '' ? config : (config[section] as ConfigValues)
}

function equalValues(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}
