/**
 * Reads a YAML configuration file strictly: every refusal names line and column. The program passes the sections it
 * knows.
 */
import { constants } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import { isMap, isNode, LineCounter, parseDocument, visit, type Document } from 'yaml'
import * as z from '../schema/zod.ts'
import { decodeUtf8 } from '../core/encoding/bytes.ts'
import { PersonadError } from '../errors/personad-error.ts'
import { section as mapping } from './config-values.ts'

/** One key of a section. */
export interface ConfigKey<T> {
  /** The key as written in the file. */
  readonly key: string
  /** Schema of its values, with the default. */
  readonly value: z.ZodType<T>
  /** Whether a reload applies a new value; false if the key waits for the next start. */
  readonly reloadable: boolean
}

/** A mapping of the file. Each field of T is one key. */
export interface ConfigSection<T> {
  /** The name as written in the file; empty for the keys outside any section. */
  readonly name: string
  readonly keys: { readonly [Field in keyof T]: ConfigKey<T[Field]> }
  /** A condition between keys. The refusal points at `key`. */
  readonly check?: { readonly key: string; readonly error: string; holds(values: T): boolean }
}

/** A key of any section, by its path in the file. */
export interface NamedKey {
  readonly path: string
  readonly section: string
  readonly field: string
  readonly reloadable: boolean
}

/**
 * The values a program gets from its file: an object of fields for each named section, beside the fields outside any
 * section.
 */
export type ConfigValues = Readonly<Record<string, unknown>>

export type ConfigErrorCode =
  | 'CONFIG_UNREADABLE' // missing although named, not a regular file, or the system refuses to read it
  | 'CONFIG_UNSAFE' // somebody else may write to it
  | 'CONFIG_SYNTAX' // too large, not UTF-8, not YAML, or YAML features that we do not allow
  | 'CONFIG_UNKNOWN_KEY'
  | 'CONFIG_VALUE'

export class ConfigError extends PersonadError<ConfigErrorCode> {
  override readonly name = 'ConfigError'
  /** From 1; null if the error has no place in the text. */
  readonly line: number | null
  /** From 1, in UTF-16 units as editors count; null if `line` is null. */
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

export const MAX_CONFIG_BYTES = 65_536 // sanity: some twenty times the commented default file; bounds the parsing of a wrong file

const OPEN_READ = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY

/** Every key of these sections, in order. */
export function keysOf(sections: readonly ConfigSection<unknown>[]): NamedKey[] {
  return sections.flatMap((section) =>
    rowsOf(section).map(([field, { key, reloadable }]) => ({
      path: section.name === '' ? key : `${section.name}.${key}`,
      section: section.name,
      field,
      reloadable,
    })),
  )
}

/**
 * Reads the text of a configuration file; empty if there is no file, unless the user named it.
 * @param path absolute or relative to the working directory
 * @param named true if the path comes from --config, so that a missing file is a mistake
 * @throws {ConfigError} CONFIG_UNREADABLE | CONFIG_UNSAFE | CONFIG_SYNTAX
 */
export async function readConfigText(path: string, named: boolean): Promise<string> {
  const bytes = await readBounded(path, named)
  if (bytes === null) return ''
  if (bytes.length > MAX_CONFIG_BYTES) {
    throw new ConfigError('CONFIG_SYNTAX', `config file ${path} is larger than ${MAX_CONFIG_BYTES} bytes`, null)
  }
  const text = decodeUtf8(bytes)
  if (text === null) throw new ConfigError('CONFIG_SYNTAX', `config file ${path} is not UTF-8: save it as UTF-8`, null)
  return text
}

/**
 * Parses and checks the text of a configuration file. A missing key gets its default.
 * @param path for error texts
 * @throws {ConfigError} CONFIG_SYNTAX | CONFIG_UNKNOWN_KEY | CONFIG_VALUE
 */
export function parseSections(text: string, path: string, sections: readonly ConfigSection<unknown>[]): ConfigValues {
  const lines = new LineCounter()
  const document = parseStrict(text, path, lines)
  const result = schemaOf(sections).safeParse(document.toJS({ maxAliasCount: 0 }))
  if (!result.success) throw issueError(result.error.issues[0]!, document, path, lines, keysOf(sections))
  return result.data
}

function schemaOf(sections: readonly ConfigSection<unknown>[]): z.ZodType<ConfigValues> {
  const loose = sections.filter(({ name }) => name === '').flatMap(rowsOf)
  const shape: Record<string, z.ZodType> = {}
  for (const [, { key, value }] of loose) shape[key] = value
  for (const one of sections) if (one.name !== '') shape[one.name] = sectionSchema(one)
  return mapping(shape).transform((values) => {
    const named = sections.filter(({ name }) => name !== '').map(({ name }) => [name, values[name]] as const)
    return Object.fromEntries([...loose.map(([field, { key }]) => [field, values[key]] as const), ...named])
  })
}

function sectionSchema<T>(section: ConfigSection<T>): z.ZodType<T> {
  const rows = rowsOf(section)
  const shape = Object.fromEntries(rows.map(([, { key, value }]) => [key, value]))
  const values = mapping(shape).transform(
    (read) => Object.fromEntries(rows.map(([field, { key }]) => [field, read[key]])) as T,
  )
  const { check } = section
  if (check === undefined) return values
  return values.refine((read) => check.holds(read), { error: check.error, path: [check.key] })
}

function rowsOf<T>({ keys }: ConfigSection<T>): [field: string, row: ConfigKey<unknown>][] {
  return Object.entries<ConfigKey<unknown>>(keys)
}

async function readBounded(path: string, named: boolean): Promise<Uint8Array | null> {
  let file: FileHandle | undefined
  try {
    // Without O_NONBLOCK a FIFO would block the start forever.
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
    const message = `cannot read config file ${path} (${errno}): check the path and its permissions`
    throw new ConfigError('CONFIG_UNREADABLE', message, null, { cause })
  } finally {
    await file?.close()
  }
}

/** Anybody who can write the configuration can let every app report what devices showed. */
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
  // Report only the first error: the rest often follows from it.
  const fault = document.errors[0] ?? document.warnings[0]
  if (fault !== undefined) refuse(fault.pos[0], `not valid YAML: ${fault.message}`)
  const { yaml, tags } = document.directives ?? {}
  // A directive can switch the reader to YAML 1.1, where `no` is false and 0777 is 511.
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

function issueError(
  issue: z.core.$ZodIssue,
  document: Document,
  path: string,
  lines: LineCounter,
  known: readonly NamedKey[],
): ConfigError {
  const keys = issue.path.map(String)
  if (issue.code === 'unrecognized_keys') {
    const full = [...keys, issue.keys[0]!]
    const place = keyPlace(document, full, lines)
    const paths = known.map((key) => key.path)
    const siblings = paths.filter((key) => key.split('.').slice(0, keys.length).join('.') === keys.join('.'))
    const message = `${where(path, place)}: unknown key "${full.join('.')}"; known keys are ${siblings.join(', ')}`
    return new ConfigError('CONFIG_UNKNOWN_KEY', message, place)
  }
  const place = valuePlace(document, issue.path, lines)
  const subject = keys.length === 0 ? 'the file' : `"${keys.join('.')}"`
  // Leave out the value: it may be a passphrase in the wrong place.
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

function where(path: string, place: Place): string {
  return `config file ${path}, line ${place.line}, column ${place.column}`
}
