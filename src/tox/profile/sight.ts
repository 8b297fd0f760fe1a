/**
 * Whether this process can see running Tox clients at all. Inside a sandbox it cannot, so finding none would prove
 * nothing.
 */
import { readFile, readlink } from 'node:fs/promises'
import { join } from 'node:path'
import { thisMachine, type Machine } from './lock-file.ts'

const WHOLE_RANGE = /^\s*0\s+0\s+4294967295\s*$/ // user_namespaces(7): the map of the initial namespace

/**
 * Whether client detection works here. In its own user namespace (systemd's PrivateUsers) a process cannot read the
 * open files, environment and working directory of processes outside. ProtectProc hides them altogether. So we
 * require the machine's initial namespace or, in a container, the namespace of our parent process.
 */
export async function canSeeClients(
  machine: Machine = thisMachine,
  parentPid: number = process.ppid,
): Promise<boolean> {
  const { procDir } = machine
  const map = await readFile(join(procDir, 'self/uid_map'), 'utf8').catch(() => null)
  if (map === null) return false
  if (WHOLE_RANGE.test(map)) return true
  const [own, parents] = await Promise.all(
    ['self', String(parentPid)].map((pid) => readlink(join(procDir, pid, 'ns/user')).catch(() => null)),
  )
  return own !== null && own === parents
}
