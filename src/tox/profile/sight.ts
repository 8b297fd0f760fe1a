/** Whether this process could see a running Tox client at all: in a sandbox it cannot, and finding none would mean nothing. */
import { readFile, readlink } from 'node:fs/promises'
import { join } from 'node:path'
import { thisMachine, type Machine } from './lock-file.ts'

const WHOLE_RANGE = /^\s*0\s+0\s+4294967295\s*$/ // user_namespaces(7): the map of the first namespace

/**
 * In a user namespace of its own, as systemd's PrivateUsers makes one, a process may not look at the open files, the environment and
 * the directory of those outside, and with ProtectProc it does not even see them. So the namespace must be the machine's first one,
 * or, in a container, that of the process which started this one.
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
