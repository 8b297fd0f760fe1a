/** `persona config get|set|check|edit`: the configuration file of the daemon. Values that the daemon would refuse never reach it. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { isScalar, parse, parseDocument } from 'yaml'
import { encodeUtf8 } from '../../core/encoding/bytes.ts'
import { makeDirectories } from '../../durable/directories.ts'
import { writeFileDurably } from '../../durable/file.ts'
import { hasCode } from '../io/connect.ts'
import { print, tell, type Context } from '../io/context.ts'
import { CliError, EXIT_DONE, EXIT_FAILED } from '../io/errors.ts'
import { escapeText } from '../io/escape.ts'
import { askLine, isInteractive } from '../io/prompt.ts'
import { formatYaml } from '../io/yaml.ts'
import { checkConfigFile, type ConfigFault } from './config-check.ts'

const NEW_FILE_MODE = 0o600
const RELOAD = 'to apply it: systemctl --user reload personad; without the service, send SIGHUP to the daemon'
const RESTART = 'to apply it: systemctl --user restart personad; without the service, restart the daemon yourself'
const KEY = /^[a-z_]+(\.[a-z_]+)?$/

/** Exits 1 if the daemon would not start with the file. */
export async function check(context: Context): Promise<number> {
  const { configFile } = context.paths
  const exists = (await readConfig(configFile)) !== null
  const fault = exists ? (await checkConfigFile(configFile)).fault : null
  print(context, { file: configFile, exists, fault }, [
    fault !== null
      ? `${escapeText(fault.message)} (${fault.code})`
      : exists
        ? `${escapeText(configFile)} is good`
        : `there is no configuration ${escapeText(configFile)}, so the defaults apply`,
  ])
  return fault === null ? EXIT_DONE : EXIT_FAILED
}

/** The value of a key in the file, as YAML has it; undefined if the file does not set it. @throws {CliError} FILE_UNREADABLE | USAGE */
export async function configured({ paths: { configFile } }: Context, key: string): Promise<unknown> {
  return parseDocument((await readConfig(configFile)) ?? '').getIn(pathOf(key))
}

/** Prints the file, or one key of it. */
export async function get(context: Context, key: string | undefined): Promise<number> {
  const { configFile } = context.paths
  if (key === undefined) {
    const text = (await readConfig(configFile)) ?? ''
    print(context, { file: configFile, text }, text === '' ? [] : [text.trimEnd()])
    return EXIT_DONE
  }
  const value = await configured(context, key)
  const plain = value === undefined ? null : JSON.parse(JSON.stringify(value))
  print(context, { key, value: plain }, [
    value === undefined ? `${key} is not set, so its default applies` : formatYaml(plain).trimEnd(),
  ])
  return EXIT_DONE
}

/** Sets one key; the rest of the file, with its comments, stays. */
export async function set(context: Context, key: string, value: string): Promise<number> {
  const { configFile } = context.paths
  const document = parseDocument((await readConfig(configFile)) ?? '')
  const path = pathOf(key)
  const parsed: unknown = parseValue(value)
  // A section without a key is an empty scalar, which can hold nothing.
  if (path.length > 1 && isScalar(document.getIn(path.slice(0, -1), true))) document.deleteIn(path.slice(0, -1))
  document.setIn(path, parsed)
  const reloadable = await replace(configFile, document.toString({ lineWidth: 0 }))
  print(context, { file: configFile, key, value: parsed }, [
    `${key} is set in ${escapeText(configFile)}`,
    reloadable.includes(key) ? RELOAD : RESTART,
  ])
  return EXIT_DONE
}

/** Opens a copy in the editor, and puts it in the place of the file once it is good. */
export async function edit(context: Context): Promise<number> {
  if (!isInteractive())
    throw new CliError('NO_TERMINAL', 'an editor needs a terminal', { hint: 'use: persona config set' })
  const { configFile } = context.paths
  const before = (await readConfig(configFile)) ?? '# See: man personad.yaml\n'
  const copy = await writeCopy(configFile, before)
  try {
    for (;;) {
      await runEditor(copy)
      const text = await readFile(copy, 'utf8')
      if (text === before) {
        print(context, { file: configFile, written: false }, ['nothing changed'])
        return EXIT_DONE
      }
      const { fault } = await checkConfigFile(copy)
      if (fault === null) break
      tell(`${describe(fault, copy, configFile)}\n`)
      if (/^n/i.test((await askLine('Edit it again? [Y/n] ')).trim())) throw new CliError('CANCELLED', 'cancelled')
    }
    await replace(configFile, await readFile(copy, 'utf8'))
  } finally {
    await rm(copy, { force: true })
  }
  print(context, { file: configFile, written: true }, [`wrote ${escapeText(configFile)}`, RESTART])
  return EXIT_DONE
}

/** @returns the keys that a reload applies @throws {CliError} CONFIG_INVALID, and the file stays as it was */
async function replace(configFile: string, text: string): Promise<readonly string[]> {
  const copy = await writeCopy(configFile, text)
  try {
    const { fault, reloadable } = await checkConfigFile(copy)
    if (fault !== null) {
      throw new CliError('CONFIG_INVALID', describe(fault, copy, configFile), {
        hint: 'the file is unchanged; its keys are described by: man personad.yaml',
      })
    }
    const mode = (await stat(configFile).catch(() => null))?.mode
    await writeFileDurably(configFile, encodeUtf8(text), { mode: mode === undefined ? NEW_FILE_MODE : mode & 0o755 })
    return reloadable
  } finally {
    await rm(copy, { force: true })
  }
}

async function writeCopy(configFile: string, text: string): Promise<string> {
  makeDirectories(dirname(configFile), 0o700)
  const copy = join(dirname(configFile), `.personad.${process.pid}.yaml`)
  await writeFile(copy, text, { mode: NEW_FILE_MODE })
  await chmod(copy, NEW_FILE_MODE)
  return copy
}

function describe({ code, message }: ConfigFault, copy: string, configFile: string): string {
  return `${escapeText(message.replaceAll(copy, configFile))} (${code})`
}

async function runEditor(file: string): Promise<void> {
  const editor = process.env['VISUAL'] ?? process.env['EDITOR'] ?? 'vi'
  // The variable may hold options, so a shell splits it. The file is an argument of the shell.
  const child = spawn('/bin/sh', ['-c', `${editor} "$1"`, 'sh', file], { stdio: 'inherit' })
  const [status] = (await once(child, 'exit')) as [number | null]
  if (status !== 0) throw new CliError('CANCELLED', 'the editor failed; nothing changed')
}

async function readConfig(file: string): Promise<string | null> {
  try {
    return await readFile(file, 'utf8')
  } catch (cause) {
    if (hasCode(cause, 'ENOENT')) return null
    const why = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown error'
    throw new CliError('FILE_UNREADABLE', `cannot read ${file} (${why})`, { cause })
  }
}

function pathOf(key: string): string[] {
  if (KEY.test(key)) return key.split('.')
  throw new CliError('USAGE', `"${escapeText(key)}" is not a key`, { hint: 'write it like watch.repair or log.level' })
}

/** A value as it stands in YAML: `true`, `5`, `[a, b]`, or a text. */
function parseValue(value: string): unknown {
  try {
    return parse(value) as unknown
  } catch {
    return value
  }
}
