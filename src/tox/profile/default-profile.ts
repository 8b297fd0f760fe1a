/** Where a running client looks for a profile that its command line does not name. */
import { readFile, readlink, stat } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import type { Machine } from './lock-file.ts'

const PASSWD = '/etc/passwd'

/** The facts of one process that decide where it looks. */
export interface ProcessPlace {
  /** Null when its working directory is hidden */
  readonly cwd: string | null
  /** Null when its environment is hidden */
  readonly environ: ReadonlyMap<string, string> | null
  /** Its user's home directory in the password file; null if unknown */
  readonly home: string | null
}

export async function placeOf({ procDir }: Machine, pid: number): Promise<ProcessPlace> {
  const directory = join(procDir, String(pid))
  const [cwd, bytes] = await Promise.all([
    readlink(join(directory, 'cwd')).catch(() => null),
    readFile(join(directory, 'environ'), 'utf8').catch(() => ''),
  ])
  const entries = bytes.split('\0').filter((entry) => entry.includes('='))
  const environ = new Map(
    entries.map((entry) => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)]),
  )
  return { cwd, environ: environ.size === 0 ? null : environ, home: await passwdHome(directory) }
}

/**
 * Directories in which a client may look: the configuration directory that its environment names, that of its user in the
 * password file, which toxic asks when HOME is another, and its working directory, which an empty XDG_CONFIG_HOME leads to.
 */
export function directoriesOf({ cwd, environ, home }: ProcessPlace): string[] {
  const base = cwd ?? '/'
  const named = ['XDG_CONFIG_HOME', 'XDG_DATA_HOME']
    .map((name) => environ?.get(name))
    .filter((path) => path !== undefined)
  const homes = [environ?.get('HOME'), home].filter((path) => path != null)
  const parents = [
    ...named.map((path) => resolve(base, path)),
    // An empty variable, put before "/tox".
    ...(named.includes('') ? ['/'] : []),
    ...homes.flatMap((path) => [join(path, '.config'), join(path, '.local/share')]),
    base,
  ]
  return [...new Set([...parents.map((parent) => join(parent, 'tox')), base])]
}

async function passwdHome(directory: string): Promise<string | null> {
  const stats = await stat(directory).catch(() => null)
  if (stats === null) return null
  const entry = new RegExp(`^[^:]*:[^:]*:${stats.uid}:[^:]*:[^:]*:([^:]*):`, 'm')
  const text = await readFile(PASSWD, 'utf8').catch(() => '')
  // A user of a directory service is in no file, but this process is mostly theirs.
  return entry.exec(text)?.[1] ?? (stats.uid === process.geteuid?.() ? homedir() : null)
}
