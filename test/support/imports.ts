/** Which folder of src may import which, and why not the others (docs/decisions/0008). */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve, sep } from 'node:path'

export interface Rule {
  /** Folders of src, beside itself. */
  readonly folders: readonly string[]
  /** Packages and node: modules; '*' for any. */
  readonly packages: readonly string[]
  readonly reason: string
}

export const RULES: Readonly<Record<string, Rule>> = {
  core: { folders: [], packages: [], reason: 'core is values in, values out: it runs wherever JavaScript does' },
  crypto: {
    folders: ['core'],
    packages: ['@noble/hashes', '@scure/bip39', 'node:crypto', 'sodium-native', 'tweetnacl'],
    reason: 'an engine knows no file, no socket and no store',
  },
  durable: { folders: [], packages: ['node:'], reason: 'a leaf that everybody who writes files may use' },
  store: {
    folders: ['core', 'crypto', 'durable'],
    packages: ['node:', 'level', 'classic-level'],
    reason: 'the store does not know what a profile or a socket is',
  },
  tox: {
    folders: ['core', 'crypto', 'durable'],
    packages: ['node:'],
    reason: 'profiles are read and written without a daemon',
  },
  ipc: {
    folders: ['core', 'crypto'],
    packages: ['node:', 'node-ipc', 'zod'],
    reason: 'a client in another program loads neither store nor keeper',
  },
  pairing: {
    folders: ['core', 'crypto'],
    packages: ['node:crypto', '@scure/bip39', 'noise-handshake'],
    reason: 'a pairing is messages and keys; who carries them, and how, is for the command line and other apps',
  },
  live: {
    folders: ['core'],
    packages: ['node:', 'koffi', 'zod'],
    reason: 'the Tox node is a process of its own, which is to hold nothing of the keeper',
  },
  daemon: {
    folders: ['core', 'crypto', 'durable', 'store', 'tox', 'ipc', 'pairing', 'live'],
    packages: ['*'],
    reason: 'the daemon never depends on the command line',
  },
  cli: {
    folders: ['core', 'crypto', 'durable', 'tox', 'ipc', 'pairing'],
    packages: ['*'],
    reason: 'the command line never opens the store: one process writes it',
  },
  launch: { folders: ['cli', 'daemon'], packages: ['node:'], reason: 'the launchers only start a program' },
}

export interface Import {
  readonly file: string
  readonly from: string
}

/** Every import of every source below a folder, also `import type`, dynamic and re-exporting ones. */
export function importsBelow(root: string): Import[] {
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((name) => /(?<!\.d)\.[jt]s$/.test(name))
  return files.flatMap((name) =>
    importsOf(readFileSync(join(root, name), 'utf8')).map((from) => ({ file: name, from })),
  )
}

export function importsOf(source: string): string[] {
  const pattern = /(?:\bfrom\s*|\bimport\s*\(?\s*)(['"])([^'"\n]+)\1/g
  return [...source.matchAll(pattern)].map((match) => match[2]!)
}

/** What breaks the rules, as sentences. */
export function violations(root: string, imports: readonly Import[]): string[] {
  return imports.flatMap(({ file, from }) => {
    const folder = file.split(sep)[0]!
    const rule = RULES[folder]
    if (rule === undefined) return [`src/${file} is in no folder that the rules know`]
    const target = from.startsWith('.') ? relative(root, resolve(root, dirname(file), from)).split(sep)[0]! : null
    const isAllowed =
      target === null
        ? rule.packages.some(
            (name) => name === '*' || from === name || from.startsWith(name.endsWith(':') ? name : `${name}/`),
          )
        : target === folder || rule.folders.includes(target) || target === '..'
    return isAllowed ? [] : [`src/${file} must not import ${from}: ${rule.reason}`]
  })
}
