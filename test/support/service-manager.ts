/** Runs a service manager in namespaces of its own, and reads what a script printed there. */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'

export const NO_MANAGER = 99 // exit status of user-manager.sh and system-manager.sh where no such manager can run

/** @returns why no service manager can run in these namespaces; empty if one may */
export function missingForManager(programs: readonly string[], namespaces: readonly string[]): string {
  if (process.getuid?.() !== 0) return 'needs root, to become another user'
  const missing = ['unshare', 'systemctl', '/usr/lib/systemd/systemd', ...programs].filter(
    (name) => spawnSync(name, ['--version']).error !== undefined,
  )
  if (missing.length > 0) return `needs ${missing.join(', ')}`
  return spawnSync('unshare', [...namespaces, 'true']).status === 0 ? '' : 'needs namespaces'
}

/** Runs a program in new namespaces, and removes the groups of its processes after that. */
export function runInNamespaces(
  namespaces: readonly string[],
  program: readonly string[],
): { readonly status: number | null; readonly stdout: string; readonly stderr: string } {
  const ended = spawnSync('unshare', [...namespaces, ...program], {
    encoding: 'utf8',
    timeout: 160_000,
    killSignal: 'SIGKILL',
  })
  for (const hierarchy of ['/sys/fs/cgroup', '/sys/fs/cgroup/systemd', '/sys/fs/cgroup/unified']) {
    const group = join(hierarchy, 'personad-test')
    if (existsSync(group)) spawnSync('find', [group, '-depth', '-type', 'd', '-exec', 'rmdir', '{}', ';'])
  }
  return ended
}

/** Reads lines `NAME VALUE`. */
export function namedLines(text: string): Map<string, string> {
  return new Map(
    text.split('\n').map((line): [string, string] => {
      const at = line.indexOf(' ')
      return at < 0 ? [line, ''] : [line.slice(0, at), line.slice(at + 1).trim()]
    }),
  )
}
